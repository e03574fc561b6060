//! Interviews as a recruitment system would send them.

use serde_json::{Value, json};
use uuid::Uuid;

/// An interview of these answers, all modalities consented to.
pub(crate) fn interview(answers: &[Value]) -> Value {
    let job_id = Uuid::new_v4();
    json!({
        "job_id": job_id, "tenant": "acme", "interview_id": format!("i-{}", job_id.simple()),
        "candidate": format!("candidate-{}", job_id.simple()),
        "position": {"id": "p-1", "title": "Sales assistant"}, "language": "en",
        "consent": {
            "version": "1", "given_at": "2026-01-01T00:00:00Z", "modalities": ["verbal", "vocal", "visual"],
            "face_waiver": {"name_on_file": true, "interview_date": "2026-01-01", "consented": true, "read": true}
        },
        "retention_days": 30, "answers": answers
    })
}

/// An answer with its recording.
pub(crate) fn answer(id: &str, media: &str) -> Value {
    json!({"id": id, "question": "Why this job?", "media": media})
}
