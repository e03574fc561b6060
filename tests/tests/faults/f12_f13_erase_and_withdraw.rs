//! F12: erased while it is worked on, and delivered again afterwards. F13: consent taken back before the start.

use std::ffi::OsStr;
use std::net::TcpListener;

use hirenet_queue::Stage;
use serde_json::json;
use uuid::Uuid;

use crate::support::{World, answer, interview};

#[tokio::test]
async fn f12_an_erasure_wins_against_a_job_in_flight_and_against_later_deliveries() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let submitted = interview(&[answer("a1", &media)]);
    let mut barrier = world.barrier();
    let working = world.frozen_worker("extract:before_commit", &barrier);
    let id = world.submit(&submitted).await;
    barrier.reached().await;

    let erase = json!({"job_id": Uuid::new_v4(), "tenant": "acme", "interview_id": submitted["interview_id"]});
    let erase_id: Uuid = erase["job_id"].as_str().unwrap().parse().unwrap();
    world.publish(Stage::Erase, "interview.erase", erase.to_string().into_bytes()).await;
    let erasing = world.worker_with(&["--stages", "erase"], &[]);
    assert_eq!(world.event(erase_id).await["event"], "interview.erased");
    assert_eq!(world.event(id).await["event"], "interview.erased");

    working.go_on();
    assert!(working.log_has("lease lost").await, "{}", working.log());
    // The same interview is delivered once more, as by a system that restores a backup.
    let mut again = submitted.clone();
    again["job_id"] = json!(Uuid::new_v4());
    world.submit(&submitted).await;
    let again_id = world.submit(&again).await;
    assert_eq!(world.event(again_id).await["event"], "interview.erased");
    erasing.stop().await;
    working.stop().await;
    world.settle(&[(id, "erased"), (erase_id, "erased"), (again_id, "erased")]).await;

    for table in ["answers", "transcripts", "tracks", "assessments", "spans"] {
        let rows = world.database.rows_of(table).await;
        assert_eq!(rows, 0, "{table}");
    }
    let candidate = submitted["candidate"].as_str().unwrap();
    let everything = world.database.everything().await;
    for what in [candidate, &media, "Why this job?"] {
        assert!(!everything.contains(what), "`{what}` is left");
    }
    assert_eq!(
        world.database.count("select count(*) from hirenet.erasures where done_at is not null").await,
        1,
        "the receipt"
    );
    world.end().await;
}

#[tokio::test]
async fn f12_a_candidates_dead_letters_go_too() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "unknown");
    let submitted = interview(&[answer("a1", &media)]);
    let worker = world.worker_with(&[], &[("HIRENET_WORK__MAX_ATTEMPTS", OsStr::new("1"))]);
    let id = world.submit(&submitted).await;
    world.event(id).await;
    let erase_id = Uuid::new_v4();
    let erase = json!({"job_id": erase_id, "tenant": "acme", "candidate": submitted["candidate"]});
    let other = world.submit(&interview(&[answer("a1", &media)])).await;
    world.event(other).await;
    assert_eq!(world.broker.dead_letters(10).await.unwrap().len(), 2);
    world.publish(Stage::Erase, "interview.erase", erase.to_string().into_bytes()).await;
    assert_eq!(world.event(erase_id).await["event"], "interview.erased");
    worker.stop().await;
    assert_eq!(world.broker.dead_letters(10).await.unwrap().len(), 1, "another candidate's stays");
    world.end().await;
}

#[tokio::test]
async fn f13_after_consent_is_taken_back_nothing_is_fetched() {
    let mut world = World::new().await;
    // A server that would see a request.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let address = format!("http://{}/a1.mp4", server.local_addr().unwrap());
    let allowed = format!("[\"http://{}/\"]", server.local_addr().unwrap());
    let http = [
        ("HIRENET_FETCH__ALLOWED_PREFIXES", OsStr::new(&allowed)),
        ("HIRENET_FETCH__PLAIN_HTTP_ON_LOOPBACK", OsStr::new("true")),
    ];
    let submitted = interview(&[answer("a1", &address)]);
    let admitting = world.worker_with(&["--stages", "admit,erase"], &http);
    let id = world.submit(&submitted).await;
    let withdrawn_id = Uuid::new_v4();
    let withdrawn = json!({"job_id": withdrawn_id, "tenant": "acme", "interview_id": submitted["interview_id"],
        "modalities": ["verbal", "vocal", "visual"]});
    world.until("select count(*) from hirenet.interviews", 1).await;
    world.publish(Stage::Erase, "consent.withdrawn", withdrawn.to_string().into_bytes()).await;
    world.until("select count(*) from hirenet.withdrawals", 1).await;
    admitting.stop().await;

    let worker = world.worker_with(&[], &http);
    assert_eq!(world.event(id).await["event"], "interview.refused");
    worker.stop().await;
    assert!(server.accept().is_err(), "somebody asked for the recording");
    assert_eq!(world.database.rows_of("tracks").await + world.database.rows_of("transcripts").await, 0);
    world.end().await;
}
