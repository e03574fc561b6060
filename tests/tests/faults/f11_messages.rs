//! F11: messages that are wrong.

use hirenet_queue::Stage;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, answer, ended, interview};

/// The codes of the dead letters, in order of their spelling.
async fn letters(world: &World) -> Vec<String> {
    let letters = world.broker.dead_letters(100).await.unwrap();
    let mut codes: Vec<String> = letters.iter().map(|l| l.content["code"].as_str().unwrap().to_owned()).collect();
    codes.sort();
    codes
}

fn job_id(message: &Value) -> Uuid {
    message["job_id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn f11_a_wrong_message_is_refused_with_its_code_and_harms_nothing() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let good = interview(&[answer("a1", &media)]);
    let mut unknown_field = interview(&[answer("a1", &media)]);
    unknown_field["answers"][0]["mood"] = json!("good");
    let mut large = interview(&[answer("a1", &media)]);
    large["answers"][0]["question"] = json!("x".repeat(10_000_000));
    let outside = interview(&[answer("a1", "file:///etc/passwd")]);

    let submitted = "interview.submitted";
    world.publish(Stage::Admit, submitted, b"no JSON at all \xff".to_vec()).await;
    world.publish(Stage::Admit, submitted, Vec::new()).await;
    world.publish(Stage::Admit, "interview.mood", interview(&[]).to_string().into_bytes()).await;
    world.publish(Stage::Extract, "job", b"{}".to_vec()).await;
    for message in [&unknown_field, &large, &outside, &good] {
        world.submit(message).await;
    }
    let worker = world.worker();
    let ends = [(&unknown_field, "refused"), (&large, "refused"), (&outside, "refused"), (&good, "scored")];
    for (message, state) in ends {
        assert_eq!(world.event(job_id(message)).await["status"], state);
    }
    worker.stop().await;
    let unread: Vec<(Uuid, &str)> = ends.iter().map(|(message, state)| (job_id(message), *state)).collect();
    world.settle(&unread).await;
    let codes = letters(&world).await;
    let expected = [
        "media_forbidden",
        "message_invalid",
        "message_invalid",
        "message_invalid",
        "message_invalid",
        "message_too_large",
        "message_version",
    ];
    assert_eq!(codes, expected);
    let everything = world.database.everything().await;
    assert!(!everything.contains("/etc/passwd"), "an address that is refused is not kept");
    world.end().await;
}

#[tokio::test]
async fn f11_the_same_id_again_is_a_replay_or_a_conflict() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let first = interview(&[answer("a1", &media)]);
    let worker = world.worker();
    let id = world.submit(&first).await;
    assert_eq!(world.event(id).await["event"], "interview.scored");
    world.submit(&first).await;
    let mut other = first.clone();
    other["position"]["title"] = json!("Another position");
    world.submit(&other).await;
    worker.stop().await;
    world.settle(&[(id, "scored")]).await;
    let counted = world.database.texts("select replays || ' ' || conflicts from hirenet.submissions").await;
    assert_eq!(counted, ["1 1"]);
    assert_eq!(world.database.count("select count(*) from hirenet.assessments").await, 1);
    assert_eq!(letters(&world).await, ["message_conflict"]);
    world.end().await;
}

/// Every message whose text holds U+0000 ends as any other message of a wrong form does: no database takes such a text, and
/// the refusal itself must be written down.
#[tokio::test]
async fn f11_nul_in_any_text_is_refused_once() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let mut refused = Vec::new();
    let places = ["/interview_id", "/candidate", "/position/title", "/consent/version", "/answers/0/question"];
    for place in places.into_iter().chain(["/answers/0/transcript"]) {
        let mut message = interview(&[answer("a1", &media)]);
        message["answers"][0]["transcript"] = json!("Words.");
        *message.pointer_mut(place).unwrap() = json!("a\u{0}b");
        refused.push(world.submit(&message).await);
    }
    // The name of a field is told as where it stands.
    let mut named = interview(&[answer("a1", &media)]);
    named["answers"][0]["mo\u{0}od"] = json!("x");
    refused.push(world.submit(&named).await);
    let erase_id = Uuid::new_v4();
    let erase = json!({"job_id": erase_id, "tenant": "acme", "candidate": "c\u{0}"});
    world.publish(Stage::Erase, "interview.erase", erase.to_string().into_bytes()).await;
    let withdraw_id = Uuid::new_v4();
    let withdrawn =
        json!({"job_id": withdraw_id, "tenant": "acme", "interview_id": "i\u{0}", "modalities": ["visual"]});
    world.publish(Stage::Erase, "consent.withdrawn", withdrawn.to_string().into_bytes()).await;
    refused.extend([erase_id, withdraw_id]);
    // Whose it is cannot be written down: a dead letter, and no event.
    let mut nobodys = interview(&[answer("a1", &media)]);
    nobodys["tenant"] = json!("ac\u{0}me");
    world.submit(&nobodys).await;

    let ends: Vec<(Uuid, &str)> = refused.iter().map(|id| (*id, "refused")).collect();
    world.settle(&ends).await;
    assert_eq!(letters(&world).await, vec!["message_invalid"; ends.len() + 1]);
    let codes = world.database.texts("select distinct code from hirenet.submissions").await;
    assert_eq!(codes, ["message_invalid"]);
    world.end().await;
}

