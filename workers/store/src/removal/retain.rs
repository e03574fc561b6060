use crate::{Retained, RetentionDays, Store, StoreError};

impl Store {
    /// Removes what has reached the end of its retention, at most `limit` rows of a class, on the database's clock. Safe to
    /// run by any number of workers at once.
    ///
    /// # Errors
    /// [`StoreError::Setting`] where `days` breaks a floor or ceiling, or where the database fails.
    pub async fn retain(&self, days: &RetentionDays, limit: i64) -> Result<Retained, StoreError> {
        let _ = (days, limit);
        todo!()
    }
}
