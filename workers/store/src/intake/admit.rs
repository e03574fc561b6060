use hirenet_core::{Answer, Code, Coded, Modality, is_name, sha256_bytes};
use serde_json::{Value, json};
use uuid::Uuid;

use super::submission::{self, Ending, Incoming, Letter, Seen};
use crate::jobs::Tx;
use crate::{Admission, AdmitPlan, FinalState, Refusal, Request, Store, StoreError};

/// What the database knows of an interview before it is admitted.
struct Known {
    erased: bool,
    exists: bool,
    withdrawn: Vec<String>,
}

impl Store {
    /// Admits an interview: its rows, a job an answer and their messages, in one transaction.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    pub async fn admit(&self, plan: &AdmitPlan<'_>) -> Result<Admission, StoreError> {
        let message = plan.interview;
        let incoming = Incoming {
            request: Request::Submitted,
            tenant: &message.tenant,
            job_id: message.job_id,
            interview_id: Some(&message.interview_id),
            content_sha256: plan.content_sha256,
        };
        if plan.modalities.is_empty() {
            let detail = Code::ConsentMissing.meaning();
            return self.refuse(&refusal(plan, &incoming, Code::ConsentMissing, detail)).await;
        }
        if let Err(wrong) = message.validate() {
            return self.refuse(&refusal(plan, &incoming, wrong.code(), &wrong.to_string())).await;
        }
        let mut tx = self.in_names(&message.tenant, Some(&message.candidate), Some(&message.interview_id)).await?;
        let admission = match submission::receive(&mut tx, &incoming).await? {
            Seen::Conflict => Admission::Conflict,
            Seen::Replay { erased: true } => Admission::Erased,
            Seen::Replay { erased: false } => Admission::Replay,
            Seen::New => admit_new(&mut tx, plan, &incoming).await?,
        };
        tx.commit().await?;
        self.filled.notify_one();
        Ok(admission)
    }
}

async fn admit_new(tx: &mut Tx, plan: &AdmitPlan<'_>, incoming: &Incoming<'_>) -> Result<Admission, StoreError> {
    let known = known(tx, plan).await?;
    let end = |state, code| Ending::without_score(state, Some(code));
    if known.erased {
        let ending = end(FinalState::Erased, Code::InterviewErased);
        submission::end_one(tx, incoming.tenant, incoming.job_id, &ending, plan.trace).await?;
        return Ok(Admission::Erased);
    }
    let modalities: Vec<String> =
        plan.modalities.iter().map(ToString::to_string).filter(|m| !known.withdrawn.contains(m)).collect();
    let refused = match (known.exists, modalities.is_empty()) {
        (true, _) => {
            Some((Code::MessageConflict, "The interview is there already, from another job.", Admission::Conflict))
        }
        (false, true) => Some((Code::ConsentWithdrawn, Code::ConsentWithdrawn.meaning(), Admission::Refused)),
        (false, false) => None,
    };
    if let Some((code, detail, admission)) = refused {
        let content_sha256 = incoming.content_sha256;
        let letter = Letter { incoming: Some(incoming), content_sha256, code, detail, trace: plan.trace };
        submission::dead_letter(tx, &letter).await?;
        let ending = end(FinalState::Refused, code);
        submission::end_one(tx, incoming.tenant, incoming.job_id, &ending, plan.trace).await?;
        return Ok(admission);
    }
    let (interview, jobs) = insert(tx, plan, &modalities, &known.withdrawn).await?;
    Ok(Admission::Admitted { interview, jobs })
}

/// What recognises a candidate after an erasure without telling who it is.
pub(crate) fn candidate_sha256(tenant: &str, candidate: &str) -> String {
    sha256_bytes(format!("{tenant}\u{1f}{candidate}").as_bytes())
}

async fn known(tx: &mut Tx, plan: &AdmitPlan<'_>) -> Result<Known, StoreError> {
    let message = plan.interview;
    // A candidate may come back after an erasure: with a consent that was given later. An illegible time counts as old, and
    // so does one that this database's clock has not reached, by more than two machines' clocks differ: it proves nothing.
    let given_at = message.consent.given();
    let row = sqlx::query!(
        r#"select
            exists (select from hirenet.erasures where tenant = $1 and interview_id = $2)
                or exists (select from hirenet.erasures where tenant = $1 and candidate_sha256 = $3
                    and coalesce($4::timestamptz <= requested_at or $4 > now() + interval '5 minutes', true)) as "erased!",
            exists (select from hirenet.interviews where tenant = $1 and interview_id = $2) as "exists!",
            array(select distinct unnest(modalities) from hirenet.withdrawals where tenant = $1 and interview_id = $2)
                as "withdrawn!""#,
        message.tenant,
        message.interview_id,
        candidate_sha256(&message.tenant, &message.candidate),
        given_at
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Known { erased: row.erased, exists: row.exists, withdrawn: row.withdrawn })
}

