use super::*;
use crate::Modality;
use serde_json::{Value, json};

fn message() -> Value {
    json!({
        "job_id": "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10", "tenant": "acme", "interview_id": "i-1", "candidate": "c-1",
        "position": {"id": "p-1", "title": "Sales assistant"}, "language": null,
        "consent": {"version": "1", "given_at": "2026-01-01T00:00:00Z", "modalities": ["verbal", "vocal"], "face_waiver": null},
        "retention_days": 30,
        "answers": [{"id": "a1", "question": "Why?", "media": "a1.mp4"}]
    })
}

fn refused(change: impl FnOnce(&mut Value)) -> (Code, String) {
    let mut value = message();
    change(&mut value);
    let error = Interview::from_json(&value.to_string()).unwrap_err();
    (error.code(), error.path)
}

#[test]
fn a_valid_message_is_read_and_comments_are_allowed() {
    let text = format!("// the interview\n{}", message());
    let interview = Interview::from_json(&text).unwrap();
    assert_eq!(interview.answers[0].media, "a1.mp4");
    assert_eq!(interview.consent.modalities, [Modality::Verbal, Modality::Vocal]);
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let invalid = Code::MessageInvalid;
    assert_eq!(refused(|m| m["answers"][0]["mood"] = json!("x")), (invalid, "answers[0].mood".into()));
    assert_eq!(refused(|m| m["surprise"] = json!(1)), (invalid, "surprise".into()));
    assert_eq!(refused(|m| m["retention_days"] = json!("30")), (invalid, "retention_days".into()));
    assert_eq!(refused(|m| m["answers"][0]["id"] = json!("../x")), (invalid, "answers[0].id".into()));
    assert_eq!(refused(|m| m["consent"]["modalities"][0] = json!("mood")), (invalid, "consent.modalities[0]".into()));
    assert_eq!(refused(|m| m["consent"]["given_at"] = json!("yesterday")), (invalid, "consent.given_at".into()));
    assert_eq!(refused(|m| m["retention_days"] = json!(2_147_483_648_u32)), (invalid, "retention_days".into()));
    assert_eq!(refused(|m| m["answers"][0]["take"] = json!(2.5)), (invalid, "answers[0].take".into()));
    assert_eq!(refused(|m| m["position"]["id"] = json!("p".repeat(201))), (invalid, "position.id".into()));
    assert_eq!(refused(|m| m["answers"] = json!([])), (Code::NoAnswers, "answers".into()));
    assert_eq!(
        refused(|m| m["consent"]["modalities"] = json!([])),
        (Code::ConsentMissing, "consent.modalities".into())
    );
    let words = json!({"words": [{"text": "a", "start": 1.0, "end": 2.0}, {"text": "b", "start": 0.5, "end": 2.0}]});
    assert_eq!(refused(|m| m["answers"][0]["transcript"] = words), (invalid, "answers[0].transcript.words[1]".into()));
    let unknown = json!({"words": [{"text": "a", "start": 1.0, "end": 2.0, "speaker": 1}]});
    assert_eq!(
        refused(|m| m["answers"][0]["transcript"] = unknown),
        (invalid, "answers[0].transcript.words[0].speaker".into())
    );
}

