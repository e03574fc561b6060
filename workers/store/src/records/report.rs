use crate::{Store, StoreError, StoredReport};

impl Store {
    /// The shown assessment of an interview, by the tenant's id of it; `None` where it has none.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn report(&self, tenant: &str, interview_id: &str) -> Result<Option<StoredReport>, StoreError> {
        let _ = (tenant, interview_id);
        todo!()
    }
}
