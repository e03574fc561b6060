use crate::{ExportedInterview, Store, StoreError};

impl Store {
    /// Up to `limit` interviews of a tenant with their tracks, after the interview id `after`, in the order of ids.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn export(&self, tenant: &str, after: &str, limit: i64) -> Result<Vec<ExportedInterview>, StoreError> {
        let _ = (tenant, after, limit);
        todo!()
    }
}
