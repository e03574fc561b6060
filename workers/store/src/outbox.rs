//! What is to be published: rows written in the transaction that they follow from.

use std::time::Duration;

use uuid::Uuid;

use crate::{Destination, Store, StoreError};

/// One message to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// The message's id.
    pub id: Uuid,
    /// The store's own id of the interview, where there is one.
    pub interview: Option<Uuid>,
    /// Where it goes.
    pub destination: Destination,
    /// `STAGE.PRIORITY` for stage and wait, the event's name for event, empty for dead.
    pub routing_key: String,
    /// How long it waits first; zero but for [`Destination::Wait`].
    pub delay: Duration,
    /// Type of the message: `job`, the event's name, or `dead`.
    pub kind: String,
    /// The message: JSON.
    pub payload: Vec<u8>,
    /// W3C `traceparent` of the message that it follows from.
    pub trace: Option<String>,
}

/// What one relay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relayed {
    /// Rows handed to the publisher.
    pub taken: usize,
    /// Rows that were confirmed and are gone from the outbox.
    pub published: usize,
}
impl Store {
    /// Hands up to about `limit` rows to `publish`, which returns the ids that the broker has confirmed; those rows are
    /// removed. Rows of one interview are handed over in the order of their transactions, and never to two relays at once.
    /// A row that is not confirmed stays, as do the later ones of its interview, so that the order holds.
    ///
    /// The transaction is open while `publish` runs, which must therefore end within a time of its own.
    ///
    /// # Errors
    /// Where the database fails. Rows that were confirmed are then published again: a consumer knows them by their id.
    pub async fn relay<F, R>(&self, limit: i64, publish: F) -> Result<Relayed, StoreError>
    where
        F: FnOnce(Vec<OutboxRow>) -> R,
        R: Future<Output = Vec<Uuid>>,
    {
        let _ = (limit, publish);
        todo!()
    }
}
