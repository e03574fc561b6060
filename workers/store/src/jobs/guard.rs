//! The doors to a tenant's rows: each transaction begins with its tenant, and each write of a job checks the lease.

use sqlx::{AssertSqlSafe, Postgres, Transaction};
use uuid::Uuid;

use crate::{Lease, Store, StoreError};

/// A transaction whose statements see one tenant's rows.
pub(crate) type Tx = Transaction<'static, Postgres>;

impl Store {
    /// Opens a transaction for one tenant.
    pub(crate) async fn in_tenant(&self, tenant: &str) -> Result<Tx, StoreError> {
        self.begin("begin", tenant).await
    }

    /// Opens a transaction for one tenant that reads one state of the database, whatever is committed meanwhile.
    pub(crate) async fn snapshot(&self, tenant: &str) -> Result<Tx, StoreError> {
        self.begin("begin isolation level repeatable read, read only", tenant).await
    }

    /// Begins a transaction and tells it its tenant in one round trip.
    async fn begin(&self, begin: &str, tenant: &str) -> Result<Tx, StoreError> {
        // This way of sending two statements takes no parameters. In hexadecimal a name is no SQL, whatever it is.
        let name = hex::encode(tenant);
        let statements =
            format!(r"{begin}; select set_config('hirenet.tenant', convert_from('\x{name}'::bytea, 'UTF8'), true)");
        Ok(self.pool.begin_with(AssertSqlSafe(statements)).await?)
    }

    /// Opens a transaction that holds the job of a live lease.
    ///
    /// Locks are taken in one order everywhere: job, then interview. The row lock keeps a rival claim waiting until this
    /// transaction has ended, so a lease that is live here is live at the commit.
    pub(crate) async fn enter(&self, lease: &Lease) -> Result<Tx, StoreError> {
        let mut tx = self.in_tenant(&lease.tenant).await?;
        let held = sqlx::query_scalar!(
            "select job from hirenet.jobs
            where job = $1 and fence = $2 and state = 'running' and lease_until > clock_timestamp() for update",
            lease.job,
            lease.fence
        )
        .fetch_optional(&mut *tx)
        .await?;
        if held.is_some() { Ok(tx) } else { Err(StoreError::LeaseLost(lease.job)) }
    }

    /// As [`Store::enter`], in the same round trip with the modalities that the interview has now. Its row is not locked.
    pub(crate) async fn enter_interview(&self, lease: &Lease) -> Result<(Tx, Vec<String>), StoreError> {
        let mut tx = self.in_tenant(&lease.tenant).await?;
        // Each table by its key and not by a join: a plan that was made while the tables were empty stays good.
        let modalities = sqlx::query_scalar!(
            "with held as (
                select job from hirenet.jobs
                where job = $1 and fence = $2 and state = 'running' and lease_until > clock_timestamp() for update)
            select i.modalities from held, hirenet.interviews i where i.interview = $3",
            lease.job,
            lease.fence,
            lease.interview
        )
        .fetch_optional(&mut *tx)
        .await?;
        modalities.map(|modalities| (tx, modalities)).ok_or(StoreError::LeaseLost(lease.job))
    }

    /// True where an erasure or a withdrawal of consent has ended the job.
    pub(crate) async fn was_ended(&self, job: Uuid) -> Result<bool, StoreError> {
        let state = sqlx::query_scalar!("select state from hirenet.jobs where job = $1", job);
        Ok(state.fetch_optional(&self.pool).await?.as_deref() == Some("erased"))
    }
}
