use std::time::Duration;

use uuid::Uuid;

use crate::{Claim, Lease, Store, StoreError};

impl Store {
    /// Claims a job for `worker` for the time of `lease`.
    ///
    /// A claim that is found to have run out counts as a death of its worker: the job is next run alone, and a job whose
    /// worker died alone too often is buried here with [`hirenet_core::Code::WorkerDied`].
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn claim(&self, job: Uuid, worker: Uuid, lease: Duration) -> Result<Claim, StoreError> {
        let _ = (job, worker, lease);
        todo!()
    }

    /// Renews a lease for the time of `lease` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: stop working on the job.
    pub async fn heartbeat(&self, held: &Lease, lease: Duration) -> Result<(), StoreError> {
        let _ = (held, lease);
        todo!()
    }
}
