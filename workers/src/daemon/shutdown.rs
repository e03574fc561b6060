//! How a worker comes to its end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::failure::Failure;

/// The two steps of an end: no new work, then no work at all. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: CancellationToken,
    abandoning: CancellationToken,
    failure: Mutex<Option<Failure>>,
    handed_back: AtomicUsize,
}

impl Shutdown {
    /// No new work; what is in hand may finish.
    pub(crate) fn stop(&self) {
        self.shared.stopping.cancel();
    }

    /// What is in hand is handed back now.
    pub(crate) fn abandon(&self) {
        self.shared.stopping.cancel();
        self.shared.abandoning.cancel();
    }

    /// The worker cannot go on: it hands everything back and ends with this failure. The first one is kept.
    pub(crate) fn fail(&self, failure: Failure) {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        self.abandon();
    }

    /// Returns once there is to be no new work.
    pub(crate) async fn stopping(&self) {
        self.shared.stopping.cancelled().await;
    }

    /// Returns once what is in hand is to be handed back.
    pub(crate) async fn abandoning(&self) {
        self.shared.abandoning.cancelled().await;
    }

    /// True once what is in hand is to be handed back.
    pub(crate) fn is_abandoning(&self) -> bool {
        self.shared.abandoning.is_cancelled()
    }

    /// Counts a job that was handed back unfinished.
    pub(crate) fn count_handed_back(&self) {
        self.shared.handed_back.fetch_add(1, Ordering::Relaxed);
    }

    /// Jobs that were handed back unfinished.
    pub(crate) fn handed_back(&self) -> usize {
        self.shared.handed_back.load(Ordering::Relaxed)
    }

    /// Why the worker could not go on, where it could not.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Follows SIGTERM and SIGINT: the first stops, `grace` later or at the second everything is handed back.
    ///
    /// # Errors
    /// Where the signals cannot be listened to.
    pub(crate) fn follow_signals(&self, grace: Duration) -> std::io::Result<()> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(follow(self.clone(), terminate, interrupt, grace));
        Ok(())
    }
}

async fn follow(shutdown: Shutdown, mut terminate: Signal, mut interrupt: Signal, grace: Duration) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = shutdown.stopping() => {}
    }
    info!(grace_s = grace.as_secs_f64(), "stopping: no new work");
    shutdown.stop();
    tokio::select! {
        _ = terminate.recv() => info!("a second signal: what is in hand is handed back"),
        _ = interrupt.recv() => info!("a second signal: what is in hand is handed back"),
        () = tokio::time::sleep(grace) => info!("the grace time is over: what is in hand is handed back"),
    }
    shutdown.abandon();
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::Code;

    #[tokio::test]
    async fn the_first_failure_is_kept_and_stops_everything() {
        let shutdown = Shutdown::default();
        assert!(!shutdown.is_abandoning());
        shutdown.fail(Failure::new(Code::ModelMissing, "first"));
        shutdown.fail(Failure::new(Code::Internal, "second"));
        shutdown.stopping().await;
        shutdown.abandoning().await;
        assert_eq!(shutdown.take_failure().map(|f| f.to_string()), Some("first".to_owned()));
    }
}
