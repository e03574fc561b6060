//! The documented JSON schemas agree with the types that write and read the documents.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use hirenet_core::{Assessment, Code, ConsentWithdrawn, EraseRequest, Interview};
use hirenet_tests::assessment;
use hirenet_tests::schemas::{complaints, document, validator};
use serde_json::{Value, json};

#[test]
fn every_kind_of_assessment_is_of_the_documented_form() {
    let validator = validator("assessment.schema.json", None);
    for assessment in [assessment::scored(), assessment::partial(), assessment::refused()] {
        let document = serde_json::to_value(&assessment).unwrap();
        assert_eq!(complaints(&validator, &document), [""; 0], "{:?}", assessment.status);
        assert_eq!(serde_json::from_value::<Assessment>(document).unwrap(), assessment);
    }
}

/// Something that breaks an assessment.
type Damage = fn(&mut Value);

#[test]
fn a_broken_assessment_is_refused() {
    let validator = validator("assessment.schema.json", None);
    let changes: [(&str, Damage); 12] = [
        ("an unknown field", |d| d["verdict"] = json!("accept")),
        ("an unknown field in a span", |d| d["spans"][0]["emotion"] = json!("joy")),
        ("an unknown field in a word", |d| d["answers"][0]["transcript"]["words"][0]["speaker"] = json!(1)),
        ("a missing field", |d| drop(d.as_object_mut().unwrap().remove("score_range"))),
        ("a score above one", |d| d["score"] = json!(1.2)),
        ("a partial result without a score", |d| d["score"] = Value::Null),
        ("a partial result without reasons", |d| d["reasons"] = json!([])),
        ("a refusal with a score", |d| d["status"] = json!("refused")),
        ("an unknown status", |d| d["status"] = json!("accepted")),
        ("an unknown code", |d| d["reasons"][0]["code"] = json!("bad_mood")),
        ("a range of one number", |d| d["score_range"] = json!([0.5])),
        ("a hash that is none", |d| d["bundle"]["sha256"] = json!("abc")),
    ];
    for (what, change) in changes {
        let mut document = serde_json::to_value(assessment::partial()).unwrap();
        change(&mut document);
        assert!(!validator.is_valid(&document), "{what}");
    }
}

#[test]
fn an_assessment_is_read_by_the_letter() {
    let read = |change: Damage| {
        let mut document = serde_json::to_value(assessment::partial()).unwrap();
        change(&mut document);
        Assessment::from_json(&document.to_string()).map(drop).map_err(|error| error.path)
    };
    assert_eq!(read(|_| ()), Ok(()));
    assert_eq!(read(|d| d["bundle"] = json!(["hirenet", "1", "demo", "5a"])), Err("bundle".to_owned()));
    assert_eq!(read(|d| d["status"] = json!({"partial": null})), Err("status".to_owned()));
    assert_eq!(read(|d| d["reasons"][0]["code"] = json!({"no_video": null})), Err("reasons[0].code".to_owned()));
    assert_eq!(read(|d| *d = json!(["i-1", "scored"])), Err("document".to_owned()));
}

#[test]
fn every_code_is_documented() {
    let documented = &document("assessment.schema.json")["$defs"]["reason"]["properties"]["code"]["enum"];
    assert_eq!(*documented, serde_json::to_value(Code::ALL).unwrap());
}

fn message() -> Value {
    json!({
        "job_id": "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10", "tenant": "acme", "interview_id": "i-1", "candidate": "c-1",
        "position": {"id": "p-1", "title": "Sales assistant"}, "language": "en",
        "consent": {
            "version": "1", "given_at": "2026-01-01T00:00:00Z", "modalities": ["verbal", "vocal", "visual"],
            "face_waiver": {"name_on_file": true, "interview_date": "2026-01-01", "consented": true, "read": true}
        },
        "retention_days": 30,
        "answers": [
            {"id": "a1", "question": "Why?", "media": "a1.mp4", "sha256": "0aF".repeat(22)[..64], "take": 2},
            {"id": "a2", "question": "How?", "media": "file:///a2.mp4", "transcript": "So it went."},
            {"id": "a3", "question": "Who?", "media": "a3.mp4",
             "transcript": {"words": [{"text": "Me.", "start": 0.5, "end": 1}]}}
        ]
    })
}

