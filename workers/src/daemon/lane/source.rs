//! Both queues of a stage, and which of them the next message comes from.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hirenet_queue::{Broker, Delivery, Priority, QueueError, QueueFetcher, Stage, Subscription};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::debug;

use super::is_stopping;
use crate::daemon::context::Context;
use crate::daemon::shutdown::Shutdown;

/// Pauses between two looks into an empty queue of `bulk`: from the first, doubled, to the longest.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// A delivery for a free slot.
pub(super) struct Found {
    pub(super) delivery: Delivery,
    pub(super) priority: Priority,
    /// Kept while the delivery is in hand, where a window that is open pushed it.
    pub(super) pushed: Option<Arc<()>>,
}

/// What the broker may push of the urgent queue.
struct Window {
    pushes: Subscription,
    /// Deliveries that it may have unsettled at a time.
    width: usize,
    /// Has a clone in each delivery of this window that is in hand.
    in_hand: Arc<()>,
}

/// Both queues of a stage. Two rules hold at every moment, by one or the other being shut:
///
/// - **No more in hand than slots.** Urgent messages are pushed through a window whose width is the number of slots that
///   nothing else has; while it is open nothing is fetched. Messages of `bulk` are fetched for the slots that are free,
///   side by side because the broker writes each fetch down before it answers, and only while no window is open.
/// - **No bulk job while an urgent one is ready.** Bulk is asked for only when the window has been folded, so that
///   nothing is on its way to this worker, and the urgent queue has then been counted as empty. A push alone does not
///   tell: after an acknowledgement the next one takes a round trip, in which the queue only seems to be empty.
///
/// Under urgent work alone the window stays open, and under bulk alone it stays folded: a change between the two costs
/// some round trips, and a look at bulk two more than its fetches, which are counts that the broker answers from memory.
pub(super) struct Source {
    broker: Broker,
    name: String,
    /// Slots of the stage that are free beside the one of the caller.
    free: Arc<Semaphore>,
    window: Option<Window>,
    /// Came before, for slots that are free, and not taken yet: pushed through a window before it was folded, or fetched.
    left: VecDeque<(Priority, Delivery)>,
    /// Only counted.
    urgent: QueueFetcher,
    bulk: QueueFetcher,
    pause: Duration,
    /// When bulk is looked at next, beside an open window.
    look_at: Instant,
}

impl Source {
    pub(super) fn new(context: &Context, stage: Stage, free: Arc<Semaphore>) -> Source {
        let (broker, names) = (context.broker.clone(), context.names());
        let name = names.stage(stage, Priority::Interactive);
        Source {
            urgent: broker.fetcher(&name),
            bulk: broker.fetcher(&names.stage(stage, Priority::Bulk)),
            broker,
            name,
            free,
            window: None,
            left: VecDeque::new(),
            pause: Duration::ZERO,
            look_at: Instant::now(),
        }
    }

    /// The next delivery for the caller's free slot: an urgent one where there is one, else one of `bulk`. `None` where
    /// the worker stops.
    pub(super) async fn next(&mut self, shutdown: &Shutdown) -> Option<Found> {
        loop {
            if let Some((priority, delivery)) = self.left.pop_front() {
                return Some(Found { delivery, priority, pushed: None });
            }
            let found =
                if self.window.is_some() { self.watch(shutdown).await } else { self.ask().await.map(|()| None) };
            match found {
                Ok(Some(found)) => return Some(found),
                Ok(None) => {}
                Err(error) => {
                    debug!(%error, "the queues cannot be asked");
                    self.wait_longer();
                    // An open window is listened to until the next look; without one there is nothing to listen to.
                    if self.window.is_none() {
                        tokio::select! {
                            () = shutdown.stopping() => {}
                            () = tokio::time::sleep_until(self.look_at) => {}
                        }
                    }
                }
            }
            if is_stopping(shutdown).await {
                return None;
            }
        }
    }

    /// Without a window: takes bulk messages where nothing urgent is ready, else opens the window.
    async fn ask(&mut self) -> Result<(), QueueError> {
        let bulk = self.bulk.ready().await? as usize;
        if bulk > 0 && self.urgent.ready().await? == 0 {
            let fetched = self.bulk.fetch_up_to(bulk.min(self.free_slots())).await?;
            self.left.extend(fetched.into_iter().map(|delivery| (Priority::Bulk, delivery)));
            if !self.left.is_empty() {
                // Bulk is at work: it is looked at again as soon as a window is open.
                (self.pause, self.look_at) = (Duration::ZERO, Instant::now());
                return Ok(());
            }
        }
        let width = self.free_slots();
        let pushes = self.broker.subscribe(&self.name, width as u16);
        self.window = Some(Window { pushes, width, in_hand: Arc::new(()) });
        self.look_at = Instant::now() + self.pause;
        Ok(())
    }

    /// With a window: waits for what is pushed, and folds the window where only bulk is ready.
    async fn watch(&mut self, shutdown: &Shutdown) -> Result<Option<Found>, QueueError> {
        let Some(mut window) = self.window.take() else { return Ok(None) };
        // Slots that a bulk job has left since the window was opened.
        // The free ones are read first: a job that ends in between is then missing from both, and not in both.
        let free = self.free_slots();
        let pushed = Arc::strong_count(&window.in_hand) - 1;
        let more = (free + pushed).saturating_sub(window.width);
        if more > 0 {
            window.pushes.widen(more as u16);
            window.width += more;
        }
        let window = self.window.insert(window);
        let (bulk, urgent, look_at) = (&mut self.bulk, &mut self.urgent, self.look_at);
        let look = async {
            tokio::time::sleep_until(look_at).await;
            Ok::<bool, QueueError>(bulk.ready().await? > 0 && urgent.ready().await? == 0)
        };
        let only_bulk = tokio::select! {
            biased;
            () = shutdown.stopping() => return Ok(None),
            next = window.pushes.next() => match next {
                Some(delivery) => {
                    let pushed = Some(window.in_hand.clone());
                    return Ok(Some(Found { delivery, priority: Priority::Interactive, pushed }));
                }
                // It has ended, which it does only when it is told to.
                None => true,
            },
            only_bulk = look => only_bulk?,
        };
        self.wait_longer();
        if only_bulk {
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
        if let Some(window) = &mut self.window {
            window.pushes.stop();
            while let Some(delivery) = window.pushes.next().await {
                self.left.push_back((Priority::Interactive, delivery));
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
