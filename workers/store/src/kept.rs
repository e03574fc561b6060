//! Connections for the steps of jobs, kept at hand between two of them.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Store;

/// Connections of the pool that are left to everything else, the renewal of leases among it.
const FOR_OTHERS: u32 = 1;
/// A pool that has fewer keeps none.
const FEWEST: u32 = 4;
/// Every so many times one goes back to the pool, which retires connections that are old.
const TURNS: u32 = 1000;
/// One that was not used for so long goes back too: the pool asks whether it still answers.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// A connection, and when it was put here.
type Put = (PoolConnection<Postgres>, Instant);

/// The connections that no step has at the moment. What was used last comes first.
///
/// The pool asks each connection that comes back for its state: a round trip, after a step that is one round trip itself. One
/// whose statement has succeeded outside of a transaction has nothing to tell.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    connections: Arc<Mutex<Vec<Put>>>,
    /// One a connection that steps may have in hand.
    permits: Arc<Semaphore>,
    most: usize,
    turns: Arc<AtomicU32>,
}

/// A connection for one step. Dropped, it goes back to the pool, which mends what was left of a statement that failed or was given
/// up; [`Store::keep`] is for one that succeeded.
pub(crate) struct StepConnection {
    connection: PoolConnection<Postgres>,
    permit: OwnedSemaphorePermit,
}

impl Deref for StepConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for StepConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Kept {
    pub(crate) fn of(pool: &PgPool) -> Kept {
        let all = pool.options().get_max_connections();
        let most = if all < FEWEST { 0 } else { all - FOR_OTHERS } as usize;
        let at_once = if most == 0 { all as usize } else { most };
        Kept { connections: Arc::default(), permits: Arc::new(Semaphore::new(at_once)), most, turns: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Put>> {
        // Nothing that can panic runs under the lock.
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<PoolConnection<Postgres>> {
        let mut kept = self.lock();
        // From the oldest on, so these are the first.
        let too_old = kept.iter().take_while(|(_, since)| since.elapsed() > KEPT_FOR).count();
        kept.drain(..too_old);
        kept.pop().map(|(connection, _)| connection)
    }

    /// Gives all back. The pool must be closed to new ones, or others may follow.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }
}

impl Store {
    /// A connection for a step: one that is kept, else one of the pool.
    pub(crate) async fn connection(&self) -> Result<StepConnection, sqlx::Error> {
        let patience = self.pool.options().get_acquire_timeout();
        // The semaphore is never closed.
        let Ok(Ok(permit)) = timeout(patience, self.kept.permits.clone().acquire_owned()).await else {
            return Err(sqlx::Error::PoolTimedOut);
        };
        let connection = match self.kept.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        Ok(StepConnection { connection, permit })
    }

    /// Keeps a connection whose last statement has succeeded and which is in no transaction.
    pub(crate) fn keep(&self, step: StepConnection) {
        let StepConnection { connection, permit } = step;
        if self.kept.turns.fetch_add(1, Ordering::Relaxed) % TURNS == TURNS - 1 {
            return;
        }
        let mut kept = self.kept.lock();
        if kept.len() < self.kept.most && !self.pool.is_closed() {
            kept.push((connection, Instant::now()));
        }
        drop(kept);
        // Whoever waits for it finds the connection.
        drop(permit);
    }
}
