//! A stage's slots, and the deliveries that fill them.

use std::sync::Arc;
use std::time::Duration;

use hirenet_queue::{Delivery, Priority, QueueFetcher, Stage, Subscription};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, error, info_span};

use crate::daemon::context::{AWAY, Context, Settle};
use crate::daemon::observe::Part;
use crate::daemon::observe::events::DeliveryTaken;
use crate::daemon::stages;
use crate::telemetry;

/// Pauses between two looks into an empty queue of `bulk`: from the first, doubled, to the longest.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// Serves a stage until the worker stops, and returns when nothing of it is in hand any more.
///
/// Urgent messages are pushed, at most as many as there are slots; messages of `bulk` are fetched one by one, and only
/// when nothing urgent is there. So a worker holds no delivery that it does not work on, save urgent ones that wait for
/// the bulk jobs before them: no delivery is held for longer than two jobs take.
pub(crate) async fn serve(context: Arc<Context>, stage: Stage, slots: usize) {
    let free = Arc::new(Semaphore::new(slots));
    let running = TaskTracker::new();
    let mut source = Source::new(&context, stage, slots);
    loop {
        // The semaphore is never closed.
        let slot = tokio::select! {
            biased;
            () = context.shutdown.stopping() => break,
            slot = free.clone().acquire_owned() => slot,
        };
        let (delivery, priority) = tokio::select! {
            biased;
            () = context.shutdown.stopping() => break,
            next = source.next(&context) => next,
        };
        let context = context.clone();
        running.spawn(async move {
            let _slot = slot;
            take(&context, stage, priority, delivery).await;
        });
    }
    source.close().await;
    running.close();
    running.wait().await;
}

async fn take(context: &Arc<Context>, stage: Stage, priority: Priority, delivery: Delivery) {
    let _in_hand = context.take_in_hand();
    DeliveryTaken { stage, priority, redelivered: delivery.is_redelivered(), waited: delivery.waited() }.emit();
    let span = info_span!("stage", otel.name = stage.as_str(), stage = stage.as_str());
    telemetry::continue_from(&span, delivery.trace());
    let delivery = Arc::new(delivery);
    // A panic ends at its message: it becomes the error of a task.
    let handled = {
        let (context, delivery) = (context.clone(), delivery.clone());
        tokio::spawn(async move { stages::handle(&context, stage, &delivery).await }.instrument(span))
    };
    let settle = handled.await.unwrap_or_else(|panic| {
        error!(stage = stage.as_str(), %panic, "a stage panicked outside of its job");
        Settle::Wait(AWAY)
    });
    if let Ok(delivery) = Arc::try_unwrap(delivery) {
        context.settle(delivery, settle).await;
    } else {
        debug!("the delivery is still held; it is returned with its channel");
    }
}

/// Both queues of a stage.
struct Source {
    urgent: Subscription,
    bulk: QueueFetcher,
    /// True where the urgent queue has ended, which it does only when it was told to.
    ended: bool,
    pause: Duration,
}

impl Source {
    fn new(context: &Context, stage: Stage, slots: usize) -> Source {
        let names = context.names();
        Source {
            urgent: context.broker.subscribe(&names.stage(stage, Priority::Interactive), slots as u16),
            bulk: context.broker.fetcher(&names.stage(stage, Priority::Bulk)),
            ended: false,
            pause: LOOK_AGAIN[0],
        }
    }

    /// The next delivery: an urgent one where there is one, else one of `bulk`.
    async fn next(&mut self, context: &Context) -> (Delivery, Priority) {
        loop {
            if let Some(delivery) = self.urgent.try_next() {
                return self.found(delivery, Priority::Interactive);
            }
            match self.bulk.fetch().await {
                Ok(Some(delivery)) => return self.found(delivery, Priority::Bulk),
                Ok(None) => context.health.set(Part::Broker, true),
                Err(error) => {
                    context.health.set(Part::Broker, false);
                    debug!(%error, "the queue cannot be asked");
                }
            }
            tokio::select! {
                next = self.urgent.next(), if !self.ended => match next {
                    Some(delivery) => return self.found(delivery, Priority::Interactive),
                    None => self.ended = true,
                },
                () = tokio::time::sleep(self.pause) => self.pause = (self.pause * 2).min(LOOK_AGAIN[1]),
            }
        }
    }

    fn found(&mut self, delivery: Delivery, priority: Priority) -> (Delivery, Priority) {
        self.pause = LOOK_AGAIN[0];
        (delivery, priority)
    }

    /// Asks for no more, and returns what came and was not taken.
    async fn close(mut self) {
        self.urgent.stop();
        while let Some(delivery) = self.urgent.next().await {
            // Its channel is gone: the broker has it already.
            let _ = delivery.give_back().await;
        }
    }
}
