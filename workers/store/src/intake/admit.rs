use crate::{Admission, AdmitPlan, Store, StoreError};

impl Store {
    /// Admits an interview: its rows, a job an answer and their messages, in one transaction.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    pub async fn admit(&self, plan: &AdmitPlan<'_>) -> Result<Admission, StoreError> {
        let _ = plan;
        todo!()
    }
}
