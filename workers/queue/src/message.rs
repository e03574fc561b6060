//! What is published.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use uuid::Uuid;

use crate::Delivery;
use crate::names::{Names, wait_for};

/// Header with the time of publication in milliseconds since the epoch; the timestamp of AMQP has whole seconds only.
pub(crate) const PUBLISHED: &str = "published-ms";
/// Header with the W3C trace context.
pub(crate) const TRACE: &str = "traceparent";

/// A message on its way out. It is always persistent.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Its id; a message that is published twice keeps it.
    pub id: Uuid,
    /// Its type: what the payload is.
    pub kind: String,
    /// JSON.
    pub payload: Vec<u8>,
    route: Route,
    headers: FieldTable,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    exchange: String,
    key: String,
    /// Time until the wait queue lets it go.
    expiration: Option<Duration>,
    /// An event that nobody listens to is no failure; everything else must reach a queue.
    mandatory: bool,
}

impl Outgoing {
    fn new(id: Uuid, kind: &str, payload: Vec<u8>, route: Route) -> Outgoing {
        Outgoing { id, kind: kind.to_owned(), payload, route, headers: FieldTable::default() }
    }

    /// To a stage's queue; `key` is `STAGE.PRIORITY`.
    #[must_use]
    pub fn to_stage(names: &Names, key: &str, id: Uuid, kind: &str, payload: Vec<u8>) -> Outgoing {
        let route = Route { exchange: names.exchange(), key: key.to_owned(), expiration: None, mandatory: true };
        Outgoing::new(id, kind, payload, route)
    }

    /// To a wait queue, and after `delay` to a stage's queue.
    #[must_use]
    pub fn to_wait(names: &Names, key: &str, delay: Duration, id: Uuid, kind: &str, payload: Vec<u8>) -> Outgoing {
        let exchange = names.wait(wait_for(delay));
        let route = Route { exchange, key: key.to_owned(), expiration: Some(delay), mandatory: true };
        Outgoing::new(id, kind, payload, route)
    }

    /// To whoever listens to events of this name.
    #[must_use]
    pub fn to_events(names: &Names, name: &str, id: Uuid, payload: Vec<u8>) -> Outgoing {
        let route = Route { exchange: names.events(), key: name.to_owned(), expiration: None, mandatory: false };
        Outgoing::new(id, name, payload, route)
    }

    /// To the final dead letters.
    #[must_use]
    pub fn to_dead(names: &Names, id: Uuid, kind: &str, payload: Vec<u8>) -> Outgoing {
        // The default exchange: the queue's name is its key.
        let route = Route { exchange: String::new(), key: names.dead(), expiration: None, mandatory: true };
        Outgoing::new(id, kind, payload, route)
    }

    /// The same message, carrying a trace context on.
    #[must_use]
    pub fn traced(mut self, trace: Option<String>) -> Outgoing {
        if let Some(trace) = trace {
            self.headers.insert(TRACE.into(), AMQPValue::LongString(trace.into()));
        }
        self
    }

    /// A delivery once more, as it came, to the queue that it came from, after `delay`.
    #[must_use]
    pub fn again(names: &Names, delivery: &Delivery, delay: Duration) -> Outgoing {
        let id = delivery.id().and_then(|id| id.parse().ok()).unwrap_or_else(Uuid::new_v4);
        let kind = delivery.kind().unwrap_or_default();
        let mut again = Outgoing::to_wait(names, delivery.routing_key(), delay, id, kind, delivery.payload().to_vec());
        again.headers = delivery.own_headers();
        again
    }

    pub(crate) fn exchange(&self) -> &str {
        &self.route.exchange
    }

    pub(crate) fn key(&self) -> &str {
        &self.route.key
    }

    pub(crate) fn is_mandatory(&self) -> bool {
        self.route.mandatory
    }

    pub(crate) fn properties(&self) -> BasicProperties {
        const PERSISTENT: u8 = 2;
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(self.id.to_string().into())
            .with_app_id("hirenet".into())
            .with_type(self.kind.as_str().into());
        if let Some(delay) = self.route.expiration {
            properties = properties.with_expiration(delay.as_millis().to_string().into());
        }
        let mut headers = self.headers.clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        headers.insert(PUBLISHED.into(), AMQPValue::LongLongInt(now.as_millis() as i64));
        properties = properties.with_headers(headers);
        properties
    }
}