async fn insert(
    tx: &mut Tx,
    plan: &AdmitPlan<'_>,
    modalities: &[String],
    withdrawn: &[String],
) -> Result<(Uuid, usize), StoreError> {
    let message = plan.interview;
    let (answers, older) = message.final_takes();
    let mut reasons = plan.reasons.clone();
    reasons.extend(older.into_iter().map(|id| hirenet_core::Reason::new(Code::OlderTake).in_answer(id)));
    let taken_back = plan.modalities.iter().filter(|m| withdrawn.iter().any(|w| w == m.as_str()));
    reasons.extend(taken_back.map(|m: &Modality| hirenet_core::Reason::new(Code::ConsentWithdrawn).of(*m)));
    let texts = |of: fn(&Answer) -> &String| answers.iter().map(|a| of(a).clone()).collect::<Vec<String>>();
    let given: Vec<Option<Value>> = answers.iter().map(|a| a.transcript.as_ref().map(|t| json!(t))).collect();
    let hashes: Vec<Option<String>> = answers.iter().map(|a| a.sha256.clone()).collect();
    let takes: Vec<Option<i32>> = answers.iter().map(|a| a.take.and_then(|take| i32::try_from(take).ok())).collect();
    let row = sqlx::query!(
        r#"with
        new_tenant as (insert into hirenet.tenants (tenant) values ($1) on conflict do nothing),
        -- Twice, because an upsert would lock the row of a position that many submissions share.
        new_position as (
            insert into hirenet.positions (tenant, position_id, title) values ($1, $2, $3) on conflict do nothing),
        renamed as (
            update hirenet.positions set title = $3 where tenant = $1 and position_id = $2 and title <> $3),
        i as (
            insert into hirenet.interviews (tenant, interview_id, position_id, candidate, language, consent, modalities,
                reasons, retention_days, priority, status)
            values ($1, $4, $2, $5, $6, $7, $8, $9, $10, $11, 'queued') returning interview),
        a as (
            insert into hirenet.answers (interview, answer, tenant, answer_id, question, media, sha256, take,
                given_transcript)
            select i.interview, n - 1, $1, id, question, media, hash, take, given
            from i, unnest($12::text[], $13::text[], $14::text[], $15::text[], $16::int[], $17::jsonb[])
                with ordinality as u(id, question, media, hash, take, given, n)
            returning answer),
        j as (
            insert into hirenet.jobs (tenant, interview, interview_id, stage, answer, priority, trace)
            select $1, i.interview, $4, 'extract', a.answer, $11, $18 from i, a returning job),
        message as (
            insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload, trace)
            select i.interview, i.interview, 'stage', 'extract.' || $11, 'job',
                json_build_object('version', 1, 'job', job, 'tenant', $1::text, 'stage', 'extract'), $18
            from i, j),
        submission as (
            update hirenet.submissions set interview = (select interview from i) where tenant = $1 and job_id = $19),
        noted as (
            insert into hirenet.audit (action, tenant, interview, job, content_sha256, counts)
            select 'admitted', $1, i.interview, $19, $20, jsonb_build_object('answers', (select count(*) from a)) from i)
        select interview as "interview!", (select count(*) from j) as "jobs!" from i"#,
        message.tenant,
        message.position.id,
        message.position.title,
        message.interview_id,
        message.candidate,
        message.language,
        json!(message.consent),
        modalities,
        json!(reasons),
        i32::try_from(message.retention_days).unwrap_or(i32::MAX),
        plan.priority.as_str(),
        &texts(|a| &a.id),
        &texts(|a| &a.question),
        &texts(|a| &a.media),
        &hashes as &[Option<String>],
        &takes as &[Option<i32>],
        &given as &[Option<Value>],
        plan.trace,
        message.job_id,
        plan.content_sha256
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok((row.interview, row.jobs as usize))
}

fn refusal<'a>(plan: &AdmitPlan<'a>, incoming: &Incoming<'a>, code: Code, detail: &'a str) -> Refusal<'a> {
    Refusal {
        request: incoming.request,
        // A name that no index takes cannot be written down, not even with its refusal.
        tenant: Some(incoming.tenant).filter(|tenant| is_name(tenant)),
        job_id: Some(incoming.job_id),
        interview_id: incoming.interview_id.filter(|id| is_name(id)),
        content_sha256: incoming.content_sha256,
        state: FinalState::Refused,
        code,
        detail,
        trace: plan.trace,
    }
}
