use hirenet_core::{Answer, Code, Coded, Modality, is_name, sha256_bytes};
use serde_json::{Value, json};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::submission::{self, Ending, Incoming, Letter, Seen};
use crate::jobs::{Tx, names};
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
        if let Some(admission) = self.admit_at_once(plan).await? {
            self.filled.notify_one();
            return Ok(admission);
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

    /// The usual case, in one round trip: `None`, and nothing written, where anything speaks against the interview.
    async fn admit_at_once(&self, plan: &AdmitPlan<'_>) -> Result<Option<Admission>, StoreError> {
        let modalities: Vec<String> = plan.modalities.iter().map(ToString::to_string).collect();
        let mut connection = self.connection().await?;
        match insert(&mut *connection, plan, &modalities, &[], false).await {
            Ok(made) => {
                self.keep(connection);
                Ok(made.map(|(interview, jobs)| Admission::Admitted { interview, jobs }))
            }
            // A twin was being written.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(None),
            Err(error) => Err(error.into()),
        }
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
    match insert(&mut **tx, plan, &modalities, &known.withdrawn, true).await? {
        Some((interview, jobs)) => Ok(Admission::Admitted { interview, jobs }),
        None => Err(StoreError::corrupt("interview", "it was checked, and not written")),
    }
}

/// What recognises a candidate after an erasure without telling who it is.
pub(crate) fn candidate_sha256(tenant: &str, candidate: &str) -> String {
    sha256_bytes(format!("{tenant}\u{1f}{candidate}").as_bytes())
}

async fn known(tx: &mut Tx, plan: &AdmitPlan<'_>) -> Result<Known, StoreError> {
    let message = plan.interview;
    let row = sqlx::query!(
        r#"select
            exists (select from hirenet.erasures where tenant = $1 and interview_id = $2)
                or exists (select from hirenet.erasures where tenant = $1 and candidate_sha256 = $3
                    and hirenet.consent_proves_nothing($4, requested_at)) as "erased!",
            exists (select from hirenet.interviews where tenant = $1 and interview_id = $2) as "exists!",
            array(select distinct unnest(modalities) from hirenet.withdrawals where tenant = $1 and interview_id = $2)
                as "withdrawn!""#,
        message.tenant,
        message.interview_id,
        candidate_sha256(&message.tenant, &message.candidate),
        message.consent.given()
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Known { erased: row.erased, exists: row.exists, withdrawn: row.withdrawn })
}

/// Writes an interview down with its jobs and their messages. What has not been checked is checked there, and nothing is
/// written where anything speaks against it.
async fn insert(
    executor: impl PgExecutor<'_>,
    plan: &AdmitPlan<'_>,
    modalities: &[String],
    withdrawn: &[String],
    checked: bool,
) -> Result<Option<(Uuid, usize)>, sqlx::Error> {
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
        r#"select interview as "interview!", jobs as "jobs!" from hirenet.admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
            $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)"#,
        checked,
        &names(&message.tenant, Some(&message.candidate), Some(&message.interview_id)),
        message.tenant,
        message.job_id,
        plan.content_sha256,
        message.candidate,
        candidate_sha256(&message.tenant, &message.candidate),
        message.consent.given(),
        message.interview_id,
        message.position.id,
        message.position.title,
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
        plan.trace
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| (row.interview, row.jobs as usize)))
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
