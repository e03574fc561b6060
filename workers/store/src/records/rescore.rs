use crate::{RescoreScope, Store, StoreError};

impl Store {
    /// Puts a score job on its way for every assessed interview in `scope` that has no current assessment under `bundle`.
    /// Nothing is extracted anew. Returns the number of jobs.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rescore(&self, bundle: &str, scope: &RescoreScope) -> Result<u64, StoreError> {
        let _ = (bundle, scope);
        todo!()
    }
}
