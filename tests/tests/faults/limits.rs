//! What has a limit: time, age, deliveries, retention. And the queue that waits for urgent work.

use std::ffi::OsStr;

use hirenet_queue::{Priority, Stage};
use serde_json::{Value, json};

use crate::support::{World, answer, ended, interview, soon};

/// What `dead list` and `status` say.
fn said(world: &World, arguments: &[&str]) -> Value {
    let (status, text) = ended(&mut world.command(arguments));
    assert_eq!(status, 0, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_job_beyond_its_time_is_an_attempt_and_its_worker_makes_room() {
    let mut world = World::new().await;
    let (endless, good) = (world.media("a1.mp4", "slow 10000000"), world.media("a2.mp4", "two"));
    let job_id = world.submit(&interview(&[answer("a1", &endless), answer("a2", &good)])).await;
    let limits = [("HIRENET_WORK__MAX_JOB_S", OsStr::new("1")), ("HIRENET_WORK__MAX_ATTEMPTS", OsStr::new("1"))];
    let mut worker = world.worker_with(&["--slots", "1"], &limits);
    // Its thread cannot be stopped: the process ends, so that whoever keeps workers starts another.
    let status = worker.ended().await;
    assert!(!status.success() && worker.log().contains("job_timeout"), "{status}: {}", worker.log());
    world.settle(&[(job_id, "partial")]).await;
    let outcome = "select outcome || ' ' || code from hirenet.attempts where code is not null";
    assert_eq!(world.database.texts(outcome).await, ["buried job_timeout"]);
    world.end().await;
}

#[tokio::test]
async fn passing_faults_end_at_the_age_limit_and_are_listed() {
    let mut world = World::new().await;
    let (full, good) = (world.media("a1.mp4", "full"), world.media("a2.mp4", "two"));
    let job_id = world.submit(&interview(&[answer("a1", &full), answer("a2", &good)])).await;
    let worker = world.worker_with(&[], &[("HIRENET_WORK__MAX_AGE_H", OsStr::new("0.000001"))]);
    assert_eq!(world.event(job_id).await["event"], "interview.partial");
    worker.stop().await;
    world.settle(&[(job_id, "partial")]).await;

    let dead = said(&world, &["dead", "list", "--json"]);
    assert_eq!(
        (&dead["jobs"][0]["code"], &dead["jobs"][0]["stage"]),
        (&json!("age_limit"), &json!("extract")),
        "{dead}"
    );
    let (status, listed) = ended(&mut world.command(["dead", "list"]));
    assert!(status == 0 && listed.contains("age_limit"), "{listed}");
    let status = said(&world, &["status", "--json"]);
    assert!(status["workers"].as_array().is_some_and(|workers| workers.len() == 2), "{status}");
    assert_eq!(status["stuck"], json!([]), "what was given up does not count as stuck");
    world.end().await;
}

#[tokio::test]
async fn what_the_broker_gives_up_ends_as_everything_else_does() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    // A consumer that returns the message until the broker's delivery limit has moved it on.
    let queue = world.broker.names().stage(Stage::Admit, Priority::Interactive);
    let mut consumer = world.broker.subscribe(&queue, 1);
    let undelivered = world.broker.names().undelivered();
    let returned = async {
        while world.broker.ready_messages(&undelivered).await.unwrap() == 0 {
            tokio::select! {
                delivery = consumer.next() => delivery.unwrap().give_back().await.unwrap(),
                () = tokio::time::sleep(std::time::Duration::from_millis(20)) => {}
            }
        }
    };
    soon("undelivered message", returned).await;
    drop(consumer);
    let worker = world.worker();
    let event = world.event(job_id).await;
    assert_eq!((&event["event"], &event["code"]), (&json!("interview.failed"), &json!("delivery_limit")));
    worker.stop().await;
    world.settle(&[(job_id, "failed")]).await;
    assert_eq!(said(&world, &["dead", "list", "--json"])["messages"][0]["code"], "delivery_limit");
    world.end().await;
}

#[tokio::test]
async fn bulk_work_takes_its_own_queues_and_ends_like_urgent_work() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let later = interview(&[answer("a1", &media)]);
    let file = world.dir.path().join("later.json");
    std::fs::write(&file, later.to_string()).unwrap();
    let (status, text) = ended(world.command(["submit", "--priority", "bulk"]).arg(&file));
    assert_eq!(status, 0, "{text}");
    let bulk = world.broker.names().stage(Stage::Admit, Priority::Bulk);
    assert_eq!(world.broker.ready_messages(&bulk).await.unwrap(), 1);
    let worker = world.worker();
    let job_id = later["job_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    assert_eq!(world.database.texts("select distinct priority from hirenet.jobs").await, ["bulk"]);
    world.end().await;
}

#[tokio::test]
async fn a_worker_removes_what_has_reached_its_retention() {
    let mut world = World::new().await;
    let media = world.media("a1.mp4", "one");
    let submitted = interview(&[answer("a1", &media)]);
    let job_id = world.submit(&submitted).await;
    world.drain().await;
    world.event(job_id).await;
    assert_eq!(world.database.rows_of("tracks").await, 2);
    // The message said 30 days, and the database's clock decides.
    world.database.run("update hirenet.interviews set received_at = now() - interval '31 days'").await;
    let worker = world.worker_with(&[], &[("HIRENET_RETENTION__INTERVAL_S", OsStr::new("0.2"))]);
    world.until("select count(*) from hirenet.tracks", 0).await;
    world.until("select count(*) from hirenet.erasures where done_at is not null", 1).await;
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    assert!(!world.database.everything().await.contains(submitted["candidate"].as_str().unwrap()));
    world.end().await;
}
