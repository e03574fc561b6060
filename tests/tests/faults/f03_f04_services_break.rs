//! F3 and F4: the broker and the database break in mid-job. They are this test's own.

use hirenet_tests::services::OwnServices;
use tempfile::TempDir;

use crate::support::{World, answer, interview};

/// Ends every connection of a worker.
const END_CONNECTIONS: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'hirenet'";
/// For connections made from now on.
const READ_ONLY: &str = "do $$ begin
    execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$";
const WRITABLE: &str = "do $$ begin
    execute format('alter database %I reset default_transaction_read_only', current_database()); end $$";

/// What the server says when its disk is full.
const NO_ROOM: &str = "create function hirenet.no_room() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
    create trigger no_room before insert on hirenet.tracks for each row execute function hirenet.no_room()";

/// One after the other: starting services takes its time.
#[tokio::test(flavor = "multi_thread")]
async fn f03_and_f04_broker_and_database_break_in_mid_job() {
    let folder = TempDir::new().unwrap();
    let services = OwnServices::start(folder.path().join("services"));
    f03_broker_is_killed_and_comes_back(&services).await;
    f04_database_crashes_and_comes_back(&services).await;
    f04_backends_are_terminated(&services).await;
    f04_database_is_read_only_for_a_while(&services).await;
    f04_database_has_no_room_for_a_while(&services).await;
}

async fn f03_broker_is_killed_and_comes_back(services: &OwnServices) {
    let mut world = World::on(&services.amqp, &services.postgres).await;
    // The broker crashes in the middle of its work here, not while its queues are being made.
    services.call("flush-broker", &[]);
    let media = world.media("a1.mp4", "one");
    let mut barrier = world.barrier();
    let worker = world.worker_until("extract:after_probe", &barrier);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;

    services.call("kill-broker", &[]);
    // The job ends while the broker is away; nothing can be acknowledged.
    worker.go_on();
    services.call("start-broker", &[]);
    let event = world.event(job_id).await;
    assert_eq!(event["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    // What was committed was not done again: one attempt for the answer, one for the score.
    assert_eq!(world.database.count("select count(*) from hirenet.attempts").await, 2);
    world.end().await;
}

async fn f04_database_crashes_and_comes_back(services: &OwnServices) {
    let mut world = World::on(&services.amqp, &services.postgres).await;
    let media = world.media("a1.mp4", "one");
    let mut barrier = world.barrier();
    let worker = world.worker_until("extract:before_commit", &barrier);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;
    services.call("restart-postgres", &["immediate"]);
    worker.go_on();
    let event = world.event(job_id).await;
    assert_eq!(event["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.broker.dead_letters(10).await.unwrap(), [], "a passing fault is no death");
    world.end().await;
}

async fn f04_backends_are_terminated(services: &OwnServices) {
    let mut world = World::on(&services.amqp, &services.postgres).await;
    let media = world.media("a1.mp4", "one");
    let mut barrier = world.barrier();
    let worker = world.worker_until("score:before_commit", &barrier);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;
    world.database.run(END_CONNECTIONS).await;
    worker.go_on();
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    world.end().await;
}

async fn f04_database_is_read_only_for_a_while(services: &OwnServices) {
    let mut world = World::on(&services.amqp, &services.postgres).await;
    let media = world.media("a1.mp4", "one");
    let mut barrier = world.barrier();
    let worker = world.worker_until("extract:before_commit", &barrier);
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    barrier.reached().await;
    world.database.run(READ_ONLY).await;
    // Connections that are open keep their setting: new ones are made.
    world.database.run(END_CONNECTIONS).await;
    worker.go_on();
    assert!(
        worker.log_has("store_read_only").await,
        "the worker meets a database that takes no writes: {}",
        worker.log()
    );
    world.database.run(WRITABLE).await;
    world.database.run(END_CONNECTIONS).await;
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.broker.dead_letters(10).await.unwrap(), [], "a passing fault is no death");
    world.end().await;
}

async fn f04_database_has_no_room_for_a_while(services: &OwnServices) {
    let mut world = World::on(&services.amqp, &services.postgres).await;
    world.database.run(NO_ROOM).await;
    let media = world.media("a1.mp4", "one");
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    let worker = world.worker();
    assert!(worker.log_has("store_full").await, "{}", worker.log());
    world.database.run("drop trigger no_room on hirenet.tracks").await;
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.broker.dead_letters(10).await.unwrap(), [], "a passing fault is no death");
    world.end().await;
}
