//! F5: SIGTERM while busy, again, and past the grace time.

use std::ffi::OsStr;

use crate::support::{World, answer, interview, stop_at};

/// Exit status of a worker that handed jobs back.
const HANDED_BACK: Option<i32> = Some(6);

#[tokio::test]
async fn f05_what_is_in_hand_is_finished_within_the_grace_time() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "slow 1500");
    let mut barrier = world.barrier();
    let mut worker = world.worker_until("extract:after_probe", &barrier);
    let first = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;
    worker.go_on();
    worker.terminate();
    assert!(worker.log_has("stopping: no new work").await, "{}", worker.log());
    let second = world.submit(&interview(&[answer("a1", &media)])).await;
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
    assert_eq!(
        world.database.count("select count(*) from hirenet.answers where state = 'extracted'").await,
        1,
        "finished"
    );
    assert_eq!(world.database.count("select count(*) from hirenet.submissions").await, 1, "no new work");
    world.settle(&[(first, "scored"), (second, "scored")]).await;
    let outcomes = world.database.texts("select outcome from hirenet.attempts").await;
    assert!(outcomes.iter().all(|outcome| outcome == "done"), "{outcomes:?}");
    world.end().await;
}

/// A worker in the middle of a long recording, when `signals` reach it.
async fn handed_back(grace_s: &str, signals: usize) {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "slow 100000");
    let mut barrier = world.barrier();
    let [point, file] = stop_at("extract:after_probe", &barrier);
    let mut worker = world.worker_with(&[], &[point, file, ("HIRENET_WORK__GRACE_S", OsStr::new(grace_s))]);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;
    worker.go_on();
    worker.terminate();
    if signals > 1 {
        worker.log_has("stopping: no new work").await;
        worker.terminate();
    }
    assert_eq!(worker.ended().await.code(), HANDED_BACK, "{}", worker.log());
    assert_eq!(world.database.texts("select outcome from hirenet.attempts").await, ["handed_back"]);
    let counted = world.database.count("select sum(failures + deaths)::bigint from hirenet.jobs").await;
    assert_eq!(counted, 0, "a worker's end is no failure of its job");

    // The message was returned, and the job is free at once.
    world.media("a1.mp4", "quick");
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.database.count("select max(attempts)::bigint from hirenet.jobs where stage = 'extract'").await, 2);
    world.end().await;
}

#[tokio::test]
async fn f05_past_the_grace_time_it_is_handed_back() {
    handed_back("0.2", 1).await;
}

#[tokio::test]
async fn f05_a_second_signal_hands_back_at_once() {
    handed_back("1000", 2).await;
}
