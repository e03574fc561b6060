//! The outbox on its way to the broker: published, confirmed, removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hirenet_core::{Code, Coded};
use hirenet_queue::{Names, Outgoing, QueueError};
use hirenet_store::{Destination, OutboxRow, Relayed};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};
use uuid::Uuid;

use crate::daemon::context::Context;
use crate::daemon::observe::Part;
use crate::daemon::observe::events::{ConnectionLost, OutboxRelayed, Peer};

/// Rows that are published before the first of them is removed.
const BATCH: i64 = 256;
/// A look for rows that this process did not write: another worker's, which died before it could relay them.
const LOOK: Duration = Duration::from_secs(1);
/// Pauses after a failure: from the first, doubled, to the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Why something stays in the outbox for now.
#[derive(Debug, PartialEq, Eq)]
enum Stuck {
    /// The database does not give it out.
    Database(Code),
    /// The broker is away or refuses it.
    Broker,
    /// No queue is bound for this routing key: waiting mends nothing.
    Unroutable(String),
}

impl Stuck {
    fn tell(&self) {
        match self {
            Stuck::Database(Code::StoreUnavailable) => {
                ConnectionLost { peer: Peer::Database, code: Code::StoreUnavailable }.emit();
            }
            Stuck::Database(code) => warn!(code = code.as_str(), "the outbox cannot be read"),
            // The loss itself is seen, told and counted where the connection is kept.
            Stuck::Broker => warn!(
                code = Code::BrokerUnavailable.as_str(),
                "the broker does not confirm; the outbox keeps the messages"
            ),
            Stuck::Unroutable(routing_key) => error!(
                code = Code::TopologyDiffers.as_str(),
                routing_key, "no queue is bound for a message, the outbox keeps it: run `hirenet setup`"
            ),
        }
    }
}

/// Relays until `done`, and once more then, so that what the last jobs committed goes out.
pub(crate) async fn serve(context: Arc<Context>, done: CancellationToken) {
    let [first, longest] = PAUSES;
    let mut pause = first;
    let mut told = None;
    loop {
        let last = done.is_cancelled();
        match drain(&context).await {
            Ok(()) => (pause, told) = (first, None),
            Err(stuck) => {
                if told.as_ref() != Some(&stuck) {
                    stuck.tell();
                    told = Some(stuck);
                }
                tokio::select! {
                    () = tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64())) => {}
                    () = done.cancelled() => {}
                }
                pause = (pause * 2).min(longest);
            }
        }
        if last {
            return;
        }
        tokio::select! {
            () = context.store.outbox_filled() => {}
            () = done.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Relays until nothing is left that can be published now.
async fn drain(context: &Context) -> Result<(), Stuck> {
    loop {
        let refused = OnceLock::new();
        let relayed = context.store.relay(BATCH, |rows| publish(context, rows, &refused)).await;
        context.health.set(Part::Database, relayed.is_ok());
        match relayed {
            Ok(Relayed { taken: 0, .. }) => return Ok(()),
            Ok(Relayed { taken, published }) if published < taken => {
                return Err(match refused.into_inner() {
                    Some(QueueError::Unroutable(routing_key)) => Stuck::Unroutable(routing_key),
                    _ => Stuck::Broker,
                });
            }
            // Under load there is more already.
            Ok(_) if context.store.outbox_was_filled() => {}
            // What was committed meanwhile, or left because another worker's relay held what comes before it.
            Ok(_) => match context.store.has_outbox().await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(Stuck::Database(error.code())),
            },
            Err(error) => {
                debug!(%error, "the outbox cannot be relayed");
                return Err(Stuck::Database(error.code()));
            }
        }
    }
}

/// Publishes rows in order; gives the ids of those that the broker confirmed, and the first reason of the others.
async fn publish(context: &Context, rows: Vec<OutboxRow>, refused: &OnceLock<QueueError>) -> Vec<Uuid> {
    let ids: Vec<(Uuid, Destination)> = rows.iter().map(|row| (row.id, row.destination)).collect();
    let stages = rows.iter().filter(|row| row.destination == Destination::Stage);
    let stages: BTreeSet<String> = stages.map(|row| row.routing_key.clone()).collect();
    let messages: Vec<Outgoing> = rows.into_iter().map(|row| message(context.names(), row)).collect();
    let answers = context.publisher.publish_all(&messages).await;
    let mut confirmed = Vec::with_capacity(ids.len());
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for ((id, destination), answer) in ids.into_iter().zip(answers) {
        match answer {
            Ok(()) => {
                confirmed.push(id);
                *counts.entry(destination.as_str()).or_default() += 1;
            }
            Err(error) => {
                debug!(%error, "the broker did not take a message of the outbox");
                // Set already: the first reason is the one that is kept.
                let _ = refused.set(error);
            }
        }
    }
    for key in &stages {
        context.bulk_sent.ring(key);
    }
    for (destination, messages) in counts {
        OutboxRelayed { destination, messages }.emit();
    }
    confirmed
}

fn message(names: &Names, row: OutboxRow) -> Outgoing {
    let OutboxRow { id, destination, routing_key, delay, kind, payload, trace, .. } = row;
    let message = match destination {
        Destination::Stage => Outgoing::to_stage(names, &routing_key, id, &kind, payload),
        Destination::Wait => Outgoing::to_wait(names, &routing_key, delay, id, &kind, payload),
        Destination::Event => Outgoing::to_events(names, &routing_key, id, payload),
        Destination::Dead => Outgoing::to_dead(names, id, &kind, payload),
    };
    message.traced(trace)
}
