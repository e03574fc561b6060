use crate::{FinalState, Lease, ScoreOutcome, Store, StoreError};

impl Store {
    /// Stores an assessment with its spans, ends the job and every open submission of the interview, each with its event.
    /// A job that only rescores ends no submission.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails; nothing is written then.
    pub async fn finish_score(&self, lease: &Lease, outcome: &ScoreOutcome<'_>) -> Result<FinalState, StoreError> {
        let _ = (lease, outcome);
        todo!()
    }
}
