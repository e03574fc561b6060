//! Interviews to submit: with stand-in recordings, which cost nothing to extract, and with real ones.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use hirenet_core::sha256_file;
use hirenet_queue::{Names, Outgoing};
use hirenet_tests::source_dir;
use serde_json::{Value, json};
use uuid::Uuid;

/// What a stand-in recording begins with; what follows makes its content.
const STAND_IN: &[u8] = b"hirenet stand-in";

/// The tenant of every interview.
pub const TENANT: &str = "load";

/// A submission and its message.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its id.
    pub job_id: Uuid,
    /// The interview's.
    pub interview_id: String,
    body: Value,
}

impl Submission {
    /// The message on its way to the queue `admit.bulk`, or `admit.interactive`.
    #[must_use]
    pub fn message(&self, names: &Names, interactive: bool) -> Outgoing {
        let key = if interactive { "admit.interactive" } else { "admit.bulk" };
        let body = self.body.to_string().into_bytes();
        Outgoing::to_stage(names, key, self.job_id, "interview.submitted", body)
    }
}

/// Makes the recordings of a folder and the interviews about them.
#[derive(Debug)]
pub struct Corpus {
    /// Address and sha256 of each real recording.
    real: Vec<(String, String)>,
    stand_in: (String, String),
}

/// Submissions made by this process.
static MADE: AtomicU64 = AtomicU64::new(0);

impl Corpus {
    /// Puts a stand-in and the sample's recordings into `folder`.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        let stand_in = folder.join("stand-in.mp4");
        std::fs::write(&stand_in, [STAND_IN, b" 1"].concat())?;
        let mut real = Vec::new();
        for name in ["a1.mp4", "a2.mp4", "a3.mp4"] {
            let copy = folder.join(name);
            std::fs::copy(source_dir().join("samples").join(name), &copy)
                .with_context(|| format!("samples/{name} cannot be copied"))?;
            real.push(named(&copy)?);
        }
        Ok(Corpus { real, stand_in: named(&stand_in)? })
    }

    /// An interview of `answers` stand-in recordings.
    #[must_use]
    pub fn stand_in(&self, answers: usize) -> Submission {
        let media = vec![self.stand_in.clone(); answers];
        submission(&media, "stand-in")
    }

    /// An interview of one real recording, each in turn.
    pub fn real(&self) -> Submission {
        static TURN: AtomicU64 = AtomicU64::new(0);
        let turn = TURN.fetch_add(1, Ordering::Relaxed) as usize;
        submission(&[self.real[turn % self.real.len()].clone()], "real")
    }
}

fn submission(media: &[(String, String)], kind: &str) -> Submission {
    // Numbered ids: a run with the same seed submits the same.
    let made = MADE.fetch_add(1, Ordering::Relaxed) + 1;
    let job_id = Uuid::from_u128(0x4000_8000_0000_0000_0000 + u128::from(made));
    let interview_id = format!("{kind}-{made}");
    let answers: Vec<Value> = media
        .iter()
        .enumerate()
        .map(|(k, (address, sha256))| {
            json!({"id": format!("a{}", k + 1), "question": "What would you do?", "media": address, "sha256": sha256})
        })
        .collect();
    let body = json!({
        "job_id": job_id, "tenant": TENANT, "interview_id": interview_id, "candidate": format!("c-{made}"),
        "position": {"id": kind, "title": "Project manager"}, "language": "en",
        "consent": {
            "version": "1", "given_at": "2026-01-01T00:00:00Z", "modalities": ["verbal", "vocal", "visual"],
            "face_waiver": {"name_on_file": true, "interview_date": "2026-01-01", "consented": true, "read": true}
        },
        "retention_days": 30,
        "answers": answers
    });
    Submission { job_id, interview_id, body }
}

fn named(file: &Path) -> Result<(String, String)> {
    let (sha256, _) = sha256_file(file)?;
    Ok((format!("file://{}", file.display()), sha256))
}
