use std::time::{Duration, Instant};

use hirenet_queue::{Delivery, Outgoing, Priority, QueueError, Stage, routing_key};
use uuid::Uuid;

use crate::{World, settings, soon};

#[tokio::test]
async fn a_message_arrives_as_it_was_published() {
    let world = World::new(&settings()).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let message = world.to_extract("{}").traced(Some(trace.to_owned()));
    world.broker.publisher().publish(&message).await.unwrap();
    let mut queue = world.broker.subscribe(&world.extract_queue(), 1);
    let delivery = soon(queue.next()).await.unwrap();
    assert_eq!(delivery.payload(), b"{}");
    assert_eq!(delivery.routing_key(), "extract.interactive");
    assert_eq!(delivery.kind(), Some("job"));
    assert_eq!(delivery.id(), Some(message.id.to_string().as_str()));
    assert_eq!((delivery.trace(), delivery.version(), delivery.deliveries()), (Some(trace), 1, 1));
    assert!(!delivery.is_redelivered() && delivery.waited().is_some());
    delivery.acknowledge().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn what_reaches_no_queue_was_not_published_but_for_events() {
    let world = World::new(&settings()).await;
    let names = world.broker.names();
    let publisher = world.broker.publisher();
    let lost = Outgoing::to_stage(names, "mood.interactive", Uuid::new_v4(), "job", Vec::new());
    let unheard = Outgoing::to_events(names, "somebody.else", Uuid::new_v4(), Vec::new());
    let heard = Outgoing::to_events(names, "interview.scored", Uuid::new_v4(), b"{}".to_vec());
    let answers = publisher.publish_all(&[lost, unheard, heard, world.to_extract("{}")]).await;
    assert!(matches!(&answers[0], Err(QueueError::Unroutable(key)) if key == "mood.interactive"), "{answers:?}");
    assert!(answers[1..].iter().all(Result::is_ok), "{answers:?}");
    let event = world.broker.fetcher(&names.events()).fetch().await.unwrap().unwrap();
    assert_eq!(event.kind(), Some("interview.scored"));
    event.acknowledge().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn no_more_is_pushed_than_there_are_slots() {
    let world = World::new(&settings()).await;
    let messages: Vec<Outgoing> = (0..5).map(|k| world.to_extract(&k.to_string())).collect();
    assert!(world.broker.publisher().publish_all(&messages).await.iter().all(Result::is_ok));
    let mut queue = world.broker.subscribe(&world.extract_queue(), 2);
    let first = soon(queue.next()).await.unwrap();
    let second = soon(queue.next()).await.unwrap();
    assert_eq!((first.payload(), second.payload()), (&b"0"[..], &b"1"[..]));
    assert_eq!(world.broker.ready_messages(&world.extract_queue()).await.unwrap(), 3, "the rest stays in the queue");
    first.acknowledge().await.unwrap();
    assert_eq!(soon(queue.next()).await.unwrap().payload(), b"2");
    drop((second, queue));
    world.end().await;
}

#[tokio::test]
async fn a_subscription_that_is_widened_gets_more_and_ends_as_one() {
    let world = World::new(&settings()).await;
    let messages: Vec<Outgoing> = (0..4).map(|k| world.to_extract(&k.to_string())).collect();
    assert!(world.broker.publisher().publish_all(&messages).await.iter().all(Result::is_ok));
    let mut counter = world.broker.fetcher(&world.extract_queue());
    assert_eq!(counter.ready().await.unwrap(), 4);
    let mut queue = world.broker.subscribe(&world.extract_queue(), 1);
    let first = soon(queue.next()).await.unwrap();
    assert_eq!(counter.ready().await.unwrap(), 3);
    queue.widen(2);
    let more = [soon(queue.next()).await.unwrap(), soon(queue.next()).await.unwrap()];
    assert_eq!(more.each_ref().map(Delivery::payload), [&b"1"[..], &b"2"[..]]);
    assert_eq!(counter.ready().await.unwrap(), 1, "no more than the sum of both");
    queue.stop();
    assert!(soon(queue.next()).await.is_none());
    for delivery in more.into_iter().chain([first]) {
        delivery.acknowledge().await.unwrap();
    }
    let left = counter.fetch().await.unwrap().unwrap();
    assert_eq!(left.payload(), b"3");
    left.acknowledge().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_stopped_subscription_hands_out_what_came_and_then_ends() {
    let world = World::new(&settings()).await;
    let messages = [world.to_extract("0"), world.to_extract("1")];
    world.broker.publisher().publish_all(&messages).await;
    let mut queue = world.broker.subscribe(&world.extract_queue(), 1);
    let held = soon(queue.next()).await.unwrap();
    queue.stop();
    assert!(soon(queue.next()).await.is_none());
    // What was taken before is settled all the same.
    held.acknowledge().await.unwrap();
    let left = world.broker.fetcher(&world.extract_queue()).fetch().await.unwrap().unwrap();
    assert_eq!(left.payload(), b"1");
    left.acknowledge().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_message_that_waits_comes_back_where_it_was() {
    let world = World::new(&settings()).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let publisher = world.broker.publisher();
    publisher.publish(&world.to_extract("{}").traced(Some(trace.to_owned()))).await.unwrap();
    let mut queue = world.broker.subscribe(&world.extract_queue(), 1);
    let delivery = soon(queue.next()).await.unwrap();
    let (id, delay) = (delivery.id().map(str::to_owned), Duration::from_millis(300));
    let started = Instant::now();
    publisher.publish(&Outgoing::again(world.broker.names(), &delivery, delay)).await.unwrap();
    delivery.acknowledge().await.unwrap();
    let back = soon(queue.next()).await.unwrap();
    assert!(started.elapsed() >= delay, "after {:?}", started.elapsed());
    assert_eq!((back.payload(), back.routing_key()), (&b"{}"[..], "extract.interactive"));
    assert_eq!((back.kind(), back.trace(), back.id()), (Some("job"), Some(trace), id.as_deref()));
    back.acknowledge().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn the_broker_gives_up_a_message_that_comes_back_too_often() {
    let world = World::new(&settings()).await;
    let key = routing_key(Stage::Score, Priority::Bulk);
    let message = Outgoing::to_stage(world.broker.names(), &key, Uuid::new_v4(), "job", b"{}".to_vec());
    world.broker.publisher().publish(&message).await.unwrap();
    let mut queue = world.broker.subscribe(&world.broker.names().stage(Stage::Score, Priority::Bulk), 1);
    let mut given_up = world.broker.subscribe(&world.broker.names().undelivered(), 1);
    let mut deliveries = 0;
    let letter = loop {
        tokio::select! {
            delivery = queue.next() => {
                let delivery = delivery.unwrap();
                deliveries += 1;
                assert_eq!(delivery.deliveries(), deliveries);
                assert_eq!(delivery.is_redelivered(), deliveries > 1);
                delivery.give_back().await.unwrap();
            }
            letter = soon(given_up.next()) => break letter.unwrap(),
        }
    };
    // A limit of 20 is 21 deliveries.
    assert_eq!(deliveries, 21);
    assert_eq!((letter.death_reason(), letter.routing_key()), (Some("delivery_limit"), "score.bulk"));
    letter.acknowledge().await.unwrap();
    world.end().await;
}
