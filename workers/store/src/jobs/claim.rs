use std::time::Duration;

use hirenet_core::Code;
use uuid::Uuid;

use super::fail::{Buried, give_up};
use crate::{Claim, Lease, Priority, Stage, Store, StoreError};

impl Store {
    /// Claims a job for `worker` for the time of `lease`.
    ///
    /// A claim that is found to have run out counts as a death of its worker: the job is next run alone, and a job whose
    /// worker died alone too often is buried here with [`Code::WorkerDied`].
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn claim(&self, job: Uuid, worker: Uuid, lease: Duration) -> Result<Claim, StoreError> {
        if let Some(lease) = self.claim_ready(job, worker, lease).await? {
            return Ok(Claim::Run(Box::new(lease)));
        }
        let row = sqlx::query!(
            r#"select state, extract(epoch from lease_until - clock_timestamp())::float8 as left_s
            from hirenet.jobs where job = $1"#,
            job
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(Claim::Gone) };
        match (row.state.as_str(), row.left_s) {
            // Handed back in between.
            ("ready", _) => Ok(Claim::Busy { retry_after: Duration::ZERO }),
            ("running", Some(left)) if left > 0.0 => Ok(Claim::Busy { retry_after: Duration::from_secs_f64(left) }),
            ("running", _) => self.claim_after_death(job, worker, lease).await,
            ("erased", _) => Ok(Claim::Gone),
            _ => Ok(Claim::Ended),
        }
    }

    async fn claim_ready(&self, job: Uuid, worker: Uuid, lease: Duration) -> Result<Option<Lease>, StoreError> {
        let mut connection = self.connection().await?;
        let row = sqlx::query!(
            r#"update hirenet.jobs set state = 'running', fence = fence + 1, attempts = attempts + 1, worker = $2,
                lease_until = clock_timestamp() + make_interval(secs => $3), claimed_at = now(), moved_at = now()
            where job = $1 and state = 'ready'
            returning tenant, interview, interview_id, stage, answer, priority, fence, attempts, failures,
                deaths > 0 as "alone!", trace, extract(epoch from clock_timestamp() - created_at)::float8 as "age_s!""#,
            job,
            worker,
            lease.as_secs_f64()
        )
        .fetch_optional(&mut *connection)
        .await?;
        self.keep(connection);
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Lease {
            job,
            tenant: row.tenant,
            stage: stage(&row.stage)?,
            interview: row.interview,
            interview_id: row.interview_id,
            answer: row.answer,
            priority: priority(&row.priority)?,
            fence: row.fence,
            attempt: row.attempts,
            failures: row.failures,
            alone: row.alone,
            age: Duration::from_secs_f64(row.age_s.max(0.0)),
            trace: row.trace,
        }))
    }

    /// Counts the death of the worker whose lease ran out, then claims the job or buries it. Only deaths while alone count
    /// towards burying: beside others, any of them may have been the killer.
    async fn claim_after_death(&self, job: Uuid, worker: Uuid, lease: Duration) -> Result<Claim, StoreError> {
        let mut tx = self.pool.begin().await?;
        let dead = sqlx::query!(
            r#"with dead as (
                select *, deaths > 0 as alone from hirenet.jobs
                where job = $1 and state = 'running' and lease_until <= clock_timestamp() for update),
            attempt as (
                insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome, code)
                select job, attempts, tenant, fence, worker, alone, claimed_at, now(), 'died', $2 from dead)
            update hirenet.jobs j set state = 'ready', lease_until = null, fence = j.fence + 1, deaths = j.deaths + 1,
                alone_deaths = j.alone_deaths + dead.alone::int, code = $2, moved_at = now()
            from dead where j.job = dead.job returning j.alone_deaths"#,
            job,
            Code::WorkerDied.as_str()
        )
        .fetch_optional(&mut *tx)
        .await?;
        // A rival was faster, or the holder came back with a heartbeat in between.
        let Some(dead) = dead else { return Ok(Claim::Busy { retry_after: lease / 3 }) };
        if dead.alone_deaths >= self.max_alone_deaths {
            let detail = format!("{} workers died while they ran this job alone", dead.alone_deaths);
            give_up(&mut tx, &Buried { job, code: Code::WorkerDied, detail: &detail }).await?;
            tx.commit().await?;
            self.filled.notify_one();
            return Ok(Claim::Ended);
        }
        tx.commit().await?;
        match self.claim_ready(job, worker, lease).await? {
            Some(lease) => Ok(Claim::Run(Box::new(lease))),
            None => Ok(Claim::Busy { retry_after: lease / 3 }),
        }
    }

    /// Renews a lease for the time of `lease` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: stop working on the job.
    pub async fn heartbeat(&self, held: &Lease, lease: Duration) -> Result<(), StoreError> {
        // A lease that has run out is not revived: a rival may be about to claim it.
        let done = sqlx::query!(
            r#"update hirenet.jobs set lease_until = clock_timestamp() + make_interval(secs => $3)
            where job = $1 and fence = $2 and state = 'running' and lease_until > clock_timestamp()"#,
            held.job,
            held.fence,
            lease.as_secs_f64()
        )
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost(held.job)) }
    }
}

pub(crate) fn stage(text: &str) -> Result<Stage, StoreError> {
    Stage::from_word(text).ok_or_else(|| StoreError::corrupt("job", "its stage is not known here"))
}

pub(crate) fn priority(text: &str) -> Result<Priority, StoreError> {
    Priority::from_word(text).ok_or_else(|| StoreError::corrupt("job", "its priority is not known here"))
}
