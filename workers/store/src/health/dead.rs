use uuid::Uuid;

use crate::intake::submission::{self, Incoming, Seen};
use crate::jobs::{Tx, stage};
use crate::removal::{end_score_jobs, lock_jobs_then_interviews};
use crate::{DeadJob, DroppedLetter, PastAttempt, Request, Stage, Store, StoreError};

impl Store {
    /// Jobs that were given up, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn dead_jobs(&self, limit: i64) -> Result<Vec<DeadJob>, StoreError> {
        self.dead(None, limit).await
    }

    /// One job that was given up, with every attempt.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn dead_job(&self, job: Uuid) -> Result<Option<DeadJob>, StoreError> {
        let Some(mut dead) = self.dead(Some(job), 1).await?.pop() else { return Ok(None) };
        dead.attempts = sqlx::query_as!(
            PastAttempt,
            "select attempt, worker, started_at, ended_at, outcome, code, detail from hirenet.attempts where job = $1
            order by attempt",
            job
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Some(dead))
    }

    async fn dead(&self, job: Option<Uuid>, limit: i64) -> Result<Vec<DeadJob>, StoreError> {
        let rows = sqlx::query!(
            r#"select job, tenant, stage, interview_id, code as "code!", detail, ended_at as "ended_at!" from hirenet.jobs
            where state = 'failed' and code is not null and ended_at is not null and ($1::uuid is null or job = $1) order by ended_at desc limit $2"#,
            job,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(DeadJob {
                    job: row.job,
                    tenant: row.tenant,
                    stage: stage(&row.stage)?,
                    interview_id: row.interview_id,
                    code: row.code,
                    detail: row.detail,
                    ended_at: row.ended_at,
                    attempts: Vec::new(),
                })
            })
            .collect()
    }

    /// Puts a job that was given up back on its way, as a submission of its own (`replay`) that ends with its own event.
    /// A score that is on its way without that answer is not made: the answer's end asks for another one.
    /// False where the job was not given up, or the same `replay` came before, or it is a score and an answer of the interview
    /// is on its way: the end of that answer asks for a score.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replay(&self, job: Uuid, replay: Uuid) -> Result<bool, StoreError> {
        let dead = sqlx::query!(
            "select tenant, interview, interview_id, bundle, stage from hirenet.jobs where job = $1 and state = 'failed'",
            job
        );
        let Some(dead) = dead.fetch_optional(&self.pool).await? else { return Ok(false) };
        let mut tx = self.in_tenant(&dead.tenant).await?;
        let content_sha256 = hirenet_core::sha256_bytes(job.as_bytes());
        let incoming = Incoming {
            request: Request::Replayed,
            tenant: &dead.tenant,
            job_id: replay,
            interview_id: Some(&dead.interview_id),
            content_sha256: &content_sha256,
        };
        // A rescoring job has no submission: it ends no interview.
        if dead.bundle.is_none() && submission::receive(&mut tx, &incoming).await? != Seen::New {
            return Ok(false);
        }
        lock_jobs_then_interviews(&mut tx, &[dead.interview]).await?;
        if dead.stage == Stage::Score.as_str() && answers_are_awaited(&mut tx, dead.interview).await? {
            return Ok(false);
        }
        if dead.bundle.is_none() {
            end_score_jobs(&mut tx, dead.interview).await?;
        }
        let again = sqlx::query!(
            r#"with again as (
                update hirenet.jobs set state = 'ready', failures = 0, deaths = 0, alone_deaths = 0, ended_at = null,
                    moved_at = now(), created_at = now()
                where job = $1 and state = 'failed' returning *),
            answer as (
                update hirenet.answers a set state = 'waiting', reasons = '[]' from again
                where a.interview = again.interview and a.answer = again.answer),
            interview as (
                update hirenet.interviews i set status = 'working', changed_at = now() from again
                where i.interview = again.interview and again.bundle is null),
            submission as (
                update hirenet.submissions s set interview = again.interview from again
                where s.tenant = again.tenant and s.job_id = $2),
            noted as (
                insert into hirenet.audit (action, tenant, interview, job) select 'replayed', tenant, interview, job from again)
            insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload, trace)
            select interview, interview, 'stage', stage || '.' || priority, 'job',
                json_build_object('version', 1, 'job', job, 'tenant', tenant, 'stage', stage), trace
            from again"#,
            job,
            replay
        )
        .execute(&mut *tx)
        .await?;
        if again.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        self.filled.notify_one();
        Ok(true)
    }

    /// Notes in the audit that an operator takes the letter of a refused message out of the dead letters.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn letter_dropped(&self, letter: &DroppedLetter<'_>) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into hirenet.audit (action, tenant, job, content_sha256, code) values ('letter_dropped', $1, $2, $3, $4)",
            letter.tenant,
            letter.job_id,
            letter.content_sha256,
            letter.code
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

async fn answers_are_awaited(tx: &mut Tx, interview: Uuid) -> Result<bool, StoreError> {
    let awaited = sqlx::query_scalar!(
        r#"select exists (select from hirenet.jobs
            where interview = $1 and stage = 'extract' and state in ('ready', 'running')) as "awaited!""#,
        interview
    );
    Ok(awaited.fetch_one(&mut **tx).await?)
}
