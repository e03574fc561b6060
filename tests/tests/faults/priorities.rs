//! Urgent work before bulk work, and no more in hand than there are slots.

use std::ffi::OsStr;

use hirenet_queue::{Outgoing, Priority, Stage, routing_key};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{World, answer, interview, stop_at};

/// The priorities of the jobs of `extract`, in the order in which they were started.
const STARTED: &str = "select j.priority from hirenet.attempts a join hirenet.jobs j using (job)
    where j.stage = 'extract' order by a.started_at";

/// Publishes an interview that can wait.
async fn submit_for_later(world: &World, interview: &Value) {
    let key = routing_key(Stage::Admit, Priority::Bulk);
    let payload = interview.to_string().into_bytes();
    let message = Outgoing::to_stage(world.broker.names(), &key, Uuid::new_v4(), "interview.submitted", payload);
    world.broker.publisher().publish(&message).await.unwrap();
}

/// Has everything admitted that was submitted, and nothing more.
async fn admit(world: &mut World) {
    let mut worker = world.worker_with(&["--stages", "admit", "--drain"], &[]);
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
}

async fn ready(world: &World, priority: Priority) -> u32 {
    world.broker.ready_messages(&world.broker.names().stage(Stage::Extract, priority)).await.unwrap()
}

#[tokio::test]
async fn no_bulk_job_starts_while_an_urgent_one_is_ready() {
    const EACH: u32 = 10;
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    for _ in 0..EACH {
        submit_for_later(&world, &interview(&[answer("a1", &media)])).await;
        world.submit(&interview(&[answer("a1", &media)])).await;
    }
    admit(&mut world).await;
    assert_eq!((ready(&world, Priority::Interactive).await, ready(&world, Priority::Bulk).await), (EACH, EACH));

    let mut worker = world.worker_with(&["--stages", "extract", "--slots", "1", "--drain"], &[]);
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
    let started = world.database.texts(STARTED).await;
    let urgent = started.iter().take_while(|priority| *priority == "interactive").count();
    assert_eq!((urgent, started.len()), (EACH as usize, 2 * EACH as usize), "{started:?}");
    world.settle(&[]).await;
    world.end().await;
}

#[tokio::test]
async fn a_worker_with_a_bulk_job_holds_nothing_urgent_and_takes_it_next() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    for _ in 0..2 {
        submit_for_later(&world, &interview(&[answer("a1", &media)])).await;
    }
    admit(&mut world).await;
    let mut barrier = world.barrier();
    let arguments = ["--stages", "extract", "--slots", "1", "--drain"];
    // It is held while another worker starts and ends: its claim must outlast that on a busy machine.
    let [point, pipe] = stop_at("extract:after_probe", &barrier);
    let mut worker = world.worker_with(&arguments, &[point, pipe, ("HIRENET_WORK__LEASE_S", OsStr::new("600"))]);
    barrier.reached().await;

    world.submit(&interview(&[answer("a1", &media)])).await;
    admit(&mut world).await;
    // Its one slot has the bulk job: a second delivery in its hands would be missing here.
    assert_eq!((ready(&world, Priority::Interactive).await, ready(&world, Priority::Bulk).await), (1, 1));
    worker.go_on();
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
    assert_eq!(world.database.texts(STARTED).await, ["bulk", "interactive", "bulk"]);
    world.settle(&[]).await;
    world.end().await;
}
