//! The stage `admit`: a message to rows and jobs, or to a refusal.

use std::sync::Arc;

use hirenet_analyze::allowed;
use hirenet_core::{Code, Coded, Interview, Kind, Modality, is_name, sha256_bytes};
use hirenet_queue::Delivery;
use hirenet_store::{Admission, AdmitPlan, FinalState, Origin, Priority, Refusal, Request, StoreError};
use serde::Deserialize;
use tracing::Span;
use uuid::Uuid;

use crate::daemon::context::{Context, Settle};
use crate::daemon::fault;
use crate::daemon::observe::events::{Handled, SubmissionHandled};
use crate::telemetry;

/// Type of the message.
pub(crate) const SUBMITTED: &str = "interview.submitted";
/// Version of the messages that are known here.
const VERSION: u64 = 1;

pub(super) async fn handle(context: &Arc<Context>, delivery: &Delivery) -> Settle {
    fault::point("admit", fault::AFTER_RECEIVE);
    let message = Message::of(delivery);
    let done = match message.text(context, &[SUBMITTED]).and_then(|text| read(context, text)) {
        Ok(interview) => match admit(context, delivery, &message, &interview).await {
            Err(error) => message.not_taken(context, Request::Submitted, error).await,
            Ok(admission) => Ok((admission, None)),
        },
        Err(fault) => message.refuse(context, Request::Submitted, &fault).await,
    };
    match done {
        Ok((admission, code)) => {
            tell(&message, &admission, code);
            fault::point("admit", fault::AFTER_COMMIT);
            Settle::Acknowledge
        }
        Err(error) => context.unrecorded(&error),
    }
}

/// What is wrong with a message, without its content.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(code: Code) -> Fault {
        Fault { code, detail: code.meaning().to_owned() }
    }

    /// Of a message that is not of its form: where, and no more, for a parser quotes what it found there.
    pub(super) fn of(error: &hirenet_core::MessageError) -> Fault {
        Fault { code: error.code(), detail: format!("{}: {}", error.path, error.code().meaning()) }
    }
}

/// What became of a message, and why it was refused where it was.
pub(super) type Received = (Admission, Option<Code>);

/// A message as it came, and what can be read of it even where it is refused.
pub(super) struct Message<'a> {
    delivery: &'a Delivery,
    pub(super) sha256: String,
    pub(super) tenant: Option<String>,
    pub(super) job_id: Option<Uuid>,
    interview_id: Option<String>,
    /// W3C `traceparent` for what follows from it.
    trace: Option<String>,
}

/// The fields that every message has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Legible {
    tenant: Option<String>,
    job_id: Option<Uuid>,
    interview_id: Option<String>,
}

impl<'a> Message<'a> {
    pub(super) fn of(delivery: &'a Delivery) -> Message<'a> {
        let legible: Legible = serde_json::from_slice(delivery.payload()).unwrap_or_default();
        Message {
            delivery,
            sha256: sha256_bytes(delivery.payload()),
            // What is no name cannot be stored, not even with the refusal.
            tenant: legible.tenant.filter(|tenant| is_name(tenant)),
            job_id: legible.job_id,
            interview_id: legible.interview_id.filter(|id| is_name(id)),
            // Where this process exports no traces, the message's own context goes on.
            trace: telemetry::traceparent(&Span::current())
                .or_else(|| delivery.trace().filter(|trace| is_trace(trace)).map(str::to_owned)),
        }
    }

    /// What is kept of where it came from.
    pub(super) fn origin(&self) -> Origin<'_> {
        Origin { content_sha256: &self.sha256, trace: self.trace() }
    }

    /// W3C `traceparent` for what follows from it.
    pub(super) fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    /// The tenant's id of the interview, where the message names it.
    pub(super) fn interview_id(&self) -> Option<&str> {
        self.interview_id.as_deref()
    }

