use crate::{ResultFilter, ResultRow, Store, StoreError};

impl Store {
    /// Rows of the view `interview_results`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn results(&self, filter: &ResultFilter) -> Result<Vec<ResultRow>, StoreError> {
        let _ = filter;
        todo!()
    }
}
