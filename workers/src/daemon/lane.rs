//! A stage's slots, and the deliveries that fill them.

mod source;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hirenet_queue::{Delivery, Priority, Stage};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error, info_span};

use crate::daemon::context::{AWAY, Context, Settle};
use crate::daemon::observe::events::DeliveryTaken;
use crate::daemon::shutdown::Shutdown;
use crate::daemon::stages;
use crate::telemetry;
use source::{Found, Source};

/// What a broker that answers at all has answered by then: a message that is on its way when the worker stops is given
/// back in order.
const LAST_ANSWER: Duration = Duration::from_secs(2);

/// Serves a stage until the worker stops, and returns when nothing of it is in hand any more.
///
/// A message is taken for a slot that is free and for no other reason: a lane never holds more deliveries than it has
/// slots, and no delivery waits for the job of another one. [`Source`] says how, and in which order they come where the lane
/// serves both priorities and not `only` one.
pub(crate) async fn serve(context: Arc<Context>, stage: Stage, only: Option<Priority>, slots: usize) {
    let free = Arc::new(Semaphore::new(slots));
    let running = TaskTracker::new();
    let mut source = Source::new(&context, stage, only, free.clone());
    loop {
        // The semaphore is never closed.
        let slot = tokio::select! {
            biased;
            () = context.shutdown.stopping() => break,
            slot = free.clone().acquire_owned() => slot,
            never = source.tend() => match never {},
        };
        let found = tokio::select! {
            biased;
            found = source.next(&context.shutdown) => found,
            () = too_late(&context) => None,
        };
        let Some(Found { delivery, priority, pushed }) = found else { break };
        // It came by a connection that was lost since: the broker gives it out again.
        if !delivery.is_current() {
            continue;
        }
        if is_stopping(&context.shutdown).await {
            context.settle(delivery, Settle::GiveBack).await;
            break;
        }
        let context = context.clone();
        running.spawn(async move {
            take(&context, stage, priority, delivery).await;
            // In this order: what is counted as pushed has its slot, or the window would be made too wide.
            drop(pushed);
            drop(slot);
        });
    }
    source.close().await;
    running.close();
    running.wait().await;
}

/// Returns once the worker has been stopping for so long that an answer of the broker is not to be expected.
async fn too_late(context: &Context) {
    context.shutdown.stopping().await;
    tokio::time::sleep(LAST_ANSWER).await;
}

async fn is_stopping(shutdown: &Shutdown) -> bool {
    tokio::select! {
        biased;
        () = shutdown.stopping() => true,
        () = std::future::ready(()) => false,
    }
}

async fn take(context: &Arc<Context>, stage: Stage, priority: Priority, delivery: Delivery) {
    let _in_hand = context.take_in_hand();
    DeliveryTaken { stage, priority, redelivered: delivery.is_redelivered(), waited: delivery.waited() }.emit();
    let span = info_span!("stage", otel.name = stage.as_str(), stage = stage.as_str());
    telemetry::continue_from(&span, delivery.trace());
    // A panic ends at its message.
    let handled = AssertUnwindSafe(stages::handle(context, stage, &delivery)).catch_unwind().instrument(span).await;
    let settle = handled.unwrap_or_else(|_| {
        // Not the error: it holds the panic's words, and they may quote a candidate's. Where it was, the log says.
        error!(stage = stage.as_str(), "a stage panicked outside of its job");
        Settle::Wait(AWAY)
    });
    context.settle(delivery, settle).await;
}
