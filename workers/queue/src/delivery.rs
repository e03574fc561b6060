//! A message that the broker gave out, and the channel it came by.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lapin::Channel;
use lapin::message::Delivery as Received;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::QueueError;
use crate::message::{PUBLISHED, TRACE};

/// Header with the broker's count of earlier deliveries; absent at the first.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// Header with the exchange's own name for why the broker gave the message up.
const DEATH_REASON: &str = "x-first-death-reason";
/// Header with the queue that the broker gave it up in.
const DEATH_QUEUE: &str = "x-first-death-queue";
/// Header with the version of the message's form.
const VERSION: &str = "hirenet-version";

/// A delivery. It is settled on the channel that it came by or not at all: once that channel is gone, the broker gives
/// the message out again, and this delivery can only be dropped.
pub struct Delivery {
    received: Received,
    /// Keeps the channel open: it closes with its last clone, and everything unsettled goes back.
    _channel: Channel,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the payload: it may be a candidate's.
        f.debug_struct("Delivery")
            .field("key", &self.routing_key())
            .field("tag", &self.received.delivery_tag)
            .finish_non_exhaustive()
    }
}

impl Delivery {
    pub(crate) fn new(received: Received, channel: Channel) -> Delivery {
        Delivery { received, _channel: channel }
    }

    /// The message.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.received.data
    }

    /// The routing key that it was published under.
    #[must_use]
    pub fn routing_key(&self) -> &str {
        self.received.routing_key.as_str()
    }

    /// What the publisher says that it is.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.received.properties.kind().as_ref().map(ShortString::as_str)
    }

    /// The publisher's id of it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.received.properties.message_id().as_ref().map(ShortString::as_str)
    }

    /// True where the broker gave it out before, to anybody.
    #[must_use]
    pub fn is_redelivered(&self) -> bool {
        self.received.redelivered || self.number(DELIVERY_COUNT).is_some_and(|count| count > 0)
    }

    /// How often the broker gave it out, this time included.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.number(DELIVERY_COUNT).unwrap_or(0) + 1
    }

    /// The version of its form; 1 where the publisher names none.
    #[must_use]
    pub fn version(&self) -> u64 {
        match self.header(VERSION) {
            None => 1,
            Some(value) => number(value).or_else(|| text(value)?.parse().ok()).unwrap_or(0),
        }
    }

    /// Why the broker gave it up, where it did.
    #[must_use]
    pub fn death_reason(&self) -> Option<&str> {
        self.header(DEATH_REASON).and_then(text)
    }

    /// The queue in which the broker gave it up, where it did.
    #[must_use]
    pub fn death_queue(&self) -> Option<&str> {
        self.header(DEATH_QUEUE).and_then(text)
    }

    /// W3C trace context.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.header(TRACE).and_then(text)
    }

    /// Time since its publication, where the message says when that was and the two clocks agree about the order.
    #[must_use]
    pub fn waited(&self) -> Option<Duration> {
        let published = Duration::from_millis(self.number(PUBLISHED)?);
        SystemTime::now().duration_since(UNIX_EPOCH).ok()?.checked_sub(published)
    }

    /// True while it can be settled.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.received.acker.usable()
    }

    /// Tells the broker that it is done with.
    ///
    /// # Errors
    /// [`QueueError::Stale`] where its channel is gone: it will be delivered again.
    pub async fn acknowledge(self) -> Result<(), QueueError> {
        match self.received.acker.ack(BasicAckOptions::default()).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(QueueError::Stale),
        }
    }

    /// Returns it to its queue at once.
    ///
    /// # Errors
    /// [`QueueError::Stale`] where its channel is gone: the broker has returned it already.
    pub async fn give_back(self) -> Result<(), QueueError> {
        let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
        match self.received.acker.nack(options).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(QueueError::Stale),
        }
    }

    /// The publisher's own headers, without those that brokers add.
    pub(crate) fn own_headers(&self) -> FieldTable {
        let mut own = FieldTable::default();
        for (name, value) in self.received.properties.headers().iter().flat_map(FieldTable::inner) {
            if !name.as_str().starts_with("x-") {
                own.insert(name.clone(), value.clone());
            }
        }
        own
    }

    fn header(&self, name: &str) -> Option<&AMQPValue> {
        self.received.properties.headers().as_ref()?.inner().get(name)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.header(name).and_then(number)
    }
}

fn number(value: &AMQPValue) -> Option<u64> {
    let signed = match value {
        AMQPValue::ShortShortInt(n) => i64::from(*n),
        AMQPValue::ShortShortUInt(n) => i64::from(*n),
        AMQPValue::ShortInt(n) => i64::from(*n),
        AMQPValue::ShortUInt(n) => i64::from(*n),
        AMQPValue::LongInt(n) => i64::from(*n),
        AMQPValue::LongUInt(n) => i64::from(*n),
        AMQPValue::LongLongInt(n) => *n,
        _ => return None,
    };
    u64::try_from(signed).ok()
}

fn text(value: &AMQPValue) -> Option<&str> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        _ => None,
    }
}
