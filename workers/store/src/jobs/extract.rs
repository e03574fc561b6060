use crate::{ExtractOutcome, Lease, Store, StoreError};

impl Store {
    /// Stores what was extracted and ends the job. True where it was the last answer: the score job is on its way then.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails; nothing is written then.
    pub async fn finish_extract(&self, lease: &Lease, outcome: &ExtractOutcome) -> Result<bool, StoreError> {
        let _ = (lease, outcome);
        todo!()
    }
}
