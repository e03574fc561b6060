//! Everything that is said to the broker (RabbitMQ, AMQP 0-9-1). No other crate knows it.
//!
//! A [`Broker`] is one connection that comes back by itself. [`Topology`] is what must be there, as data;
//! [`Broker::declare`] makes it and [`Broker::require`] insists on it. A [`Publisher`] counts a message as published
//! when the broker has confirmed it. A [`Subscription`] brings deliveries up to a prefetch, a [`QueueFetcher`] one by
//! one; a [`Delivery`] is settled on the channel that it came by or not at all.
//!
//! Retries wait in queues with a time to live that dead-letter back (RabbitMQ has no delayed delivery before 4.3).

mod connection;
mod consumer;
mod dead;
mod declare;
mod delivery;
mod error;
mod message;
mod names;
mod publisher;
mod settings;
mod timeout;
mod topology;

pub use connection::Broker;
pub use consumer::{QueueFetcher, Subscription};
pub use dead::DeadLetter;
pub use declare::Findings;
pub use delivery::Delivery;
pub use error::QueueError;
pub use message::Outgoing;
pub use names::{Names, Priority, Stage, WAITS_S, routing_key, wait_for};
pub use publisher::Publisher;
pub use settings::QueueSettings;
pub use timeout::check_consumer_timeout;
pub use topology::{Argument, BindingSpec, ExchangeSpec, ExchangeType, QueueSpec, Topology};
