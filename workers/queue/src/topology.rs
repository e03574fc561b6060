//! Exchanges, queues and bindings as data.

use lapin::types::{AMQPValue, FieldTable};

use crate::QueueSettings;
use crate::names::{Names, Priority, Stage, WAITS_S, routing_key};

/// Deliveries after which the broker gives a message up. The database counts attempts; this is the backstop behind it.
const DELIVERY_LIMIT: i64 = 20;
/// For queues from which messages are looked at and put back: newer brokers have a limit where none is named.
const NO_DELIVERY_LIMIT: i64 = i32::MAX as i64;

/// How an exchange chooses queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeType {
    /// By the whole routing key.
    Direct,
    /// Every queue that is bound.
    Fanout,
    /// By patterns.
    Topic,
}

/// A durable exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSpec {
    /// Its name.
    pub name: String,
    /// How it chooses.
    pub kind: ExchangeType,
}

/// The value of a queue's argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

/// A durable queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<(&'static str, Argument)>,
}

/// A queue bound to an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingSpec {
    /// The exchange.
    pub exchange: String,
    /// The queue.
    pub queue: String,
    /// The routing key or pattern.
    pub key: String,
}

/// Everything that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The exchanges.
    pub exchanges: Vec<ExchangeSpec>,
    /// The queues.
    pub queues: Vec<QueueSpec>,
    /// The bindings.
    pub bindings: Vec<BindingSpec>,
}

impl Topology {
    /// What the program needs under these settings.
    #[must_use]
    pub fn new(settings: &QueueSettings) -> Topology {
        let names = Names::new(&settings.prefix);
        let mut topology = Topology { exchanges: Vec::new(), queues: Vec::new(), bindings: Vec::new() };
        topology.exchange(names.exchange(), ExchangeType::Direct);
        topology.exchange(names.undelivered(), ExchangeType::Fanout);
        topology.exchange(names.events(), ExchangeType::Topic);
        for stage in Stage::ALL {
            for priority in Priority::ALL {
                let mut arguments = dead_lettered_to(names.undelivered());
                arguments.push(("x-delivery-limit", Argument::Number(DELIVERY_LIMIT)));
                topology.queue(names.stage(stage, priority), arguments);
                topology.bind(names.exchange(), names.stage(stage, priority), routing_key(stage, priority));
            }
        }
        for seconds in WAITS_S {
            // No routing key of its own: a message comes back under the one that it was published with.
            let mut arguments = dead_lettered_to(names.exchange());
            arguments.push(("x-message-ttl", Argument::Number(seconds as i64 * 1000)));
            topology.exchange(names.wait(seconds), ExchangeType::Fanout);
            topology.queue(names.wait(seconds), arguments);
            topology.bind(names.wait(seconds), names.wait(seconds), String::new());
        }
        topology.queue(names.undelivered(), vec![("x-delivery-limit", Argument::Number(NO_DELIVERY_LIMIT))]);
        topology.bind(names.undelivered(), names.undelivered(), String::new());
        topology.queue(names.dead(), vec![("x-delivery-limit", Argument::Number(NO_DELIVERY_LIMIT))]);
        if !settings.events.is_empty() {
            topology.queue(names.events(), Vec::new());
            topology.bind(names.events(), names.events(), settings.events.clone());
        }
        topology
    }

    fn exchange(&mut self, name: String, kind: ExchangeType) {
        self.exchanges.push(ExchangeSpec { name, kind });
    }

    fn queue(&mut self, name: String, mut arguments: Vec<(&'static str, Argument)>) {
        arguments.insert(0, ("x-queue-type", Argument::Text("quorum".to_owned())));
        self.queues.push(QueueSpec { name, arguments });
    }

    fn bind(&mut self, exchange: String, queue: String, key: String) {
        self.bindings.push(BindingSpec { exchange, queue, key });
    }
}

/// At-least-once dead-lettering needs `reject-publish`; a message is never dropped to make room.
fn dead_lettered_to(exchange: String) -> Vec<(&'static str, Argument)> {
    vec![
        ("x-dead-letter-exchange", Argument::Text(exchange)),
        ("x-dead-letter-strategy", Argument::Text("at-least-once".to_owned())),
        ("x-overflow", Argument::Text("reject-publish".to_owned())),
    ]
}

impl QueueSpec {
    pub(crate) fn table(&self) -> FieldTable {
        let mut table = FieldTable::default();
        for (key, value) in &self.arguments {
            let value = match value {
                Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
                Argument::Number(number) => AMQPValue::LongLongInt(*number),
            };
            table.insert((*key).into(), value);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_a_quorum_queue_and_everything_bound_exists() {
        let topology = Topology::new(&QueueSettings::default());
        assert_eq!(topology.queues.len(), 8 + WAITS_S.len() + 3);
        for queue in &topology.queues {
            assert_eq!(queue.arguments[0], ("x-queue-type", Argument::Text("quorum".to_owned())), "{}", queue.name);
            assert!(queue.name.starts_with("hirenet."));
        }
        for binding in &topology.bindings {
            assert!(topology.queues.iter().any(|q| q.name == binding.queue), "{binding:?}");
            assert!(topology.exchanges.iter().any(|e| e.name == binding.exchange), "{binding:?}");
        }
    }
}