/// A change of one value of the message: where, and the new value; `None` removes it.
type Change = (&'static str, Option<Value>);

/// Changes that leave the message valid.
fn good() -> Vec<Change> {
    vec![
        ("/language", Some(Value::Null)),
        ("/language", None),
        ("/consent/face_waiver", Some(Value::Null)),
        ("/consent/face_waiver", None),
        ("/consent/modalities", Some(json!(["vocal"]))),
        ("/retention_days", Some(json!(0))),
        ("/retention_days", Some(json!(30.0))),
        ("/retention_days", Some(json!(2_147_483_647_u32))),
        ("/job_id", Some(json!("7F8F2F4E-6D0B-4F0C-9A51-0D9F6F3F5F10"))),
        ("/interview_id", Some(json!("\u{e9}".repeat(200)))),
        ("/consent/given_at", Some(json!("2026-01-01t00:00:00.25z"))),
        ("/consent/given_at", Some(json!("2024-02-29T23:59:59+05:30"))),
        ("/consent/given_at", Some(json!("2026-01-01"))),
        // Such a waiver is read, and counts as incomplete.
        ("/consent/face_waiver/interview_date", Some(json!("soon"))),
        ("/position/title", Some(json!(""))),
        ("/answers/0/sha256", Some(Value::Null)),
        ("/answers/0/sha256", None),
        ("/answers/0/take", Some(Value::Null)),
        ("/answers/0/take", Some(json!(2.0))),
        ("/answers/0/media", Some(json!("m".repeat(1000)))),
        ("/answers/0/id", Some(json!("A-1_b.c"))),
        ("/answers/0/question", Some(json!(""))),
        ("/answers/1/transcript", Some(Value::Null)),
        ("/answers/1/transcript", Some(json!("Line\nline. \\u0000"))),
        ("/answers/2/transcript/words", Some(json!([]))),
        ("/answers/2/transcript/words/0/start", Some(json!(0))),
    ]
}

/// Changes after which the message must be refused.
fn bad() -> Vec<Change> {
    vec![
        ("/surprise", Some(json!(1))),
        ("/position/salary", Some(json!(1))),
        ("/consent/scope", Some(json!("all"))),
        ("/consent/face_waiver/name", Some(json!("A. Person"))),
        ("/answers/0/mood", Some(json!("x"))),
        ("/answers/2/transcript/text", Some(json!("Me."))),
        ("/answers/2/transcript/words/0/confidence", Some(json!(1))),
        ("/job_id", Some(json!("seven"))),
        ("/job_id", Some(json!("7f8f2f4e6d0b4f0c9a510d9f6f3f5f10"))),
        ("/job_id", Some(json!("urn:uuid:7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10"))),
        ("/job_id", Some(json!("{7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10}"))),
        ("/tenant", Some(json!(" "))),
        ("/interview_id", Some(json!(""))),
        ("/candidate", Some(json!(7))),
        ("/position/id", Some(json!("\t"))),
        ("/tenant", Some(json!("t".repeat(201)))),
        ("/interview_id", Some(json!("i".repeat(201)))),
        ("/candidate", Some(json!("c".repeat(201)))),
        ("/position/id", Some(json!("p".repeat(201)))),
        ("/consent/given_at", Some(json!(""))),
        ("/consent/given_at", Some(json!("yesterday"))),
        ("/consent/given_at", Some(json!("2026-01-01 00:00:00Z"))),
        ("/consent/given_at", Some(json!("2026-01-01T00:00:00"))),
        ("/consent/given_at", Some(json!("2026-13-01T00:00:00Z"))),
        ("/language", Some(json!("EN"))),
        ("/language", Some(json!("eng"))),
        ("/consent/modalities", Some(json!([]))),
        ("/consent/modalities/0", Some(json!("mood"))),
        ("/consent/modalities/0", Some(json!({"verbal": null}))),
        ("/consent", Some(json!(["1", "2026-01-01", ["visual"], [true, "2026-01-01", true, true]]))),
        ("/consent/face_waiver", Some(json!([true, "2026-01-01", true, true]))),
        ("/position", Some(json!(["p-1", "Sales assistant"]))),
        ("/answers/0", Some(json!(["a1", "Why?", "a1.mp4"]))),
        ("/answers/2/transcript/words/0", Some(json!(["Me.", 0.5, 1]))),
        ("/consent/face_waiver/read", Some(json!("yes"))),
        ("/retention_days", Some(json!("30"))),
        ("/retention_days", Some(json!(-1))),
        ("/retention_days", Some(json!(1.5))),
        ("/retention_days", Some(json!(2_147_483_648_u32))),
        ("/answers", Some(json!([]))),
        ("/answers", Some(json!({}))),
        ("/answers/0/id", Some(json!("../a"))),
        ("/answers/0/id", Some(json!(".a"))),
        ("/answers/0/id", Some(json!(""))),
        ("/answers/0/id", Some(json!("a".repeat(101)))),
        ("/answers/0/media", Some(json!(""))),
        ("/answers/0/sha256", Some(json!("abc"))),
        ("/answers/0/take", Some(json!(-1))),
        ("/answers/0/take", Some(json!(0.5))),
        ("/answers/0/take", Some(json!(4_294_967_295_u32))),
        ("/answers/1/transcript", Some(json!(5))),
        ("/answers/1/transcript", Some(json!([]))),
        ("/answers/2/transcript/words/0/start", Some(json!(-1))),
        ("/answers/2/transcript/words/0/end", Some(json!("1"))),
    ]
}

/// Changes that take away what must be there.
fn missing() -> Vec<Change> {
    let required = [
        "/job_id",
        "/tenant",
        "/interview_id",
        "/candidate",
        "/position",
        "/position/id",
        "/position/title",
        "/consent",
        "/consent/version",
        "/consent/given_at",
        "/consent/modalities",
        "/consent/face_waiver/read",
        "/consent/face_waiver/name_on_file",
        "/consent/face_waiver/interview_date",
        "/consent/face_waiver/consented",
        "/retention_days",
        "/answers",
        "/answers/0/id",
        "/answers/0/question",
        "/answers/0/media",
        "/answers/2/transcript/words",
        "/answers/2/transcript/words/0/text",
    ];
    required.map(|path| (path, None)).to_vec()
}

/// Changes that put U+0000 into a text, each of which must be refused.
fn nul() -> Vec<Change> {
    let texts = [
        "/tenant",
        "/interview_id",
        "/candidate",
        "/position/id",
        "/position/title",
        "/language",
        "/consent/version",
        "/consent/given_at",
        "/consent/face_waiver/interview_date",
        "/answers/0/id",
        "/answers/0/question",
        "/answers/0/media",
        "/answers/0/sha256",
        "/answers/1/transcript",
        "/answers/2/transcript/words/0/text",
    ];
    texts.map(|path| (path, Some(json!("a\u{0}b")))).to_vec()
}

fn changed((path, value): &Change) -> Value {
    let mut document = message();
    let (parent, key) = path.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(fields), Some(value)) => drop(fields.insert(key.to_owned(), value.clone())),
        (Value::Object(fields), None) => drop(fields.remove(key).unwrap()),
        (Value::Array(items), Some(value)) => items[key.parse::<usize>().unwrap()] = value.clone(),
        (other, _) => panic!("{path} leads into {other}"),
    }
    document
}

