//! Against a real broker. Each test has names of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dead_letters;
mod deliveries;
mod reconnect;
mod topology;

use std::time::Duration;

use hirenet_core::Secret;
use hirenet_queue::{Broker, Outgoing, Priority, QueueSettings, Stage, Topology, routing_key};
use uuid::Uuid;

/// Nothing here takes longer.
const SOON: Duration = Duration::from_secs(20);

fn settings() -> QueueSettings {
    let prefix = format!("test-{}", Uuid::new_v4().simple());
    QueueSettings { url: Secret::new(hirenet_tests::services::amqp()), prefix, ..QueueSettings::default() }
}

/// A broker with the whole topology under names of its own, deleted at the end.
struct World {
    broker: Broker,
    topology: Topology,
}

impl World {
    async fn new(settings: &QueueSettings) -> World {
        let broker = Broker::connect(settings, "test").await.unwrap();
        let topology = Topology::new(settings);
        broker.declare(&topology).await.unwrap();
        World { broker, topology }
    }

    fn to_extract(&self, payload: &str) -> Outgoing {
        let key = routing_key(Stage::Extract, Priority::Interactive);
        Outgoing::to_stage(self.broker.names(), &key, Uuid::new_v4(), "job", payload.as_bytes().to_vec())
    }

    fn extract_queue(&self) -> String {
        self.broker.names().stage(Stage::Extract, Priority::Interactive)
    }

    async fn end(self) {
        self.broker.delete(&self.topology).await.unwrap();
        self.broker.close().await;
    }
}

/// Waits for something that must come.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap()
}
