use hirenet_core::{Code, EraseTarget, sha256_bytes};
use serde_json::json;
use uuid::Uuid;

use crate::intake::admit::candidate_sha256;
use crate::intake::submission::{self, Ending, Incoming, Seen};
use crate::jobs::Tx;
use crate::{Erasure, FinalState, Origin, Request, Store, StoreError};

/// An erasure, whoever asked for it.
pub(crate) struct Erase<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) target: &'a EraseTarget,
    pub(crate) job_id: Uuid,
    pub(crate) origin: Origin<'a>,
    pub(crate) request: Request,
}

impl Store {
    /// Erases an interview, or everything of a candidate: in one transaction all rows with content go, jobs in flight lose
    /// their lease, a tombstone keeps late deliveries from writing, and a receipt and the event remain.
    ///
    /// # Errors
    /// Where the database fails; nothing is erased then.
    pub async fn erase(
        &self,
        tenant: &str,
        target: &EraseTarget,
        job_id: Uuid,
        origin: impl Into<Origin<'_>>,
    ) -> Result<Erasure, StoreError> {
        self.erase_because(&Erase { tenant, target, job_id, origin: origin.into(), request: Request::Erase }).await
    }

    pub(crate) async fn erase_because(&self, erase: &Erase<'_>) -> Result<Erasure, StoreError> {
        let (candidate, interview_id) = match erase.target {
            EraseTarget::Candidate(candidate) => (Some(candidate.as_str()), None),
            EraseTarget::Interview(id) => (None, Some(id.as_str())),
        };
        let mut tx = self.in_names(erase.tenant, candidate, interview_id).await?;
        let incoming = Incoming {
            request: erase.request,
            tenant: erase.tenant,
            job_id: erase.job_id,
            interview_id,
            content_sha256: erase.origin.content_sha256,
        };
        let seen = submission::receive(&mut tx, &incoming).await?;
        if seen != Seen::New {
            let erasure = match seen {
                Seen::Conflict => Erasure::Conflict,
                _ => Erasure::Replay { interviews: erased_before(&mut tx, erase).await? },
            };
            tx.commit().await?;
            self.filled.notify_one();
            return Ok(erasure);
        }
        let interviews = lock(&mut tx, erase.tenant, candidate, interview_id).await?;
        let removed = remove(&mut tx, erase.tenant, &interviews).await?;
        receipt(&mut tx, erase, candidate, interview_id, &interviews, &removed).await?;
        let ending = Ending::without_score(FinalState::Erased, None);
        for interview in &interviews {
            submission::end_all(&mut tx, *interview, &Ending { code: Some(Code::InterviewErased), ..ending }).await?;
        }
        submission::end_one(&mut tx, erase.tenant, erase.job_id, &ending, erase.origin.trace).await?;
        tx.commit().await?;
        self.filled.notify_one();
        Ok(Erasure::Erased { interviews })
    }
}

/// What the same job has erased, by its receipts.
async fn erased_before(tx: &mut Tx, erase: &Erase<'_>) -> Result<Vec<Uuid>, StoreError> {
    let interviews = sqlx::query_scalar!(
        r#"select distinct unnest(interviews) as "interview!" from hirenet.erasures where tenant = $1 and job_id = $2"#,
        erase.tenant,
        erase.job_id
    );
    Ok(interviews.fetch_all(&mut **tx).await?)
}

/// Locks the jobs, then the interviews (the order of every writer), and says which interviews there are.
async fn lock(
    tx: &mut Tx,
    tenant: &str,
    candidate: Option<&str>,
    interview_id: Option<&str>,
) -> Result<Vec<Uuid>, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select interview from hirenet.interviews
        where tenant = $1 and (candidate = $2 or interview_id = $3) and status <> 'erased'"#,
        tenant,
        candidate,
        interview_id
    )
    .fetch_all(&mut **tx)
    .await?;
    lock_jobs_then_interviews(tx, &found).await?;
    Ok(found)
}

