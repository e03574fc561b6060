use std::sync::Arc;

use hirenet_core::Secret;
use hirenet_queue::{QueueError, QueueSettings};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::{World, settings, soon};

/// Passes connections on to the broker until it is cut; then every one breaks, and the next ones pass again.
struct Line {
    address: String,
    cuts: Arc<watch::Sender<u64>>,
}

impl Line {
    async fn new(broker: &str) -> Line {
        let (_, host) = broker.rsplit_once('@').unwrap();
        let (host, vhost) = host.split_once('/').unwrap();
        let (host, listener) = (host.to_owned(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = format!("amqp://guest:guest@{}/{vhost}", listener.local_addr().unwrap());
        let cuts = Arc::new(watch::channel(0).0);
        let watched = cuts.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (host, mut cut) = (host.clone(), watched.subscribe());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(host).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Line { address, cuts }
    }

    fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

#[tokio::test]
async fn a_delivery_taken_before_the_loss_is_never_acknowledged_after() {
    let line = Line::new(&hirenet_tests::services::amqp()).await;
    let world = World::new(&QueueSettings { url: Secret::new(line.address.clone()), ..settings() }).await;
    let publisher = world.broker.publisher();
    publisher.publish(&world.to_extract("first")).await.unwrap();
    let mut queue = world.broker.subscribe(&world.extract_queue(), 1);
    let before = soon(queue.next()).await.unwrap();

    let mut losses = world.broker.losses();
    assert_eq!(*losses.borrow(), 0);
    line.cut();
    soon(losses.changed()).await.unwrap();
    assert_eq!(*losses.borrow(), 1, "once a loss");
    let after = soon(queue.next()).await.unwrap();
    assert_eq!(after.payload(), b"first");
    assert!(after.is_redelivered());
    assert!(!before.is_current() && after.is_current());
    // Both have the number 1 on their channels: acknowledged by number, the old one would take the new one away.
    assert!(matches!(before.acknowledge().await, Err(QueueError::Stale)));
    after.give_back().await.unwrap();
    let again = soon(queue.next()).await.unwrap();
    assert_eq!(again.payload(), b"first", "it is still the broker's");
    again.acknowledge().await.unwrap();

    // The publisher finds its way back too.
    publisher.publish(&world.to_extract("second")).await.unwrap();
    let second = soon(queue.next()).await.unwrap();
    assert_eq!(second.payload(), b"second");
    second.acknowledge().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_window_ends_with_its_connection_and_brings_nothing_a_second_time() {
    let line = Line::new(&hirenet_tests::services::amqp()).await;
    let world = World::new(&QueueSettings { url: Secret::new(line.address.clone()), ..settings() }).await;
    let publisher = world.broker.publisher();
    for payload in ["one", "two", "three"] {
        publisher.publish(&world.to_extract(payload)).await.unwrap();
    }
    let mut window = world.broker.window(&world.extract_queue(), 1);
    window.widen(1);
    let in_hand = [soon(window.next()).await.unwrap(), soon(window.next()).await.unwrap()];

    let mut losses = world.broker.losses();
    line.cut();
    soon(losses.changed()).await.unwrap();
    assert!(soon(window.next()).await.is_none(), "it does not consume again while both are in hand");
    assert!(in_hand.iter().all(|delivery| !delivery.is_current()));

    // Opened anew it brings as many as it is wide.
    let mut window = world.broker.window(&world.extract_queue(), 1);
    let again = soon(window.next()).await.unwrap();
    let ready = async {
        while world.broker.ready_messages(&world.extract_queue()).await.unwrap() != 2 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    soon(ready).await;
    again.acknowledge().await.unwrap();
    world.end().await;
}