#[test]
fn schema_and_program_agree_on_messages() {
    let validator = validator("interview.schema.json", None);
    assert_eq!(complaints(&validator, &message()), [""; 0]);
    for (changes, valid) in [(good(), true), (bad(), false), (missing(), false), (nul(), false)] {
        for change in changes {
            let document = changed(&change);
            assert_eq!(validator.is_valid(&document), valid, "the schema on {change:?}");
            let read = Interview::from_json(&document.to_string());
            assert_eq!(read.is_ok(), valid, "the program on {change:?}: {:?}", read.err());
        }
    }
}

#[test]
fn a_message_names_its_recordings_by_address() {
    let whole = validator("message.schema.json", None);
    let submitted = validator("message.schema.json", Some("interview.submitted"));
    let mut addressed = message();
    for (answer, media) in
        ["s3://bucket/a1.mp4", "https://media.example.com/a2.mp4", "file:///a3.mp4"].iter().enumerate()
    {
        addressed["answers"][answer]["media"] = json!(media);
    }
    assert_eq!(complaints(&submitted, &addressed), [""; 0]);
    assert!(whole.is_valid(&addressed));
    for media in ["a1.mp4", "/srv/a1.mp4", "ftp://x/a1.mp4", " "] {
        addressed["answers"][0]["media"] = json!(media);
        assert!(!submitted.is_valid(&addressed), "{media}");
        assert!(!whole.is_valid(&addressed), "{media}");
    }
}

