use std::time::Duration;

use crate::{OutboxState, Status, Store, StoreError};

impl Store {
    /// What waits, runs, and does not move for `stuck_after`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn status(&self, stuck_after: Duration) -> Result<Status, StoreError> {
        let _ = stuck_after;
        todo!()
    }

    /// What waits to be published.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn outbox_state(&self) -> Result<OutboxState, StoreError> {
        todo!()
    }
}
