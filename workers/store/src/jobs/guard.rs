//! The door to every write: the lease is checked and the tenant set in the same statement that locks the job.

use sqlx::{Postgres, Transaction};

use crate::{Lease, Store, StoreError};

/// A transaction whose statements see one tenant's rows.
pub(crate) type Tx = Transaction<'static, Postgres>;

/// What the locks of [`Store::in_names`], and of an admission, are called, in their order.
pub(crate) fn names(tenant: &str, candidate: Option<&str>, interview_id: Option<&str>) -> Vec<String> {
    let key = |kind: &str, name: &str| format!("{kind}\u{1f}{tenant}\u{1f}{name}");
    candidate.map(|c| key("candidate", c)).into_iter().chain(interview_id.map(|i| key("interview", i))).collect()
}

impl Store {
    /// Opens a transaction for one tenant.
    pub(crate) async fn in_tenant(&self, tenant: &str) -> Result<Tx, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query_scalar!("select set_config('hirenet.tenant', $1, true)", tenant).fetch_one(&mut *tx).await?;
        Ok(tx)
    }

    /// Opens a transaction for one tenant that keeps an admission, an erasure and a withdrawal of the same interview or
    /// candidate apart: the later one sees what the earlier one has committed. A candidate's lock comes before an
    /// interview's, everywhere.
    pub(crate) async fn in_names(
        &self,
        tenant: &str,
        candidate: Option<&str>,
        interview_id: Option<&str>,
    ) -> Result<Tx, StoreError> {
        let names = names(tenant, candidate, interview_id);
        let mut tx = self.pool.begin().await?;
        sqlx::query!(
            r#"select set_config('hirenet.tenant', $1, true), pg_advisory_xact_lock(hashtextextended(name, 0))
            from unnest($2::text[]) with ordinality as n(name, place) order by place"#,
            tenant,
            &names
        )
        .fetch_all(&mut *tx)
        .await?;
        Ok(tx)
    }

    /// Opens a transaction that holds the job of a live lease, for the tenant that the job's own row names.
    ///
    /// Locks are taken in one order everywhere: job, then interview. The row lock keeps a rival claim waiting until this
    /// transaction has ended, so a lease that is live here is live at the commit.
    pub(crate) async fn enter(&self, lease: &Lease) -> Result<Tx, StoreError> {
        let mut tx = self.pool.begin().await?;
        let held = sqlx::query_scalar!("select job from hirenet.enter($1, $2)", lease.job, lease.fence);
        if held.fetch_one(&mut *tx).await?.is_some() { Ok(tx) } else { Err(StoreError::LeaseLost(lease.job)) }
    }
}
