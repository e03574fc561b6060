//! What is to be published: rows written in the transaction that they follow from.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{Connection, Postgres, Transaction};
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

/// What orders a row.
struct Taken {
    seq: i64,
    key: Uuid,
    id: Uuid,
}

impl Store {
    /// True where anything waits to be published, be it in the hands of another relay.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn has_outbox(&self) -> Result<bool, StoreError> {
        let waits = sqlx::query_scalar!(r#"select exists (select from hirenet.outbox) as "waits!""#);
        let mut connection = self.connection().await?;
        let waits = waits.fetch_one(&mut *connection).await?;
        self.keep(connection);
        Ok(waits)
    }

    /// Hands up to `limit` rows to `publish`, which returns the ids that the broker has confirmed; those rows are removed. They
    /// come in the order of their transactions, and those of one interview are never in the hands of two relays at once. A row
    /// that is not confirmed stays, as do the later ones of its interview, so that the order holds.
    ///
    /// The transaction is open while `publish` runs, which must therefore end within a time of its own. It is not called
    /// where there is nothing to publish.
    ///
    /// # Errors
    /// Where the database fails. Rows that were confirmed are then published again: a consumer knows them by their id.
    pub async fn relay<F, R>(&self, limit: i64, publish: F) -> Result<Relayed, StoreError>
    where
        F: FnOnce(Vec<OutboxRow>) -> R,
        R: Future<Output = Vec<Uuid>>,
    {
        let mut connection = self.connection().await?;
        let mut tx = connection.begin().await?;
        let (taken, rows) = take(&mut tx, limit).await?;
        if taken.is_empty() {
            return Ok(Relayed::default());
        }
        let confirmed = publish(rows).await;
        let gone = unbroken(&taken, &confirmed.into_iter().collect());
        let relayed = Relayed { taken: taken.len(), published: gone.len() };
        if relayed.published == relayed.taken {
            tx.commit().await?;
            self.keep(connection);
            return Ok(relayed);
        }
        // All are there again, for a moment also those that were confirmed.
        tx.rollback().await?;
        sqlx::query!("delete from hirenet.outbox where seq = any($1)", &gone).execute(&self.pool).await?;
        Ok(relayed)
    }
}

/// Removes up to `limit` rows, the oldest whose keys no other relay holds, and gives them in their order.
///
/// A key is held by a lock of its name until the transaction ends, and with it all rows of the key that this statement sees. One that
/// another relay has published meanwhile is gone when it is to be removed, and is not given.
async fn take(tx: &mut Transaction<'_, Postgres>, limit: i64) -> Result<(Vec<Taken>, Vec<OutboxRow>), StoreError> {
    // No join, and one index: statistics of a moment at which the outbox was empty cannot lead to a plan that reads a long one
    // again and again. Names are locked of the rows alone that are asked for, since the rows come one by one.
    let mut found = sqlx::query!(
        r#"with waiting as materialized (select o.seq, o.key from hirenet.outbox o order by o.seq),
        mine as materialized (
            select w.seq from waiting w where pg_try_advisory_xact_lock(hashtextextended(w.key::text, 1)) limit $1)
        delete from hirenet.outbox o where o.seq = any (array(select m.seq from mine m))
        returning o.seq, o.key, o.id, o.interview, o.destination, o.routing_key, o.delay_s, o.kind,
            o.payload::text as "payload!", o.trace"#,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    found.sort_unstable_by_key(|row| row.seq);
    let taken = found.iter().map(|row| Taken { seq: row.seq, key: row.key, id: row.id }).collect();
    let rows = found.into_iter().map(|row| {
        let destination = Destination::from_word(&row.destination)
            .ok_or_else(|| StoreError::corrupt("outbox row", "its destination is not known here"))?;
        Ok(OutboxRow {
            id: row.id,
            interview: row.interview,
            destination,
            routing_key: row.routing_key,
            delay: Duration::from_secs(row.delay_s.max(0) as u64),
            kind: row.kind,
            payload: row.payload.into_bytes(),
            trace: row.trace,
        })
    });
    Ok((taken, rows.collect::<Result<_, StoreError>>()?))
}

/// Of each key the confirmed rows before the first that is not confirmed.
fn unbroken(taken: &[Taken], confirmed: &HashSet<Uuid>) -> Vec<i64> {
    let mut broken = HashSet::new();
    let mut gone = Vec::new();
    for Taken { seq, key, id } in taken {
        if broken.contains(key) {
            continue;
        }
        if confirmed.contains(id) {
            gone.push(*seq);
        } else {
            broken.insert(*key);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(seq: i64, key: u128, id: u128) -> Taken {
        Taken { seq, key: Uuid::from_u128(key), id: Uuid::from_u128(id) }
    }

    #[test]
    fn what_follows_an_unconfirmed_row_of_its_key_stays() {
        let rows = [taken(1, 7, 1), taken(2, 8, 2), taken(3, 7, 3), taken(4, 7, 4), taken(5, 8, 5)];
        let confirmed = |ids: &[u128]| ids.iter().map(|id| Uuid::from_u128(*id)).collect();
        assert_eq!(unbroken(&rows, &confirmed(&[1, 2, 4, 5])), [1, 2, 5]);
        assert_eq!(unbroken(&rows, &confirmed(&[3, 4, 5])), Vec::<i64>::new());
    }
}
