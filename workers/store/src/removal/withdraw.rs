use hirenet_core::{Code, ConsentWithdrawn, Reason};
use serde_json::json;
use uuid::Uuid;

use super::erase::{end_jobs, lock_jobs_then_interviews};
use crate::intake::submission::{self, Ending, Incoming, Letter, Seen};
use crate::jobs::{Tx, enqueue_score_when_last};
use crate::{FinalState, Origin, Request, Store, StoreError, Withdrawal};

/// The interview before the withdrawal.
struct Found {
    interview: Uuid,
    status: String,
    modalities: Vec<String>,
}

impl Store {
    /// Takes consent back: everything computed of the modalities goes, with every assessment of the interview, and what is
    /// left is scored anew. Jobs that run now store nothing of those modalities. The withdrawal ends with the interview.
    ///
    /// # Errors
    /// Where the database fails; nothing is changed then.
    pub async fn withdraw(
        &self,
        message: &ConsentWithdrawn,
        origin: impl Into<Origin<'_>>,
    ) -> Result<Withdrawal, StoreError> {
        let Origin { content_sha256, trace } = origin.into();
        let mut tx = self.in_names(&message.tenant, None, Some(&message.interview_id)).await?;
        let incoming = Incoming {
            request: Request::Withdrawn,
            tenant: &message.tenant,
            job_id: message.job_id,
            interview_id: Some(&message.interview_id),
            content_sha256,
        };
        let withdrawal = match submission::receive(&mut tx, &incoming).await? {
            Seen::Conflict => Withdrawal::Conflict,
            Seen::Replay { erased: true } => Withdrawal::Erased,
            Seen::Replay { erased: false } => Withdrawal::Replay,
            Seen::New => withdraw_new(&mut tx, message, &incoming, trace).await?,
        };
        tx.commit().await?;
        self.filled.notify_one();
        Ok(withdrawal)
    }
}

async fn withdraw_new(
    tx: &mut Tx,
    message: &ConsentWithdrawn,
    incoming: &Incoming<'_>,
    trace: Option<&str>,
) -> Result<Withdrawal, StoreError> {
    let end_self = |state, code| Ending::without_score(state, Some(code));
    let Some(found) = remember_and_find(tx, message, incoming.content_sha256).await? else {
        let code = Code::InterviewUnknown;
        let letter = Letter {
            incoming: Some(incoming),
            content_sha256: incoming.content_sha256,
            code,
            detail: "Remembered for when the interview comes.",
            trace,
        };
        submission::dead_letter(tx, &letter).await?;
        let ending = end_self(FinalState::Refused, code);
        submission::end_one(tx, &message.tenant, message.job_id, &ending, trace).await?;
        return Ok(Withdrawal::Unknown);
    };
    if found.status == "erased" {
        let ending = end_self(FinalState::Erased, Code::InterviewErased);
        submission::end_one(tx, &message.tenant, message.job_id, &ending, trace).await?;
        return Ok(Withdrawal::Erased);
    }
    let gone: Vec<String> = message.modalities.iter().map(ToString::to_string).collect();
    let (taken, left): (Vec<String>, Vec<String>) = found.modalities.iter().cloned().partition(|m| gone.contains(m));
    attach(tx, message, &found, &taken, &left).await?;
    match (taken.is_empty(), left.is_empty()) {
        // Nothing of it was ever computed. An interview that has ended does not change: neither does its end.
        (true, _) => {
            if let Some(state) = FinalState::from_word(&found.status) {
                end_as_it_stands(tx, found.interview, state).await?;
            }
        }
        (false, true) => refuse_interview(tx, &found).await?,
        (false, false) => {
            remove_modalities(tx, found.interview, &taken).await?;
            score_anew(tx, found.interview).await?;
        }
    }
    Ok(Withdrawal::Withdrawn { interview: found.interview })
}

/// Ends the open submissions of an interview that has ended before, with what its newest assessment says.
async fn end_as_it_stands(tx: &mut Tx, interview: Uuid, state: FinalState) -> Result<(), StoreError> {
    let newest = sqlx::query!(
        r#"select bundle, array(select distinct reason ->> 'code' from jsonb_array_elements(reasons) as r(reason) order by 1)
            as "codes!: Vec<String>"
        from hirenet.assessments where interview = $1 order by assessment desc limit 1"#,
        interview
    )
    .fetch_optional(&mut **tx)
    .await?;
    let codes = newest.as_ref().map(|row| row.codes.clone()).unwrap_or_default();
    let bundle = newest.as_ref().map(|row| row.bundle.as_str());
    submission::end_all(tx, interview, &Ending { state, code: None, reasons: &codes, bundle }).await?;
    Ok(())
}

