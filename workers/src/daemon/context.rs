//! What every part of a running worker shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hirenet_core::{Coded, Kind};
use hirenet_fetch::Fetcher;
use hirenet_queue::{Broker, Delivery, Names, Outgoing, Priority, Publisher, Stage, routing_key};
use hirenet_store::{Store, StoreError};
use tokio::sync::Notify;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::config::Config;
use crate::daemon::assessors::Assessors;
use crate::daemon::extractors::Extractors;
use crate::daemon::gate::Gate;
use crate::daemon::observe::Health;
use crate::daemon::shutdown::Shutdown;

/// How long a statement is tried again while the database is away, before its job is put into a wait queue.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pauses between these tries: from the first, doubled, to the longest.
const TRY_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];
/// How long a message waits when nothing can be recorded of it.
pub(crate) const AWAY: Duration = Duration::from_secs(25);
/// How long a message waits whose lease was lost: its job is ended, or claimed elsewhere, or free.
pub(crate) const MOMENT: Duration = Duration::from_secs(1);

/// The worker.
pub(crate) struct Context {
    pub(crate) config: &'static Config,
    /// This process's own id, new at each start.
    pub(crate) worker: Uuid,
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    pub(crate) publisher: Publisher,
    pub(crate) fetcher: Fetcher,
    /// Where the stage `extract` is served.
    pub(crate) extractors: Option<Extractors>,
    /// Where the stage `score` is served.
    pub(crate) assessors: Option<Assessors>,
    pub(crate) gate: Gate,
    pub(crate) shutdown: Shutdown,
    pub(crate) health: Arc<Health>,
    /// Deliveries in hand.
    pub(crate) in_hand: AtomicUsize,
    pub(crate) bulk_sent: BulkSent,
}

/// Tells the lanes of this worker that one of its own messages waits in a queue of bulk, which they look at from time to time
/// else.
#[derive(Default)]
pub(crate) struct BulkSent([Arc<Notify>; Stage::ALL.len()]);

impl BulkSent {
    /// What rings for the stage.
    pub(crate) fn of(&self, stage: Stage) -> Arc<Notify> {
        self.0[stage as usize].clone()
    }

    /// Rings for the stage whose bulk messages have this routing key.
    pub(crate) fn ring(&self, key: &str) {
        for stage in Stage::ALL.into_iter().filter(|stage| routing_key(*stage, Priority::Bulk) == key) {
            self.0[stage as usize].notify_one();
        }
    }
}

/// What is to become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    /// Everything that follows from it is committed.
    Acknowledge,
    /// Back to its queue at once.
    GiveBack,
    /// Back to its queue after a time.
    Wait(Duration),
}

impl Context {
    /// The names of exchanges and queues.
    pub(crate) fn names(&self) -> &Names {
        self.broker.names()
    }

    /// Runs a statement, and runs it again while the database is away for the moment.
    pub(crate) async fn patiently<T, F>(&self, mut statement: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let started = tokio::time::Instant::now();
        let [mut pause, longest] = TRY_AGAIN;
        loop {
            let error = match statement().await {
                Err(error) if error.code().kind() == Kind::Passing && !matches!(error, StoreError::LeaseLost(_)) => {
                    error
                }
                other => return other,
            };
            if started.elapsed() > PATIENCE || self.shutdown.is_abandoning() {
                return Err(error);
            }
            if pause == TRY_AGAIN[0] {
                warn!(code = error.code().as_str(), %error, "the database is away; trying again");
            }
            tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64())).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// What becomes of a message of which nothing could be recorded.
    pub(crate) fn unrecorded(&self, error: &StoreError) -> Settle {
        let code = error.code();
        warn!(code = code.as_str(), %error, "nothing could be recorded; the message waits");
        if code.kind() == Kind::Setup {
            self.shutdown.fail(crate::failure::Failure::new(code, error.to_string()));
            return Settle::GiveBack;
        }
        Settle::Wait(AWAY)
    }

    /// Settles a delivery. What cannot be said to the broker needs no saying: it gives the message out again.
    pub(crate) async fn settle(&self, delivery: Delivery, settle: Settle) {
        let settled = match settle {
            Settle::Acknowledge => delivery.acknowledge().await,
            Settle::GiveBack => delivery.give_back().await,
            Settle::Wait(delay) => {
                let again = Outgoing::again(self.names(), &delivery, delay);
                match self.publisher.publish(&again).await {
                    Ok(()) => delivery.acknowledge().await,
                    Err(error) => {
                        debug!(%error, "the message could not be put to wait");
                        delivery.give_back().await
                    }
                }
            }
        };
        if settled.is_err() {
            debug!("the delivery's channel is gone; the broker gives the message out again");
        }
    }

    /// Counts a delivery as in hand until the guard is dropped.
    pub(crate) fn take_in_hand(&self) -> InHand<'_> {
        self.in_hand.fetch_add(1, Ordering::SeqCst);
        InHand(&self.in_hand)
    }
}

/// A delivery in hand.
pub(crate) struct InHand<'a>(&'a AtomicUsize);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