    /// The message's text, where size, type and version are known here.
    pub(super) fn text(&self, context: &Context, kinds: &[&str]) -> Result<&'a str, Fault> {
        let payload = self.delivery.payload();
        if payload.len() > context.config.queue.max_message_bytes {
            return Err(Fault::new(Code::MessageTooLarge));
        }
        let kind = self.delivery.kind().unwrap_or_default();
        if self.delivery.version() != VERSION || !kinds.contains(&kind) {
            return Err(Fault::new(Code::MessageVersion));
        }
        std::str::from_utf8(payload).map_err(|_| Fault::new(Code::MessageInvalid))
    }

    pub(super) async fn refuse(
        &self,
        context: &Context,
        request: Request,
        fault: &Fault,
    ) -> Result<Received, StoreError> {
        let refusal = Refusal {
            request,
            tenant: self.tenant.as_deref(),
            job_id: self.job_id,
            interview_id: self.interview_id.as_deref(),
            content_sha256: &self.sha256,
            state: FinalState::Refused,
            code: fault.code,
            detail: &fault.detail,
            trace: self.trace(),
        };
        let admission = context.patiently(|| context.store.refuse(&refusal)).await?;
        Ok((admission, Some(fault.code)))
    }

    /// Refuses the message where it is at fault that the store failed: a second try would fail as the first one did.
    pub(super) async fn not_taken(
        &self,
        context: &Context,
        request: Request,
        error: StoreError,
    ) -> Result<Received, StoreError> {
        match error.code() {
            code if code.kind() == Kind::Faulty => self.refuse(context, request, &Fault::new(code)).await,
            _ => Err(error),
        }
    }
}

/// True for hexadecimal numbers and hyphens, as W3C has them: a header that is something else is carried nowhere.
fn is_trace(header: &str) -> bool {
    /// Room for versions to come; today's has 55 characters.
    const LONGEST: usize = 256;
    header.len() <= LONGEST && header.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-')
}

fn read(context: &Context, text: &str) -> Result<Interview, Fault> {
    let interview = Interview::from_json(text).map_err(|error| Fault::of(&error))?;
    // An address that may never be fetched is told at once, not after a place in the queue.
    let forbidden = interview.answers.iter().find(|answer| context.fetcher.allows(&answer.media).is_err());
    match forbidden {
        Some(answer) => {
            let code = context.fetcher.allows(&answer.media).err().map_or(Code::MediaForbidden, |error| error.code());
            Err(Fault { code, detail: format!("answer {}: {}", answer.id, code.meaning()) })
        }
        None => Ok(interview),
    }
}

async fn admit(
    context: &Context,
    delivery: &Delivery,
    message: &Message<'_>,
    interview: &Interview,
) -> Result<Admission, StoreError> {
    let (modalities, reasons) = allowed(&interview.consent, &context.config.policy, &Modality::ALL);
    let bulk = delivery.routing_key().split('.').nth(1) == Some(Priority::Bulk.as_str());
    let plan = AdmitPlan {
        interview,
        content_sha256: &message.sha256,
        priority: if bulk { Priority::Bulk } else { Priority::Interactive },
        modalities,
        reasons,
        trace: message.trace(),
    };
    fault::point("admit", fault::BEFORE_COMMIT);
    context.patiently(|| context.store.admit(&plan)).await
}

pub(super) fn tell(message: &Message<'_>, admission: &Admission, code: Option<Code>) {
    let (outcome, code) = match admission {
        Admission::Admitted { .. } => (Handled::Admitted, None),
        Admission::Replay => (Handled::Replay, None),
        Admission::Conflict => (Handled::Conflict, Some(Code::MessageConflict)),
        Admission::Erased => (Handled::Refused, Some(Code::InterviewErased)),
        Admission::Refused => (Handled::Refused, code),
    };
    SubmissionHandled { job_id: message.job_id, outcome, code }.emit();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trace_is_carried_on() {
        assert!(is_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        for other in ["00-\0", "a trace", &"0".repeat(257)] {
            assert!(!is_trace(other), "{other:?}");
        }
    }
}
