use std::time::Duration;

use hirenet_queue::{Argument, Broker, QueueError, QueueSettings, Topology, check_consumer_timeout};

use crate::{World, settings};

#[tokio::test]
async fn what_is_missing_is_told_then_made_and_a_second_time_changes_nothing() {
    let settings = settings();
    let broker = Broker::connect(&settings, "test").await.unwrap();
    let topology = Topology::new(&settings);
    let missing = broker.inspect(&topology).await.unwrap().missing;
    assert_eq!(missing.len(), topology.exchanges.len() + topology.queues.len());
    let error = broker.require(&topology).await.unwrap_err().to_string();
    assert!(error.contains(&format!("missing    queue {}.extract.bulk", settings.prefix)), "{error}");

    assert_eq!(broker.declare(&topology).await.unwrap(), missing);
    broker.require(&topology).await.unwrap();
    assert_eq!(broker.declare(&topology).await.unwrap(), Vec::<String>::new());
    broker.delete(&topology).await.unwrap();
}

#[tokio::test]
async fn a_queue_that_differs_is_told_and_nothing_is_made() {
    let settings = settings();
    let broker = Broker::connect(&settings, "test").await.unwrap();
    let wanted = Topology::new(&settings);
    let wait = broker.names().wait(5);
    let mut other = Topology { exchanges: Vec::new(), bindings: Vec::new(), ..wanted.clone() };
    other.queues.retain(|queue| queue.name == wait);
    for (key, value) in &mut other.queues[0].arguments {
        if *key == "x-message-ttl" {
            *value = Argument::Number(7_000);
        }
    }
    broker.declare(&other).await.unwrap();

    let Err(QueueError::Topology(diff)) = broker.declare(&wanted).await else { panic!("it differs") };
    assert!(diff.contains(&format!("different  queue {wait}")) && diff.contains("x-message-ttl"), "{diff}");
    assert_eq!(diff.lines().count(), 1, "{diff}");
    let findings = broker.inspect(&wanted).await.unwrap();
    assert_eq!(findings.missing.len(), wanted.exchanges.len() + wanted.queues.len() - 1, "nothing was made");
    broker.delete(&other).await.unwrap();
}

#[tokio::test]
async fn a_broker_that_refuses_is_told_apart_from_one_that_is_away() {
    let address = hirenet_tests::services::amqp();
    let (scheme, rest) = address.split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    let with = |url: String| QueueSettings { url: hirenet_core::Secret::new(url), ..settings() };
    let refused = Broker::connect(&with(format!("{scheme}://guest:wrong@{host}")), "test").await.unwrap_err();
    assert!(matches!(refused, QueueError::Refused(_)), "{refused:?}");
    assert!(!refused.to_string().contains("wrong"), "{refused}");
    let away = Broker::connect(&with("amqp://guest:guest@127.0.0.1:1/%2f".to_owned()), "test").await.unwrap_err();
    assert!(matches!(away, QueueError::Unavailable(_)), "{away:?}");
}

#[tokio::test]
async fn a_consumer_timeout_below_the_longest_job_is_refused() {
    let settings = QueueSettings { consumer_timeout_s: 60.0, ..settings() };
    let world = World::new(&settings).await;
    let check = |longest| check_consumer_timeout(&world.broker, "any", Duration::from_secs(longest));
    let error = check(840).await.unwrap_err();
    assert!(matches!(error, QueueError::ConsumerTimeout { found_s: 60.0, needed_s: 900.0, .. }), "{error:?}");
    check(0).await.unwrap();
    world.end().await;
}
