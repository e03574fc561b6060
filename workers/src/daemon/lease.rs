//! A lease that is kept alive while its job runs.

use std::sync::Arc;
use std::time::Duration;

use hirenet_store::{Lease, StoreError};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::daemon::context::Context;

/// Renewals in the time of one lease: two may fail.
const RENEWALS: u32 = 3;

/// Renews a lease until it is dropped, and tells when it is lost.
pub(crate) struct Heartbeat {
    lost: CancellationToken,
    task: AbortHandle,
}

impl Heartbeat {
    /// Begins to renew.
    pub(crate) fn start(context: &Arc<Context>, lease: &Lease) -> Heartbeat {
        let lost = CancellationToken::new();
        let task = tokio::spawn(renew(context.clone(), lease.clone(), lost.clone())).abort_handle();
        Heartbeat { lost, task }
    }

    /// Returns when another claim, an erasure or the clock has taken the lease away.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn renew(context: Arc<Context>, lease: Lease, lost: CancellationToken) {
    let time = context.config.work.lease();
    let beat = time / RENEWALS;
    loop {
        tokio::time::sleep(beat).await;
        while let Err(error) = context.store.heartbeat(&lease, time).await {
            if matches!(error, StoreError::LeaseLost(_)) {
                lost.cancel();
                return;
            }
            // The database's clock decides whether this was too late.
            debug!(job = %lease.job, %error, "the lease could not be renewed");
            tokio::time::sleep(beat.min(Duration::from_secs(1))).await;
        }
    }
}
