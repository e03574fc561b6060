use uuid::Uuid;

use crate::{DeadJob, Store, StoreError};

impl Store {
    /// Jobs that were given up, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn dead_jobs(&self, limit: i64) -> Result<Vec<DeadJob>, StoreError> {
        let _ = limit;
        todo!()
    }

    /// One job that was given up, with every attempt.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn dead_job(&self, job: Uuid) -> Result<Option<DeadJob>, StoreError> {
        let _ = job;
        todo!()
    }

    /// Puts a job that was given up back on its way, as a submission of its own (`replay`) that ends with its own event.
    /// False where the job was not given up, or was erased.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replay(&self, job: Uuid, replay: Uuid) -> Result<bool, StoreError> {
        let _ = (job, replay);
        todo!()
    }
}