#[tokio::test]
async fn f11_a_consent_names_its_time() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let mut ends = Vec::new();
    for given_at in ["yesterday", "", "2026-01-01 00:00:00Z", "2026-02-30"] {
        let mut message = interview(&[answer("a1", &media)]);
        message["consent"]["given_at"] = json!(given_at);
        ends.push((world.submit(&message).await, "refused"));
    }
    // A waiver without its date is none: the face is not computed.
    let mut undated = interview(&[answer("a1", &media)]);
    undated["consent"]["face_waiver"]["interview_date"] = json!("soon");
    let undated_id = world.submit(&undated).await;
    ends.push((undated_id, "partial"));
    world.settle(&ends).await;
    assert_eq!(letters(&world).await, ["message_invalid"; 4]);
    let reasons = world.event(undated_id).await["reasons"].clone();
    assert!(reasons.as_array().unwrap().contains(&json!("no_face_waiver")), "{reasons}");
    world.end().await;
}

/// A refused message is shown and dropped by its job id or, where it had none, by its letter's; it cannot run again.
#[tokio::test]
async fn f11_refused_messages_are_shown_and_dropped() {
    let mut world = World::new().await;
    let outside = interview(&[answer("a1", "file:///etc/passwd")]);
    world.publish(Stage::Admit, "interview.submitted", b"no JSON at all".to_vec()).await;
    let id = world.submit(&outside).await;
    world.settle(&[(id, "refused")]).await;
    let name = id.to_string();
    let nameless = world.broker.dead_letters_that(10, |letter| letter.content["job_id"].is_null()).await.unwrap();
    let [nameless] = &nameless[..] else { panic!("{nameless:?}") };

    let (status, listed) = ended(&mut world.command(["dead", "list"]));
    assert!(status == 0 && listed.contains(&name) && listed.contains(&nameless.id), "{listed}");
    let reason = nameless.content["detail"].as_str().unwrap();
    assert!(listed.contains(reason) && !listed.lines().any(|line| line.trim_end().ends_with('-')), "{listed}");

    let (status, shown) = ended(&mut world.command(["dead", "show", &name]));
    assert_eq!(status, 0, "{shown}");
    let hash = world.database.text("select content_sha256 from hirenet.submissions where job_id = $1", id).await;
    let interview_id = outside["interview_id"].as_str().unwrap();
    for what in ["media_forbidden", "acme", interview_id, hash.as_deref().unwrap()] {
        assert!(shown.contains(what), "{what}: {shown}");
    }
    let (status, shown) = ended(&mut world.command(["dead", "show", &nameless.id, "--json"]));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert!(status == 0 && shown[0]["code"] == "message_invalid" && shown[0]["ended_at"].is_string(), "{shown}");

    let (status, said) = ended(&mut world.command(["dead", "replay", &name]));
    assert!(status == 2 && said.contains("nothing of it is stored"), "{said}");
    let (status, said) = ended(&mut world.command(["dead", "drop", &name, &nameless.id]));
    assert_eq!(status, 0, "{said}");
    assert_eq!(world.broker.dead_letters(10).await.unwrap(), []);
    let audited = "select count(*) from hirenet.audit where action = 'letter_dropped' and content_sha256 is not null";
    assert_eq!(world.database.count(audited).await, 2);
    let (status, said) = ended(&mut world.command(["dead", "drop", &name]));
    assert!(status == 2 && said.contains("usage_invalid"), "{said}");
    world.end().await;
}
