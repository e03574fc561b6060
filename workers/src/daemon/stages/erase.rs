//! The stage `erase`: erasures, and consent taken back.

use std::collections::BTreeSet;
use std::sync::Arc;

use hirenet_core::{Code, ConsentWithdrawn, EraseRequest, EraseTarget};
use hirenet_queue::Delivery;
use hirenet_store::{Admission, Erasure, Request, StoreError, Withdrawal};
use serde_json::Value;
use tracing::warn;
use uuid::Uuid;

use super::admit::{Fault, Message, Received, tell};
use crate::daemon::context::{AWAY, Context, Settle};
use crate::daemon::fault;
use crate::daemon::observe::events::{EraseCause, InterviewsErased};

/// Types of the messages.
const ERASE: &str = "interview.erase";
pub(super) const WITHDRAWN: &str = "consent.withdrawn";

/// A message that was understood.
enum Asked {
    Erase(EraseRequest, EraseTarget),
    Withdraw(ConsentWithdrawn),
}

pub(super) async fn handle(context: &Arc<Context>, delivery: &Delivery) -> Settle {
    fault::point("erase", fault::AFTER_RECEIVE);
    let message = Message::of(delivery);
    let withdraws = delivery.kind() == Some(WITHDRAWN);
    let request = if withdraws { Request::Withdrawn } else { Request::Erase };
    let read = message.text(context, &[ERASE, WITHDRAWN]).and_then(|text| read(text, withdraws));
    let done = match &read {
        Ok(Asked::Erase(request, target)) => erase(context, &message, request, target).await,
        Ok(Asked::Withdraw(withdrawn)) => withdraw(context, &message, withdrawn).await,
        Err(fault) => refused(&message, message.refuse(context, request, fault).await),
    };
    let done = match done {
        Err(error) => refused(&message, message.not_taken(context, request, error).await),
        done => done,
    };
    fault::point("erase", fault::AFTER_COMMIT);
    done.unwrap_or_else(|error| context.unrecorded(&error))
}

fn refused(message: &Message<'_>, refused: Result<Received, StoreError>) -> Result<Settle, StoreError> {
    let (admission, code) = refused?;
    tell(message, &admission, code);
    Ok(Settle::Acknowledge)
}

fn read(text: &str, withdraws: bool) -> Result<Asked, Fault> {
    if withdraws {
        return ConsentWithdrawn::from_json(text).map(Asked::Withdraw).map_err(|error| Fault::of(&error));
    }
    let request = EraseRequest::from_json(text).map_err(|error| Fault::of(&error))?;
    let target = request.target().ok_or_else(|| Fault::new(Code::MessageInvalid))?;
    Ok(Asked::Erase(request, target))
}

async fn erase(
    context: &Context,
    message: &Message<'_>,
    request: &EraseRequest,
    target: &EraseTarget,
) -> Result<Settle, StoreError> {
    let erase = || context.store.erase(&request.tenant, target, request.job_id, message.origin());
    let interviews = match context.patiently(erase).await? {
        Erasure::Conflict => {
            tell(message, &Admission::Conflict, None);
            return Ok(Settle::Acknowledge);
        }
        // A redelivery after the commit: the dead letters may not have been looked through yet.
        Erasure::Replay { interviews } => interviews,
        Erasure::Erased { interviews } => {
            InterviewsErased { cause: EraseCause::Request, interviews: interviews.len() as u64 }.emit();
            interviews
        }
    };
    Ok(purge(context, request, target, interviews).await)
}

/// Takes the dead letters of what was erased out of their queue.
async fn purge(context: &Context, request: &EraseRequest, target: &EraseTarget, interviews: Vec<Uuid>) -> Settle {
    let interviews: BTreeSet<String> = interviews.iter().map(Uuid::to_string).collect();
    let matches = |letter: &Value| {
        let text = |key: &str| letter[key].as_str().unwrap_or_default();
        let named = match target {
            EraseTarget::Interview(id) => text("interview_id") == id,
            // A letter holds nothing of a candidate: it is known by its interview.
            EraseTarget::Candidate(_) => false,
        };
        text("tenant") == request.tenant && (named || interviews.contains(text("interview")))
    };
    match context.broker.purge_dead_letters(matches).await {
        Ok(_) => Settle::Acknowledge,
        Err(error) => {
            warn!(%error, "the dead letters could not be looked through; the erasure comes again");
            Settle::Wait(AWAY)
        }
    }
}

async fn withdraw(
    context: &Context,
    message: &Message<'_>,
    withdrawn: &ConsentWithdrawn,
) -> Result<Settle, StoreError> {
    let admission = match context.patiently(|| context.store.withdraw(withdrawn, message.origin())).await? {
        Withdrawal::Withdrawn { interview } => Admission::Admitted { interview, jobs: 0 },
        Withdrawal::Replay => Admission::Replay,
        Withdrawal::Conflict => Admission::Conflict,
        Withdrawal::Erased => Admission::Erased,
        Withdrawal::Unknown => Admission::Refused,
    };
    tell(message, &admission, Some(Code::InterviewUnknown));
    Ok(Settle::Acknowledge)
}
