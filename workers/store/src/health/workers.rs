use uuid::Uuid;

use crate::{Store, StoreError, WorkerBeat};

impl Store {
    /// Says that a worker lives.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn beat(&self, beat: &WorkerBeat<'_>) -> Result<(), StoreError> {
        let _ = beat;
        todo!()
    }

    /// Says that a worker ends in order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn worker_stopped(&self, worker: Uuid) -> Result<(), StoreError> {
        let _ = worker;
        todo!()
    }
}
