//! Messages to rows: admission, and refusal.

pub(crate) mod admit;
mod refuse;
pub(crate) mod submission;

use std::collections::BTreeSet;

use hirenet_core::{Code, Interview, Modality, Reason};
use uuid::Uuid;

use crate::{FinalState, Priority, Request};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Rows are inserted, and a job an answer is on its way.
    Admitted {
        /// The store's own id of the interview.
        interview: Uuid,
        /// Number of jobs.
        jobs: usize,
    },
    /// The same id and content came before; it is counted and changes nothing.
    Replay,
    /// The same id came before with other content. It is recorded, with a dead letter; the first one stands.
    Conflict,
    /// The interview or its candidate was erased: nothing of the message is written but its id, hash and end.
    Erased,
    /// Refused: recorded as such, with its event and a dead letter.
    Refused,
}

/// An interview to admit, with what policy and consent allow.
#[derive(Debug, Clone)]
pub struct AdmitPlan<'a> {
    /// The message.
    pub interview: &'a Interview,
    /// SHA-256 of the message's bytes, in hexadecimal.
    pub content_sha256: &'a str,
    /// Which queues its jobs go through.
    pub priority: Priority,
    /// The modalities that may be computed. Empty is refused with [`Code::ConsentMissing`].
    pub modalities: BTreeSet<Modality>,
    /// Reasons that concern the interview as a whole, such as a missing face waiver.
    pub reasons: Vec<Reason>,
    /// W3C `traceparent` of the message, carried on in the headers of everything that follows from it.
    pub trace: Option<&'a str>,
}

/// What is kept of where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// SHA-256 of the message's bytes, in hexadecimal.
    pub content_sha256: &'a str,
    /// W3C `traceparent` of the message, carried on in the headers of its event.
    pub trace: Option<&'a str>,
}

impl<'a> From<&'a str> for Origin<'a> {
    /// Of a message without a trace.
    fn from(content_sha256: &'a str) -> Self {
        Origin { content_sha256, trace: None }
    }
}

/// A message that ends before anything is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// What it asked for.
    pub request: Request,
    /// Whose it is; `None` where the message does not say so legibly.
    pub tenant: Option<&'a str>,
    /// Its job id; `None` where the message does not say so legibly.
    pub job_id: Option<Uuid>,
    /// The tenant's id of the interview, where it is known.
    pub interview_id: Option<&'a str>,
    /// SHA-256 of the message's bytes, in hexadecimal.
    pub content_sha256: &'a str,
    /// [`FinalState::Refused`], or [`FinalState::Failed`] where the broker gave the message up.
    pub state: FinalState,
    /// Why.
    pub code: Code,
    /// One sentence with the particulars. Never a transcript, a name or a path.
    pub detail: &'a str,
    /// W3C `traceparent` of the message, carried on in the headers of its event and its dead letter.
    pub trace: Option<&'a str>,
}