async fn remember_and_find(
    tx: &mut Tx,
    message: &ConsentWithdrawn,
    content_sha256: &str,
) -> Result<Option<Found>, StoreError> {
    let gone: Vec<String> = message.modalities.iter().map(ToString::to_string).collect();
    let found = sqlx::query_scalar!(
        r#"with kept as (
            insert into hirenet.withdrawals (tenant, job_id, interview_id, modalities) values ($1, $2, $3, $4)),
        noted as (
            insert into hirenet.audit (action, tenant, job, content_sha256, counts)
            values ('consent_withdrawn', $1, $2, $5, jsonb_build_object('modalities', cardinality($4::text[]))))
        select interview from hirenet.interviews where tenant = $1 and interview_id = $3"#,
        message.tenant,
        message.job_id,
        message.interview_id,
        &gone,
        content_sha256
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(interview) = found else { return Ok(None) };
    lock_jobs_then_interviews(tx, &[interview]).await?;
    let row = sqlx::query_as!(
        Found,
        "select interview, status, modalities from hirenet.interviews where interview = $1",
        interview
    );
    Ok(Some(row.fetch_one(&mut **tx).await?))
}

/// Makes the withdrawal one of the interview's submissions, and what is left its modalities.
async fn attach(
    tx: &mut Tx,
    message: &ConsentWithdrawn,
    found: &Found,
    taken: &[String],
    left: &[String],
) -> Result<(), StoreError> {
    let withdrawn = message.modalities.iter().filter(|m| taken.iter().any(|t| t == m.as_str()));
    let reasons: Vec<Reason> = withdrawn.map(|m| Reason::new(Code::ConsentWithdrawn).of(*m)).collect();
    sqlx::query!(
        r#"with own as (
            update hirenet.submissions set interview = $1 where tenant = $4 and job_id = $5)
        update hirenet.interviews set modalities = $2, reasons = reasons || $3::jsonb, changed_at = now()
        where interview = $1"#,
        found.interview,
        left,
        json!(reasons),
        message.tenant,
        message.job_id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Nothing may be computed any more: all content goes, and the interview ends as refused.
async fn refuse_interview(tx: &mut Tx, found: &Found) -> Result<(), StoreError> {
    end_jobs(tx, &[found.interview]).await?;
    let all = ["verbal", "vocal", "visual"].map(str::to_owned);
    remove_modalities(tx, found.interview, &all).await?;
    sqlx::query!(
        "update hirenet.interviews set status = 'refused', final_at = coalesce(final_at, now()) where interview = $1",
        found.interview
    )
    .execute(&mut **tx)
    .await?;
    let ending = Ending::without_score(FinalState::Refused, Some(Code::ConsentWithdrawn));
    submission::end_all(tx, found.interview, &ending).await?;
    Ok(())
}

/// Removes what was computed of the modalities, and every assessment: each was made with them.
async fn remove_modalities(tx: &mut Tx, interview: Uuid, gone: &[String]) -> Result<(), StoreError> {
    sqlx::query!(
        r#"with
        tracks as (delete from hirenet.tracks where interview = $1 and modality = any($2)),
        transcripts as (delete from hirenet.transcripts where interview = $1 and 'verbal' = any($2)),
        given as (
            update hirenet.answers set given_transcript = null
            where interview = $1 and 'verbal' = any($2) and given_transcript is not null)
        delete from hirenet.assessments where interview = $1"#,
        interview,
        gone
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Scores what is left.
async fn score_anew(tx: &mut Tx, interview: Uuid) -> Result<(), StoreError> {
    end_score_jobs(tx, interview).await?;
    sqlx::query!("update hirenet.interviews set status = 'working' where interview = $1", interview)
        .execute(&mut **tx)
        .await?;
    enqueue_score_when_last(tx, interview).await
}

/// Ends the score jobs of an interview that are on their way, because what they have read or would read is not what is to be
/// scored. One in hand loses its lease. The interview's jobs must be locked.
pub(crate) async fn end_score_jobs(tx: &mut Tx, interview: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        r#"with
        -- Locked here too: one that came while the others were waited for is among them.
        mine as (
            select * from hirenet.jobs where interview = $1 and stage = 'score' and state in ('ready', 'running') for update),
        attempt as (
            insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome)
            select job, attempts, tenant, fence, worker, deaths > 0, claimed_at, now(), 'erased' from mine where state = 'running')
        update hirenet.jobs j set state = 'erased', fence = j.fence + 1, lease_until = null, moved_at = now(), ended_at = now()
        from mine where j.job = mine.job"#,
        interview
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
