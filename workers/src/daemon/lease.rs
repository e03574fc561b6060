//! A lease that is kept alive while its job runs.

use std::time::Duration;

use hirenet_store::{Lease, StoreError};
use tracing::debug;

use crate::daemon::context::Context;

/// Renewals in the time of one lease: two may fail.
const RENEWALS: u32 = 3;

/// Renews a lease for as long as it is polled, and returns when another claim, an erasure or the clock has taken it away.
pub(crate) async fn lost(context: &Context, lease: &Lease) {
    let time = context.config.work.lease();
    let beat = time / RENEWALS;
    loop {
        tokio::time::sleep(beat).await;
        while let Err(error) = context.store.heartbeat(lease, time).await {
            if matches!(error, StoreError::LeaseLost(_)) {
                return;
            }
            // The database's clock decides whether this was too late.
            debug!(job = %lease.job, %error, "the lease could not be renewed");
            tokio::time::sleep(beat.min(Duration::from_secs(1))).await;
        }
    }
}
