//! F6: two workers get the same message.

use hirenet_queue::Stage;
use serde_json::json;

use crate::support::{World, answer, interview};

#[tokio::test]
async fn f06_of_two_workers_with_one_job_the_one_with_the_lease_wins() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let mut barrier = world.barrier();
    let slow = world.frozen_worker("extract:before_commit", &barrier);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;
    // It stands still for longer than its lease, as behind a broken network; the broker gives the message out again.
    let job = world.database.texts("select job::text from hirenet.jobs").await.remove(0);
    let message = json!({"version": 1, "job": job, "tenant": "acme", "stage": "extract"});
    world.publish(Stage::Extract, "job", message.to_string().into_bytes()).await;
    let quick = world.worker();
    assert_eq!(world.event(job_id).await["event"], "interview.scored");

    slow.go_on();
    assert!(slow.log_has("lease lost").await, "{}", slow.log());
    quick.stop().await;
    slow.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    let fences = world
        .database
        .texts(
            "select a.fence::text from hirenet.attempts a join hirenet.jobs j using (job)
        where j.stage = 'extract' and a.outcome = 'done'",
        )
        .await;
    assert_eq!(fences.len(), 1, "one result");
    world.end().await;
}

#[tokio::test]
async fn f06_a_message_that_comes_twice_at_once_is_worked_on_once() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "slow 300");
    let admitting = world.worker_with(&["--stages", "admit"], &[]);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    let names = world.broker.names().clone();
    let queue = names.stage(Stage::Extract, hirenet_queue::Priority::Interactive);
    let mut first = world.broker.subscribe(&queue, 1);
    let delivery = crate::support::soon("stage message", first.next()).await.unwrap();
    let twin = delivery.payload().to_vec();
    delivery.give_back().await.unwrap();
    drop(first);
    admitting.stop().await;
    world.publish(Stage::Extract, "job", twin).await;
    let workers = [world.worker(), world.worker()];
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    for worker in workers {
        worker.stop().await;
    }
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.database.count("select count(*) from hirenet.attempts").await, 2);
    world.end().await;
}
