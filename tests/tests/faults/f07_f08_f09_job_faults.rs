//! F7 to F9: faults inside a job. What hangs in the decoder is in `sample`, with a real one.

use std::ffi::OsStr;

use crate::support::{World, answer, interview};

#[tokio::test]
async fn f08_a_panic_is_an_attempt_and_attempts_have_an_end() {
    let mut world = World::new().await;
    let (bad, good) = (world.media("a1.mp4", "panic"), world.media("a2.mp4", "two"));
    let job_id = world.submit(&interview(&[answer("a1", &bad), answer("a2", &good)])).await;
    let worker = world.worker_with(&["--slots", "2"], &[("HIRENET_WORK__MAX_ATTEMPTS", OsStr::new("2"))]);
    assert_eq!(world.event(job_id).await["event"], "interview.partial");
    worker.stop().await;
    world.settle(&[(job_id, "partial")]).await;
    let outcomes = world
        .database
        .texts("select outcome || ' ' || code from hirenet.attempts where code is not null order by started_at")
        .await;
    assert_eq!(outcomes, ["retried job_panicked", "buried job_panicked"]);
    assert_eq!(world.broker.dead_letters(10).await.unwrap().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn f08_a_model_that_fails_is_tried_again_and_nothing_of_it_is_stored() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "unknown");
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    let worker = world.worker();
    assert!(worker.log_has("model_failed").await, "{}", worker.log());
    world.media("a1.mp4", "mended");
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    let stored =
        world.database.count("select count(*) from hirenet.assessments where score is null or score = 'NaN'").await;
    assert_eq!(stored, 0);
    world.end().await;
}

#[tokio::test]
async fn f08_numbers_that_are_not_finite_are_never_stored() {
    let mut world = World::new().await;
    let (bad, good) = (world.media("a1.mp4", "nan"), world.media("a2.mp4", "two"));
    let job_id = world.submit(&interview(&[answer("a1", &bad), answer("a2", &good)])).await;
    let worker = world.worker_with(&[], &[("HIRENET_WORK__MAX_ATTEMPTS", OsStr::new("1"))]);
    assert_eq!(world.event(job_id).await["event"], "interview.partial");
    worker.stop().await;
    world.settle(&[(job_id, "partial")]).await;
    let stored = world.database.texts("select answer_id from hirenet.answers join hirenet.tracks using (answer)").await;
    assert_eq!(stored, ["a2", "a2"]);
    assert_eq!(world.broker.dead_letters(10).await.unwrap()[0].content["code"], "model_failed");
    world.end().await;
}

#[tokio::test]
async fn f09_a_full_disk_passes() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "full");
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    // One attempt is all that an unknown fault would get.
    let worker = world.worker_with(&[], &[("HIRENET_WORK__MAX_ATTEMPTS", OsStr::new("1"))]);
    assert!(worker.log_has("resource_exhausted").await, "{}", worker.log());
    world.media("a1.mp4", "room again");
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.broker.dead_letters(10).await.unwrap(), [], "a passing fault is no death");
    world.end().await;
}