pub(crate) async fn lock_jobs_then_interviews(tx: &mut Tx, interviews: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!("select job from hirenet.jobs where interview = any($1) order by job for update", interviews)
        .fetch_all(&mut **tx)
        .await?;
    sqlx::query!(
        "select interview from hirenet.interviews where interview = any($1) order by interview for update",
        interviews
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}

/// Removes every row with content and empties those that stay as the skeleton. Returns the number of rows by table.
async fn remove(tx: &mut Tx, tenant: &str, interviews: &[Uuid]) -> Result<serde_json::Value, StoreError> {
    end_jobs(tx, interviews).await?;
    // One statement a step: a foreign key is checked at the end of the statement, and answers go after what hangs on them.
    let gone = sqlx::query!(
        r#"with
        tracks as (delete from hirenet.tracks where interview = any($1) returning 1),
        transcripts as (delete from hirenet.transcripts where interview = any($1) returning 1),
        assessments as (delete from hirenet.assessments where interview = any($1) returning 1),
        reviews as (delete from hirenet.reviews where interview = any($1) returning 1),
        decisions as (
            delete from hirenet.recruiter_decisions d using hirenet.interviews i
            where i.interview = any($1) and d.tenant = $2 and d.interview_id = i.interview_id returning 1)
        select jsonb_build_object('tracks', (select count(*) from tracks), 'transcripts', (select count(*) from transcripts),
            'assessments', (select count(*) from assessments), 'reviews', (select count(*) from reviews),
            'decisions', (select count(*) from decisions),
            'demographics', (select coalesce(sum(hirenet.erase_demographics(tenant, interview_id)), 0)
                from hirenet.interviews where interview = any($1))) as "gone!""#,
        interviews,
        tenant
    )
    .fetch_one(&mut **tx)
    .await?
    .gone;
    sqlx::query!("delete from hirenet.answers where interview = any($1)", interviews).execute(&mut **tx).await?;
    sqlx::query!(
        r#"update hirenet.interviews set status = 'erased', position_id = null, candidate = null, language = null,
            consent = null, reasons = '[]', retention_days = null, modalities = '{}', changed_at = now(),
            final_at = coalesce(final_at, now())
        where interview = any($1)"#,
        interviews
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        r#"delete from hirenet.withdrawals w using hirenet.interviews i
        where i.interview = any($1) and w.tenant = i.tenant and w.interview_id = i.interview_id"#,
        interviews
    )
    .execute(&mut **tx)
    .await?;
    Ok(gone)
}

/// Ends every job of the interviews: a worker in the middle of one finds its lease gone. Sentences about failures go, and
/// so do messages that would start work.
pub(crate) async fn end_jobs(tx: &mut Tx, interviews: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!(
        r#"with
        message as (
            delete from hirenet.outbox where interview = any($1) and destination in ('stage', 'wait')),
        past as (
            update hirenet.attempts a set detail = null
            from hirenet.jobs j where j.interview = any($1) and a.job = j.job and a.detail is not null),
        -- Locked here too: a job that came while the others were waited for is among them.
        mine as (select * from hirenet.jobs where interview = any($1) and state <> 'erased' for update),
        attempt as (
            insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome)
            select job, attempts, tenant, fence, worker, deaths > 0, claimed_at, now(), 'erased' from mine where state = 'running')
        update hirenet.jobs j set fence = j.fence + 1, state = 'erased', lease_until = null, detail = null, moved_at = now(),
            ended_at = coalesce(j.ended_at, now())
        from mine where j.job = mine.job"#,
        interviews
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn receipt(
    tx: &mut Tx,
    erase: &Erase<'_>,
    candidate: Option<&str>,
    interview_id: Option<&str>,
    interviews: &[Uuid],
    removed: &serde_json::Value,
) -> Result<(), StoreError> {
    let cause = if erase.request == Request::Retention { "retention" } else { "request" };
    sqlx::query!(
        r#"with stone as (
            insert into hirenet.erasures (tenant, job_id, cause, interview_id, candidate_sha256, done_at, interviews, removed)
            values ($1, $2, $3, $4, $5, now(), $6, $7)),
        -- An interview of an erased candidate has a stone of its own: a late message may name another pseudonym.
        stones as (
            insert into hirenet.erasures (tenant, job_id, cause, interview_id, done_at, interviews)
            select tenant, $2, $3, interview_id, now(), array[interview]
            from hirenet.interviews where interview = any($6) and $5::text is not null)
        insert into hirenet.audit (action, tenant, job, content_sha256, interview, counts)
        select 'erased', $1, $2, $8, interview, $7 from unnest($6) as e(interview)
        union all select 'erased', $1, $2, $8, null, $7 where cardinality($6) = 0"#,
        erase.tenant,
        erase.job_id,
        cause,
        interview_id,
        candidate.map(|c| candidate_sha256(erase.tenant, c)),
        interviews,
        removed,
        erase.origin.content_sha256
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The hash that stands for the message where there was none: the clock asked.
pub(crate) fn content_of_clock(interview: Uuid) -> String {
    sha256_bytes(json!(["retention", interview]).to_string().as_bytes())
}
