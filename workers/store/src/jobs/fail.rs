use std::time::Duration;

use hirenet_core::{Code, Kind, Reason};
use serde_json::json;
use uuid::Uuid;

use super::extract::enqueue_score_when_last;
use super::guard::Tx;
use crate::intake::submission::{self, Ending};
use crate::{FinalState, Lease, Store, StoreError};

/// A job to give up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buried<'a> {
    pub(crate) job: Uuid,
    pub(crate) code: Code,
    pub(crate) detail: &'a str,
}

impl Store {
    /// Gives the job back for another attempt after `delay` (in whole seconds, rounded up), through a wait queue. A code of an unknown
    /// kind counts towards [`Lease::failures`].
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn retry(&self, lease: &Lease, code: Code, detail: &str, delay: Duration) -> Result<(), StoreError> {
        let done = sqlx::query!(
            r#"with back as (
                update hirenet.jobs set state = 'ready', lease_until = null, failures = failures + $3, code = $4,
                    detail = $5, moved_at = now()
                where job = $1 and fence = $2 and state = 'running' and lease_until > clock_timestamp() returning *),
            attempt as (
                insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome, code,
                    detail)
                select job, attempts, tenant, fence, worker, deaths > 0, claimed_at, now(), 'retried', $4, $5 from back)
            insert into hirenet.outbox (key, interview, destination, routing_key, delay_s, kind, payload, trace)
            select interview, interview, 'wait', stage || '.' || priority, $6, 'job',
                json_build_object('version', 1, 'job', job, 'tenant', tenant, 'stage', stage), trace
            from back"#,
            lease.job,
            lease.fence,
            i32::from(code.kind() == Kind::Unknown),
            code.as_str(),
            detail,
            i32::try_from(delay.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
        )
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::LeaseLost(lease.job));
        }
        self.filled.notify_one();
        Ok(())
    }

    /// Gives the job up: a dead letter with its history. An answer stays away from the score with `code` as its reason, and
    /// the interview goes on; a score job fails its interview.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn bury(&self, lease: &Lease, code: Code, detail: &str) -> Result<(), StoreError> {
        let mut tx = self.enter(lease).await?;
        give_up(&mut tx, &Buried { job: lease.job, code, detail }).await?;
        tx.commit().await?;
        self.filled.notify_one();
        Ok(())
    }

    /// As [`Store::bury`], for a job that nobody holds because the broker gave its message up. False where the job was
    /// over, is unknown, or is being worked on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bury_undelivered(&self, job: Uuid, code: Code, detail: &str) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let free = sqlx::query_scalar!(
            r#"select job from hirenet.jobs
            where job = $1 and (state = 'ready' or (state = 'running' and lease_until <= clock_timestamp())) for update"#,
            job
        );
        if free.fetch_optional(&mut *tx).await?.is_none() {
            return Ok(false);
        }
        give_up(&mut tx, &Buried { job, code, detail }).await?;
        tx.commit().await?;
        self.filled.notify_one();
        Ok(true)
    }

    /// Hands the job back at once, unfinished and without a failure: the worker is going down. Its message must be
    /// returned to the broker unacknowledged, so nothing is published.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn hand_back(&self, lease: &Lease) -> Result<(), StoreError> {
        let done = sqlx::query!(
            r#"with back as (
                update hirenet.jobs set state = 'ready', lease_until = null, moved_at = now()
                where job = $1 and fence = $2 and state = 'running' and lease_until > clock_timestamp() returning *)
            insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome)
            select job, attempts, tenant, fence, worker, deaths > 0, claimed_at, now(), 'handed_back' from back"#,
            lease.job,
            lease.fence
        )
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost(lease.job)) }
    }
}

/// Gives a job up that this transaction has locked: job, attempt, what follows for the interview, and the dead letter.
pub(crate) async fn give_up(tx: &mut Tx, buried: &Buried<'_>) -> Result<(), StoreError> {
    let job = sqlx::query!(
        r#"with over as (
            update hirenet.jobs set state = 'failed', lease_until = null, fence = fence + 1, code = $2, detail = $3,
                moved_at = now(), ended_at = now()
            where job = $1 returning *),
        attempt as (
            insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome, code, detail)
            -- As it stood before this statement.
            select job, attempts, tenant, fence, worker, deaths > 0, claimed_at, now(), 'buried', $2, $3
            from hirenet.jobs where job = $1 and state = 'running')
        select set_config('hirenet.tenant', tenant, true) as "tenant!", interview as "interview!",
            interview_id as "interview_id!", stage as "stage!", answer, bundle
        from over"#,
        buried.job,
        buried.code.as_str(),
        buried.detail
    )
    .fetch_one(&mut **tx)
    .await?;
    if let Some(answer) = job.answer {
        // The job's own words are for operators: a reader of results gets the code's meaning.
        let reasons = json!([Reason::new(buried.code)]);
        sqlx::query!(
            "update hirenet.answers set state = 'failed', reasons = $3 where interview = $1 and answer = $2",
            job.interview,
            answer,
            reasons
        )
        .execute(&mut **tx)
        .await?;
        enqueue_score_when_last(tx, job.interview).await?;
    } else if job.bundle.is_none() {
        fail_interview(tx, job.interview, buried.code).await?;
    }
    letter(tx, buried, &job.stage).await
}

async fn fail_interview(tx: &mut Tx, interview: Uuid, code: Code) -> Result<(), StoreError> {
    sqlx::query!(
        r#"update hirenet.interviews set status = 'failed', final_at = coalesce(final_at, now()), changed_at = now(),
            reasons = reasons || $2::jsonb
        where interview = $1 and status <> 'erased'"#,
        interview,
        json!([Reason::new(code)])
    )
    .execute(&mut **tx)
    .await?;
    let reasons = [code.as_str().to_owned()];
    let ending = Ending { state: FinalState::Failed, code: Some(code), reasons: &reasons, bundle: None };
    submission::end_all(tx, interview, &ending).await?;
    Ok(())
}

/// The dead letter of a job: references, codes and its whole history, nothing of the candidate.
async fn letter(tx: &mut Tx, buried: &Buried<'_>, stage: &str) -> Result<(), StoreError> {
    let kind = format!("{:?}", buried.code.kind()).to_lowercase();
    sqlx::query!(
        r#"with history as (
            select json_agg(json_build_object('attempt', attempt, 'worker', worker, 'alone', alone, 'started_at', started_at,
                'ended_at', ended_at, 'outcome', outcome, 'code', code, 'detail', detail) order by attempt) as attempts
            from hirenet.attempts where job = $1),
        message as (
            insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload, trace)
            select j.interview, j.interview, 'dead', '', 'dead', json_build_object('version', 1, 'job', j.job,
                'interview', j.interview, 'tenant', j.tenant, 'interview_id', j.interview_id, 'stage', j.stage, 'answer', j.answer, 'kind', $4::text,
                'code', $2::text, 'detail', $3::text, 'attempts', coalesce(h.attempts, '[]'::json)), j.trace
            from hirenet.jobs j, history h where j.job = $1)
        insert into hirenet.audit (action, tenant, interview, job, code)
        select 'buried_' || $5::text, tenant, interview, job, $2 from hirenet.jobs where job = $1"#,
        buried.job,
        buried.code.as_str(),
        buried.detail,
        kind,
        stage
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
