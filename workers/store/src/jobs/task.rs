use crate::{ExtractTask, Lease, ScoreTask, Store, StoreError};

impl Store {
    /// What the stage `extract` needs; `None` where consent to every modality was withdrawn meanwhile: the job is ended
    /// then, and nothing may be fetched.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn extract_task(&self, lease: &Lease) -> Result<Option<ExtractTask>, StoreError> {
        let _ = lease;
        todo!()
    }

    /// What the stage `score` needs.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn score_task(&self, lease: &Lease) -> Result<ScoreTask, StoreError> {
        let _ = lease;
        todo!()
    }
}