#[test]
fn a_list_is_no_object_and_an_object_is_no_word() {
    let invalid = Code::MessageInvalid;
    let consent = json!(["1", "2026-01-01", ["visual"], [true, "2026-01-01", true, true]]);
    assert_eq!(refused(|m| m["consent"] = consent), (invalid, "consent".into()));
    let waiver = json!([true, "2026-01-01", true, true]);
    assert_eq!(refused(|m| m["consent"]["face_waiver"] = waiver), (invalid, "consent.face_waiver".into()));
    let modality = json!({"verbal": null});
    assert_eq!(refused(|m| m["consent"]["modalities"][0] = modality), (invalid, "consent.modalities[0]".into()));
    assert_eq!(refused(|m| m["position"] = json!(["p-1", "Seller"])), (invalid, "position".into()));
    let answer = json!(["a1", "Why?", "a1.mp4", null, null, null]);
    assert_eq!(refused(|m| m["answers"][0] = answer), (invalid, "answers[0]".into()));
    let words = json!({"words": [["Me.", 0.0, 1.0]]});
    assert_eq!(refused(|m| m["answers"][0]["transcript"] = words), (invalid, "answers[0].transcript.words[0]".into()));
    let fields: Vec<Value> = message().as_object().unwrap().values().cloned().collect();
    assert_eq!(refused(|m| *m = json!(fields)), (invalid, "message".into()));
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    let text = message().to_string().replace(r#""title""#, r#""id":"p-2","title""#);
    let error = Interview::from_json(&text).unwrap_err();
    assert_eq!((error.code(), error.path.as_str()), (Code::MessageInvalid, "position"));
}

#[test]
fn a_missing_field_and_broken_json_are_refused() {
    let (code, _) = refused(|m| drop(m.as_object_mut().unwrap().remove("tenant")));
    assert_eq!(code, Code::MessageInvalid);
    assert!(Interview::from_json("{").is_err());
    assert!(Interview::from_json(&format!("{} {}", message(), message())).is_err());
}

#[test]
fn nul_is_refused_wherever_it_stands() {
    let mut value = message();
    value["language"] = json!("en");
    value["consent"]["face_waiver"] =
        json!({"name_on_file": true, "interview_date": "2026-01-01", "consented": true, "read": true});
    value["answers"][0]["sha256"] = json!("0".repeat(64));
    value["answers"][0]["transcript"] = json!({"words": [{"text": "Me.", "start": 0.0, "end": 1.0}]});
    let paths = [
        ("/tenant", "tenant"),
        ("/interview_id", "interview_id"),
        ("/candidate", "candidate"),
        ("/position/id", "position.id"),
        ("/position/title", "position.title"),
        ("/language", "language"),
        ("/consent/version", "consent.version"),
        ("/consent/given_at", "consent.given_at"),
        ("/consent/face_waiver/interview_date", "consent.face_waiver.interview_date"),
        ("/answers/0/id", "answers[0].id"),
        ("/answers/0/question", "answers[0].question"),
        ("/answers/0/media", "answers[0].media"),
        ("/answers/0/sha256", "answers[0].sha256"),
        ("/answers/0/transcript/words/0/text", "answers[0].transcript.words[0].text"),
    ];
    for (pointer, path) in paths {
        let mut changed = value.clone();
        let text = changed.pointer_mut(pointer).unwrap();
        *text = json!(format!("{}\u{0}", text.as_str().unwrap()));
        let error = Interview::from_json(&changed.to_string()).unwrap_err();
        assert_eq!((error.code(), error.path.as_str()), (Code::MessageInvalid, path));
        assert!(!error.to_string().contains('\0'), "{error:?}");
    }
    let mut named = message();
    named["position"]["sal\u{0}ary"] = json!(1);
    assert_eq!(Interview::from_json(&named.to_string()).unwrap_err().path, "position");
}

#[test]
fn a_job_id_has_one_form() {
    let id = "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10";
    for other in [id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}"), String::new(), id[1..].to_owned()]
    {
        assert_eq!(refused(|m| m["job_id"] = json!(other)), (Code::MessageInvalid, "job_id".into()), "{other}");
    }
    let mut upper = message();
    upper["job_id"] = json!(id.to_uppercase());
    assert_eq!(Interview::from_json(&upper.to_string()).unwrap().job_id.to_string(), id);
}

#[test]
fn a_whole_number_may_be_written_with_a_point() {
    let mut value = message();
    value["retention_days"] = json!(30.0);
    value["answers"][0]["take"] = json!(2.0);
    let interview = Interview::from_json(&value.to_string()).unwrap();
    assert_eq!((interview.retention_days, interview.answers[0].take), (30, Some(2)));
}

#[test]
fn only_the_final_take_is_kept_in_place() {
    let mut value = message();
    value["answers"] = json!([
        {"id": "a1", "question": "Why?", "media": "1.mp4", "take": 1},
        {"id": "a2", "question": "How?", "media": "2.mp4"},
        {"id": "a1", "question": "Why?", "media": "3.mp4", "take": 2},
    ]);
    let interview = Interview::from_json(&value.to_string()).unwrap();
    let (finals, superseded) = interview.final_takes();
    assert_eq!(finals.iter().map(|a| a.media.as_str()).collect::<Vec<_>>(), ["3.mp4", "2.mp4"]);
    assert_eq!(superseded, ["a1"]);
}
