//! The door to every write: the lease is checked and the tenant set in the same statement that locks the job.

use sqlx::{Postgres, Transaction};

use crate::{Lease, Store, StoreError};

/// A transaction whose statements see one tenant's rows.
pub(crate) type Tx = Transaction<'static, Postgres>;

impl Store {
    /// Opens a transaction for one tenant.
    pub(crate) async fn in_tenant(&self, tenant: &str) -> Result<Tx, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query_scalar!("select set_config('hirenet.tenant', $1, true)", tenant).fetch_one(&mut *tx).await?;
        Ok(tx)
    }

    /// Opens a transaction that holds the job of a live lease, for the tenant that the job's own row names.
    ///
    /// Locks are taken in one order everywhere: job, then interview. The row lock keeps a rival claim waiting until this
    /// transaction has ended, so a lease that is live here is live at the commit.
    pub(crate) async fn enter(&self, lease: &Lease) -> Result<Tx, StoreError> {
        let mut tx = self.pool.begin().await?;
        let held = sqlx::query_scalar!(
            r#"with held as (
                select tenant from hirenet.jobs
                where job = $1 and fence = $2 and state = 'running' and lease_until > clock_timestamp() for update)
            select set_config('hirenet.tenant', tenant, true) from held"#,
            lease.job,
            lease.fence
        )
        .fetch_optional(&mut *tx)
        .await?;
        if held.is_some() { Ok(tx) } else { Err(StoreError::LeaseLost(lease.job)) }
    }
}
