//! The queues that a lane serves, and which of them the next message comes from.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hirenet_queue::{Broker, Delivery, Priority, QueueError, QueueFetcher, Stage, Subscription};
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::debug;

use super::is_stopping;
use crate::daemon::context::Context;
use crate::daemon::shutdown::Shutdown;

/// Pauses between two looks at `bulk` beside an open window of the urgent queue: from the first, doubled, to the longest.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// Between two looks at the urgent queue beside an open window of `bulk`; and for how long that window stays open while no
/// slot gets free.
const LOOK_FOR_URGENT: Duration = Duration::from_millis(100);
/// A window of `bulk` that brought nothing for so long makes room for one of the urgent queue, in which a lane rests.
const QUIET: Duration = Duration::from_secs(1);

/// A delivery for a free slot.
pub(super) struct Found {
    pub(super) delivery: Delivery,
    pub(super) priority: Priority,
    /// Kept while the delivery is in hand, where a window that is open pushed it.
    pub(super) pushed: Option<Arc<()>>,
}

/// What the broker may push of one queue.
struct Window {
    priority: Priority,
    pushes: Subscription,
    /// Deliveries that it may have unsettled at a time.
    width: usize,
    /// Has a clone in each delivery of this window that is in hand.
    in_hand: Arc<()>,
}

/// Both queues of a stage, of which one at a time may push. Two rules hold:
///
/// - **No more in hand than slots.** Messages are pushed through a window whose width is the number of slots that nothing
///   else has, and there is one window.
/// - **No bulk job while an urgent one is ready.** The window is turned to bulk only when it has been folded, so that
///   nothing is on its way to this worker, and the urgent queue has then been counted as empty. A push alone does not
///   tell: after an acknowledgement the next one takes a round trip, in which the queue only seems to be empty.
///   The broker answers an acknowledgement with the next message of the same queue; so a window of bulk is folded where no
///   slot has got free for [`LOOK_FOR_URGENT`], and the next message is chosen when one does. Where slots get free faster, a
///   bulk job may start before an urgent one that came since the last look, some tenths of a second ago.
///
/// Under work of one kind alone the window stays as it is: a turn costs some round trips, a look two counts that the broker
/// answers from memory.
pub(super) struct Source {
    broker: Broker,
    stage: Stage,
    /// Slots that are free beside the one of the caller.
    free: Arc<Semaphore>,
    /// The one priority that is served, or both.
    only: Option<Priority>,
    window: Option<Window>,
    /// Came through a window before it was folded, for slots that are free, and was not taken yet.
    left: VecDeque<(Priority, Delivery)>,
    counts: Arc<Mutex<Counts>>,
    /// The look at the other queue beside an open window. A task, because pushes come faster than the broker counts.
    look: Option<JoinHandle<Result<bool, QueueError>>>,
    /// Rung where this worker has put a bulk message of the stage on its way.
    bulk_sent: Arc<Notify>,
    pause: Duration,
    /// When that look comes next.
    look_at: Instant,
    /// When the window of bulk is folded unless something comes before.
    quiet_at: Instant,
}

impl Source {
    /// The queue of one priority, or both queues by their rules.
    pub(super) fn new(context: &Context, stage: Stage, only: Option<Priority>, free: Arc<Semaphore>) -> Source {
        let fetcher = |priority| context.broker.fetcher(&context.names().stage(stage, priority));
        Source {
            broker: context.broker.clone(),
            stage,
            free,
            only,
            window: None,
            left: VecDeque::new(),
            counts: Arc::new(Mutex::new(Counts {
                urgent: fetcher(Priority::Interactive),
                bulk: fetcher(Priority::Bulk),
            })),
            look: None,
            bulk_sent: context.bulk_sent.of(stage),
            pause: Duration::ZERO,
            look_at: Instant::now(),
            quiet_at: Instant::now(),
        }
    }

    /// The next delivery for the caller's free slot: an urgent one where there is one, else one of `bulk`. `None` where
    /// the worker stops.
    pub(super) async fn next(&mut self, shutdown: &Shutdown) -> Option<Found> {
        loop {
            if let Some((priority, delivery)) = self.left.pop_front() {
                return Some(Found { delivery, priority, pushed: None });
            }
            if self.window.is_none() {
                self.open().await;
            }
            match self.watch(shutdown).await {
                Ok(Some(found)) => return Some(found),
                Ok(None) => {}
                Err(error) => {
                    // The window is listened to until the next look.
                    debug!(%error, "the other queue cannot be counted");
                    self.wait_longer();
                }
            }
            if is_stopping(shutdown).await {
                return None;
            }
        }
    }

    /// To be run while no slot is free: folds a window of bulk that would bring the next message unasked. It does not
    /// return, and may be dropped at any time.
    pub(super) async fn tend(&mut self) -> Infallible {
        if self.only.is_none() && self.window.as_ref().is_some_and(|window| window.priority == Priority::Bulk) {
            tokio::time::sleep(LOOK_FOR_URGENT).await;
            self.fold().await;
        }
        std::future::pending().await
    }

