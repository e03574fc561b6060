//! Submissions: one row a message, seen once, ended once, with one event.

use hirenet_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::jobs::Tx;
use crate::{FinalState, Request, StoreError};

/// What identifies a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) request: Request,
    pub(crate) tenant: &'a str,
    pub(crate) job_id: Uuid,
    pub(crate) interview_id: Option<&'a str>,
    pub(crate) content_sha256: &'a str,
}

/// Whether a message came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    New,
    Replay { erased: bool },
    Conflict,
}

/// How a submission ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) state: FinalState,
    /// Why there is no score.
    pub(crate) code: Option<Code>,
    /// Codes of the reasons.
    pub(crate) reasons: &'a [String],
    /// The bundle of the score.
    pub(crate) bundle: Option<&'a str>,
}

impl Ending<'_> {
    /// An end without a score.
    pub(crate) fn without_score(state: FinalState, code: Option<Code>) -> Self {
        Ending { state, code, reasons: &[], bundle: None }
    }
}

/// Writes a message down as open, or counts it where its id came before. A twin that is being written waits here for the
/// first one's commit.
pub(crate) async fn receive(tx: &mut Tx, incoming: &Incoming<'_>) -> Result<Seen, StoreError> {
    let row = sqlx::query!(
        r#"insert into hirenet.submissions as s (tenant, job_id, request, interview_id, content_sha256)
            values ($1, $2, $3, $4, $5)
        on conflict (tenant, job_id) do update set
            replays = s.replays + (s.content_sha256 = excluded.content_sha256 and s.request = excluded.request)::int,
            conflicts = s.conflicts + (s.content_sha256 <> excluded.content_sha256 or s.request <> excluded.request)::int
        returning xmax = 0 as "new!", content_sha256 = $5 and request = $3 as "same!", state"#,
        incoming.tenant,
        incoming.job_id,
        incoming.request.as_str(),
        incoming.interview_id,
        incoming.content_sha256
    )
    .fetch_one(&mut **tx)
    .await?;
    if !row.new && !row.same {
        conflict(tx, incoming).await?;
    }
    Ok(match (row.new, row.same) {
        (true, _) => Seen::New,
        (false, true) => Seen::Replay { erased: row.state == FinalState::Erased.as_str() },
        (false, false) => Seen::Conflict,
    })
}

/// Records that an id came again with other content: a dead letter and a row of the audit. The first one stands.
async fn conflict(tx: &mut Tx, incoming: &Incoming<'_>) -> Result<(), StoreError> {
    let code = Code::MessageConflict;
    let letter = Letter {
        incoming: Some(incoming),
        content_sha256: incoming.content_sha256,
        code,
        detail: code.meaning(),
        trace: None,
    };
    dead_letter(tx, &letter).await
}

/// A dead letter of a message that became no job. It holds no content.
pub(crate) struct Letter<'a> {
    pub(crate) incoming: Option<&'a Incoming<'a>>,
    pub(crate) content_sha256: &'a str,
    pub(crate) code: Code,
    pub(crate) detail: &'a str,
    /// W3C `traceparent` of the message.
    pub(crate) trace: Option<&'a str>,
}

pub(crate) async fn dead_letter(tx: &mut Tx, letter: &Letter<'_>) -> Result<(), StoreError> {
    let incoming = letter.incoming;
    let job_id = incoming.map(|i| i.job_id);
    let payload = json!({
        "version": 1,
        "tenant": incoming.map(|i| i.tenant),
        "job_id": job_id,
        "request": incoming.map(|i| i.request.as_str()),
        "interview_id": incoming.and_then(|i| i.interview_id),
        "content_sha256": letter.content_sha256,
        "code": letter.code.as_str(),
        "detail": letter.detail,
    });
    sqlx::query!(
        r#"with message as (
            insert into hirenet.outbox (key, destination, routing_key, kind, payload, trace)
            values (coalesce($1, gen_random_uuid()), 'dead', '', 'dead', $2, $6))
        insert into hirenet.audit (action, tenant, job, content_sha256, code) values ('message_refused', $3, $1, $4, $5)"#,
        job_id,
        payload,
        incoming.map(|i| i.tenant),
        letter.content_sha256,
        letter.code.as_str(),
        letter.trace
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends one submission with its event, under the trace of its message. Once: nothing happens where it has ended.
pub(crate) async fn end_one(
    tx: &mut Tx,
    tenant: &str,
    job_id: Uuid,
    ending: &Ending<'_>,
    trace: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "select hirenet.end_submission($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant,
        job_id,
        ending.state.as_str(),
        ending.code.map(Code::as_str),
        ending.state.event(),
        Value::from(ending.reasons),
        ending.bundle,
        trace
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(())
}

/// Ends every open submission of an interview, each with its event, under the trace that the interview's jobs carry.
pub(crate) async fn end_all(tx: &mut Tx, interview: Uuid, ending: &Ending<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "select hirenet.end_submissions($1, $2, $3, $4, $5, $6)",
        interview,
        ending.state.as_str(),
        ending.code.map(Code::as_str),
        ending.state.event(),
        Value::from(ending.reasons),
        ending.bundle
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(())
}
