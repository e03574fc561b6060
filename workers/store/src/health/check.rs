use crate::{Store, StoreError, Violation};

impl Store {
    /// Looks for rows that break what must always hold (docs/invariants.md). Reads only.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn check(&self) -> Result<Vec<Violation>, StoreError> {
        todo!()
    }
}
