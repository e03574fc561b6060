//! F1: kill -9 at each marked point, between commit and acknowledgement among them.

use crate::support::{World, answer, interview};

/// Kills a worker at `point` of an interview, lets another one go on, and holds the end against what must be true.
async fn killed_at(world: &mut World, point: &str) {
    let media = [world.media("a1.mp4", "one"), world.media("a2.mp4", "two")];
    let submitted = interview(&[answer("a1", &media[0]), answer("a2", &media[1])]);
    let mut barrier = world.barrier();
    let worker = world.worker_until(point, &barrier);
    let job_id = world.submit(&submitted).await;
    barrier.reached().await;
    worker.kill();

    let worker = world.worker();
    let event = world.event(job_id).await;
    assert_eq!(event["event"], "interview.scored", "killed at {point}");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
}

async fn killed_at_each(points: &[&str]) {
    let mut world = World::new().await;
    for point in points {
        killed_at(&mut world, point).await;
    }
    let interviews = points.len() as i64;
    assert_eq!(world.database.count("select count(*) from hirenet.assessments").await, interviews, "one result each");
    assert_eq!(
        world.database.count("select count(*) from hirenet.answers where state = 'extracted'").await,
        2 * interviews
    );
    world.end().await;
}

#[tokio::test]
async fn f01_killed_while_admitting() {
    killed_at_each(&["admit:after_receive", "admit:before_commit", "admit:after_commit_before_ack"]).await;
}

#[tokio::test]
async fn f01_killed_while_extracting() {
    killed_at_each(&[
        "extract:after_receive",
        "extract:after_claim",
        "extract:after_fetch",
        "extract:after_probe",
        "extract:after_decode",
        "extract:before_commit",
        "extract:after_commit_before_ack",
    ])
    .await;
}

#[tokio::test]
async fn f01_killed_while_scoring() {
    killed_at_each(&["score:after_receive", "score:before_commit", "score:after_commit_before_ack"]).await;
}

#[tokio::test]
async fn f01_a_commit_before_the_kill_is_not_repeated() {
    let mut world = World::new().await;
    killed_at(&mut world, "extract:after_commit_before_ack").await;
    // Two answers and the score: each was worked on once, though a message came twice.
    assert_eq!(world.database.count("select count(*) from hirenet.attempts").await, 3);
    world.end().await;
}
