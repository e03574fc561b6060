use hirenet_core::EraseTarget;
use uuid::Uuid;

use crate::{Erasure, Store, StoreError};

impl Store {
    /// Erases an interview, or everything of a candidate: in one transaction all rows with content go, jobs in flight lose
    /// their lease, a tombstone keeps late deliveries from writing, and a receipt and the event remain.
    ///
    /// # Errors
    /// Where the database fails; nothing is erased then.
    pub async fn erase(
        &self,
        tenant: &str,
        target: &EraseTarget,
        job_id: Uuid,
        content_sha256: &str,
    ) -> Result<Erasure, StoreError> {
        let _ = (tenant, target, job_id, content_sha256);
        todo!()
    }
}