    /// Without a window: opens that of bulk where nothing urgent is ready, else the urgent one; that one too where a queue
    /// cannot be counted, which may be bulk's own fault.
    async fn open(&mut self) {
        let priority = match self.only {
            Some(only) => only,
            None => match self.counts.lock().await.only_bulk().await {
                Ok(true) => Priority::Bulk,
                Ok(false) => Priority::Interactive,
                Err(error) => {
                    debug!(%error, "the queues cannot be counted");
                    Priority::Interactive
                }
            },
        };
        let width = self.free_slots();
        let pushes = self.broker.window(&self.broker.names().stage(self.stage, priority), width as u16);
        self.window = Some(Window { priority, pushes, width, in_hand: Arc::new(()) });
        match priority {
            Priority::Interactive => self.look_at = Instant::now() + self.pause,
            Priority::Bulk => {
                // Bulk is at work: it is looked at again as soon as an urgent window is open.
                self.pause = Duration::ZERO;
                self.look_at = Instant::now() + LOOK_FOR_URGENT;
                self.quiet_at = Instant::now() + QUIET;
            }
        }
    }

    /// With a window: waits for what is pushed, and folds the window where the other queue's turn has come.
    async fn watch(&mut self, shutdown: &Shutdown) -> Result<Option<Found>, QueueError> {
        let free = self.free_slots();
        let Some(window) = &mut self.window else { return Ok(None) };
        // Slots that a job of another window has left since this one was opened.
        // The free ones are read first: a job that ends in between is then missing from both, and not in both.
        let pushed = Arc::strong_count(&window.in_hand) - 1;
        let more = (free + pushed).saturating_sub(window.width);
        if more > 0 {
            window.pushes.widen(more as u16);
            window.width += more;
        }
        let priority = window.priority;
        if self.only.is_none() && self.look.is_none() {
            self.look = Some(tokio::spawn(look(self.counts.clone(), priority, self.look_at, self.bulk_sent.clone())));
        }
        let looked = async {
            match &mut self.look {
                Some(look) => look.await.unwrap_or(Ok(false)),
                None => std::future::pending().await,
            }
        };
        let looked = tokio::select! {
            biased;
            () = shutdown.stopping() => return Ok(None),
            looked = looked => looked,
            next = window.pushes.next() => {
                if let Some(delivery) = next {
                    self.quiet_at = Instant::now() + QUIET;
                    return Ok(Some(Found { delivery, priority, pushed: Some(window.in_hand.clone()) }));
                }
                // Lost with its channel. The next one is as wide as there are slots free of what was taken before.
                self.fold().await;
                return Ok(None);
            }
        };
        self.look = None;
        let turn = looked? || (priority == Priority::Bulk && Instant::now() >= self.quiet_at);
        match priority {
            Priority::Interactive => self.wait_longer(),
            Priority::Bulk => self.look_at = Instant::now() + LOOK_FOR_URGENT,
        }
        if turn {
            self.fold().await;
        }
        Ok(None)
    }

    /// Slots that are free, with that of the caller.
    fn free_slots(&self) -> usize {
        self.free.available_permits() + 1
    }

    fn wait_longer(&mut self) {
        let [first, longest] = LOOK_AGAIN;
        self.pause = (self.pause * 2).clamp(first, longest);
        self.look_at = Instant::now() + self.pause;
    }

    /// Closes the window. What was on its way is kept: it comes before anything else.
    async fn fold(&mut self) {
        if let Some(look) = self.look.take() {
            look.abort();
        }
        if let Some(window) = &mut self.window {
            window.pushes.stop();
            while let Some(delivery) = window.pushes.next().await {
                self.left.push_back((window.priority, delivery));
            }
        }
        self.window = None;
    }

    /// Asks for no more, and returns what came and was not taken.
    pub(super) async fn close(mut self) {
        self.fold().await;
        for (_, delivery) in self.left {
            // Its channel is gone: the broker has it already.
            let _ = delivery.give_back().await;
        }
    }
}

/// Looks at the other queue than that of `priority` when the time has come: whether it is that one's turn.
async fn look(
    counts: Arc<Mutex<Counts>>,
    priority: Priority,
    at: Instant,
    bulk_sent: Arc<Notify>,
) -> Result<bool, QueueError> {
    match priority {
        Priority::Interactive => {
            tokio::select! {
                () = tokio::time::sleep_until(at) => {}
                () = bulk_sent.notified() => {}
            }
            counts.lock().await.only_bulk().await
        }
        Priority::Bulk => {
            tokio::time::sleep_until(at).await;
            Ok(counts.lock().await.urgent.ready().await? > 0)
        }
    }
}

/// What tells how many messages are ready.
struct Counts {
    urgent: QueueFetcher,
    bulk: QueueFetcher,
}

impl Counts {
    async fn only_bulk(&mut self) -> Result<bool, QueueError> {
        Ok(self.bulk.ready().await? > 0 && self.urgent.ready().await? == 0)
    }
}
