//! F11: messages that are wrong.

use hirenet_queue::Stage;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, answer, interview};

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
