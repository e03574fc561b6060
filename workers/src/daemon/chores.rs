//! What a worker does beside its jobs: it shows that it lives, ends what has reached its retention, and, where it is
//! told to, sees when there is nothing left to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hirenet_core::{Code, Coded};
use hirenet_queue::{Priority, QueueError, Stage, WAITS_S};
use hirenet_store::WorkerBeat;
use tracing::{debug, info, warn};

use crate::daemon::context::Context;
use crate::daemon::observe::events::{ConnectionLost, EraseCause, InterviewsErased, Peer};
use crate::failure::Failure;

/// Rows of a class that one run of the retention removes.
const RETAIN_AT_ONCE: i64 = 1000;
/// Between two looks whether everything is done.
const DRAIN_LOOK: Duration = Duration::from_millis(200);
/// Looks in a row that must find nothing: a message on its way between two queues is in neither for a moment.
const DRAIN_LOOKS: u32 = 3;

/// The worker's own row, renewed until the worker stops.
pub(crate) async fn beat(context: Arc<Context>, stages: Vec<String>) {
    let host = host();
    let beat = WorkerBeat {
        worker: context.worker,
        host: &host,
        version: env!("CARGO_PKG_VERSION"),
        stages: &stages,
        slots: i32::try_from(context.config.work.slots).unwrap_or(i32::MAX),
    };
    loop {
        context.health.beat();
        if let Err(error) = context.store.beat(&beat).await {
            debug!(%error, "the worker's row could not be renewed");
        }
        tokio::select! {
            () = context.shutdown.stopping() => return,
            () = tokio::time::sleep(Duration::from_secs_f64(context.config.work.beat_s)) => {}
        }
    }
}

/// Counts each loss of the connection to the broker, for as long as the worker runs.
pub(crate) async fn count_losses(context: Arc<Context>) {
    let mut losses = context.broker.losses();
    let mut counted = 0;
    loop {
        let lost = *losses.borrow_and_update();
        for _ in counted..lost {
            ConnectionLost { peer: Peer::Broker, code: Code::BrokerUnavailable }.emit();
        }
        counted = lost;
        if losses.changed().await.is_err() {
            return;
        }
    }
}

fn host() -> String {
    // What gethostname(2) tells; empty where /proc is not mounted.
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// Removes what has reached the end of its retention, until the worker stops.
pub(crate) async fn retain(context: Arc<Context>) {
    let retention = &context.config.retention;
    if retention.interval_s <= 0.0 {
        return;
    }
    loop {
        match context.store.retain(&retention.days, RETAIN_AT_ONCE).await {
            Ok(removed) => {
                if removed.interviews > 0 {
                    InterviewsErased { cause: EraseCause::Retention, interviews: removed.interviews }.emit();
                }
                let (tracks, transcripts, audit) = (removed.tracks, removed.transcripts, removed.audit);
                if tracks + transcripts + audit > 0 {
                    info!(tracks, transcripts, audit, "removed at the end of their retention");
                }
            }
            Err(error) => warn!(code = error.code().as_str(), %error, "the retention could not run"),
        }
        // Jitter: the workers of one start do not look in step.
        let pause = Duration::from_secs_f64(retention.interval_s * (0.5 + 0.5 * fastrand::f64()));
        tokio::select! {
            () = context.shutdown.stopping() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Stops the worker once its stages' queues, the wait queues and the outbox are empty and nothing is in hand.
pub(crate) async fn drain(context: Arc<Context>, stages: Vec<Stage>) {
    let mut empty = 0;
    while empty < DRAIN_LOOKS {
        tokio::select! {
            () = context.shutdown.stopping() => return,
            () = tokio::time::sleep(DRAIN_LOOK) => {}
        }
        empty = match is_empty(&context, &stages).await {
            Ok(true) => empty + 1,
            Ok(false) => 0,
            Err(failure) => {
                debug!(%failure, "it cannot be seen whether the queues are empty");
                0
            }
        };
    }
    info!("the queues are empty");
    context.shutdown.stop();
}

async fn is_empty(context: &Context, stages: &[Stage]) -> Result<bool, Failure> {
    if context.in_hand.load(Ordering::SeqCst) > 0 || context.store.outbox_state().await?.rows > 0 {
        return Ok(false);
    }
    let names = context.names();
    let of_stages = stages.iter().flat_map(|stage| Priority::ALL.map(|priority| names.stage(*stage, priority)));
    let queues: Vec<String> = of_stages.chain(WAITS_S.map(|seconds| names.wait(seconds))).collect();
    for queue in queues {
        if context.broker.ready_messages(&queue).await.map_err(|error| asked(&error))? > 0 {
            return Ok(false);
        }
    }
    Ok(context.in_hand.load(Ordering::SeqCst) == 0)
}

fn asked(error: &QueueError) -> Failure {
    Failure::new(Code::BrokerUnavailable, error.to_string())
}
