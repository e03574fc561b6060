//! What an operator sees of a worker that is in trouble: readiness, counts, log lines.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hirenet_queue::{Priority, Stage, Topology};
use hirenet_tests::services::OwnServices;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{SOON, Worker, World, answer, ended, interview};

/// Well below the time that a message to a broker is waited for: a loss must be seen without one.
const AT_ONCE: Duration = Duration::from_secs(5);
const SERVING: &str = "serving health and metrics";

/// Where a worker that was told to take any free port serves its metrics.
async fn address(worker: &Worker) -> String {
    assert!(worker.log_has(SERVING).await, "{}", worker.log());
    let log = worker.log();
    let line = log.lines().find(|line| line.contains(SERVING)).unwrap();
    serde_json::from_str::<Value>(line).unwrap()["address"].as_str().unwrap().to_owned()
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Asks until an answer has these words.
async fn answers(address: &str, path: &str, words: &str, within: Duration) {
    let started = Instant::now();
    loop {
        let answer = get(address, path);
        if answer.contains(words) {
            return;
        }
        assert!(started.elapsed() < within, "no `{words}` at {path} within {within:?}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_broker_is_seen_at_once_and_counted_once() {
    let folder = TempDir::new().unwrap();
    let services = OwnServices::start(folder.path().join("services"));
    let mut world = World::on(&services.amqp, &services.postgres).await;
    services.call("flush-broker", &[]);
    let worker = world.worker_with(&[], &[("HIRENET_HTTP__LISTEN", OsStr::new("127.0.0.1:0"))]);
    let address = address(&worker).await;
    answers(&address, "/readyz", "ready\n", SOON).await;
    assert!(get(&address, "/metrics").contains("hirenet_connections_lost_total{peer=\"broker\"} 0"));

    services.call("kill-broker", &[]);
    answers(&address, "/readyz", "missing: broker\n", AT_ONCE).await;
    answers(&address, "/metrics", "hirenet_connections_lost_total{peer=\"broker\"} 1", AT_ONCE).await;
    services.call("start-broker", &[]);
    answers(&address, "/readyz", "ready\n", SOON).await;
    assert!(get(&address, "/metrics").contains("hirenet_connections_lost_total{peer=\"broker\"} 1"));

    let media = world.media("a1.mp4", "one");
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    world.end().await;
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_told_with_its_key_and_goes_out_after_setup() {
    let mut world = World::new().await;
    // It takes nothing of the queue that goes: the broker closes the connection of who subscribes in that moment.
    let worker = world.worker_with(&["--stages", "admit"], &[]);
    assert!(worker.log_has("\"message\":\"working\"").await, "{}", worker.log());
    // With the queue goes its binding: the broker returns what is published for it.
    let queue = world.broker.names().stage(Stage::Extract, Priority::Interactive);
    let mut gone = Topology::new(world.broker.settings());
    gone.queues.retain(|spec| spec.name == queue);
    gone.exchanges.clear();
    world.broker.delete(&gone).await.unwrap();
    let media = world.media("a1.mp4", "one");
    let job_id = world.submit(&interview(&[answer("a1", &media)])).await;
    assert!(worker.log_has("run `hirenet setup`").await, "{}", worker.log());
    let log = worker.log();
    let line = log.lines().find(|line| line.contains("run `hirenet setup`")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["routing_key"], &line["level"]), (&"extract.interactive".into(), &"ERROR".into()), "{line}");
    assert!(!log.contains("connection lost"), "{log}");

    let (status, said) = ended(&mut world.command(["setup"]));
    assert_eq!(status, 0, "{said}");
    let others = world.worker_with(&["--stages", "extract,score"], &[]);
    assert_eq!(world.event(job_id).await["event"], "interview.scored");
    others.stop().await;
    worker.stop().await;
    world.settle(&[(job_id, "scored")]).await;
    world.end().await;
}

#[tokio::test]
async fn a_panic_is_told_on_one_line_without_its_words() {
    for format in ["json", "text"] {
        let mut world = World::new().await;
        let (bad, good) = (world.media("a1.mp4", "panic"), world.media("a2.mp4", "two"));
        let job_id = world.submit(&interview(&[answer("a1", &bad), answer("a2", &good)])).await;
        let mut command = world.command(["--log-format", format, "work", "--drain"]);
        command.env("HIRENET_WORK__MAX_ATTEMPTS", "1").env("RUST_BACKTRACE", "1");
        let mut worker = Worker::start(command, world.dir.path().join("panics.log"));
        assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.log());
        let log = worker.log();
        let told: Vec<&str> = log.lines().filter(|line| line.contains("a thread panicked")).collect();
        assert!(told.len() == 1 && told[0].contains("stand_in.rs:") && told[0].contains("extractor"), "{log}");
        // The stand-in's words, and the lines that Rust prints around them by itself.
        for words in ["told to", "panicked at", "stack backtrace"] {
            assert!(!log.contains(words), "{words}: {log}");
        }
        if format == "json" {
            for line in log.lines() {
                assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
            }
        }
        world.settle(&[(job_id, "partial")]).await;
        world.end().await;
    }
}

#[tokio::test]
async fn a_killed_worker_is_shown_as_silent_and_a_stopped_one_as_stopped() {
    let mut world = World::new().await;
    let killed = world.worker();
    world.until("select count(*) from hirenet.workers", 1).await;
    killed.kill();
    let stopped = world.worker();
    world.until("select count(*) from hirenet.workers", 2).await;
    stopped.stop().await;
    // Three beats of the worlds' one second.
    world.until("select count(*) from hirenet.workers where seen_at < clock_timestamp() - interval '4 s'", 2).await;
    let (status, said) = ended(&mut world.command(["status"]));
    assert_eq!(status, 0, "{said}");
    let lines = |word: &str| said.lines().filter(|line| line.ends_with(word)).count();
    assert_eq!((lines("  silent"), lines("  stopped")), (1, 1), "{said}");
    world.end().await;
}