#[test]
fn schema_and_program_agree_on_erasures_and_withdrawals() {
    const ID: &str = "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10";
    let (erase, withdrawn) = (
        validator("message.schema.json", Some("interview.erase")),
        validator("message.schema.json", Some("consent.withdrawn")),
    );
    let erasures = [
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i"}), true),
        (json!({"job_id": ID, "tenant": "t", "candidate": "c"}), true),
        (json!({"job_id": ID, "tenant": "t"}), false),
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i", "candidate": "c"}), false),
        (json!({"job_id": ID, "tenant": "t", "interview_id": null, "candidate": "c"}), true),
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i", "candidate": null}), true),
        (json!({"job_id": ID, "tenant": "t", "interview_id": null, "candidate": null}), false),
        (json!({"job_id": ID, "tenant": " ", "candidate": "c"}), false),
        (json!({"job_id": "1", "tenant": "t", "candidate": "c"}), false),
        (json!({"job_id": ID, "tenant": "t", "candidate": "c", "why": "x"}), false),
        (json!({"job_id": ID.replace('-', ""), "tenant": "t", "candidate": "c"}), false),
        (json!({"job_id": ID, "tenant": "t", "candidate": "c".repeat(200)}), true),
        (json!({"job_id": ID, "tenant": "t", "candidate": "c".repeat(201)}), false),
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i\u{0}"}), false),
        (json!([ID, "t", "i", null]), false),
    ];
    for (document, valid) in erasures {
        assert_eq!(erase.is_valid(&document), valid, "the schema on {document}");
        assert_eq!(EraseRequest::from_json(&document.to_string()).is_ok(), valid, "the program on {document}");
    }
    let withdrawals = [
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i", "modalities": ["visual", "vocal"]}), true),
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i", "modalities": []}), false),
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i", "modalities": ["mood"]}), false),
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i", "modalities": [{"visual": null}]}), false),
        (json!({"job_id": ID, "tenant": "t", "interview_id": " ", "modalities": ["visual"]}), false),
        (json!({"job_id": ID, "tenant": "t", "modalities": ["visual"]}), false),
        (json!({"job_id": ID, "tenant": "t\u{0}", "interview_id": "i", "modalities": ["visual"]}), false),
        (json!({"job_id": ID, "tenant": "t", "interview_id": "i".repeat(201), "modalities": ["visual"]}), false),
    ];
    for (document, valid) in withdrawals {
        assert_eq!(withdrawn.is_valid(&document), valid, "the schema on {document}");
        assert_eq!(ConsentWithdrawn::from_json(&document.to_string()).is_ok(), valid, "the program on {document}");
    }
}

#[test]
fn an_event_and_its_name_say_the_same() {
    let validator = validator("events.schema.json", None);
    let event = json!({
        "version": 1, "event": "interview.partial", "event_id": "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10",
        "job_id": "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f11", "request": "submitted", "tenant": "t", "interview_id": "i",
        "status": "partial", "code": null, "reasons": ["no_face"], "bundle": "0a".repeat(32),
        "at": "2026-01-01T00:00:00.000Z"
    });
    assert_eq!(complaints(&validator, &event), [""; 0]);
    let wrong: [Damage; 6] = [
        |e| e["event"] = json!("interview.scored"),
        |e| e["reasons"] = json!([]),
        |e| e["reasons"] = json!(["bad_mood"]),
        |e| e["bundle"] = Value::Null,
        |e| e["score"] = json!(0.5),
        |e| e["at"] = json!("yesterday"),
    ];
    for change in wrong {
        let mut changed = event.clone();
        change(&mut changed);
        assert!(!validator.is_valid(&changed), "{changed}");
    }
}
