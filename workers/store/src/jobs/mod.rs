//! Jobs: claims with leases, what a stage needs, what it hands back, and how it fails.

mod claim;
mod extract;
mod fail;
mod guard;
mod score;
pub(crate) mod task;

pub(crate) use claim::{priority, stage};
pub(crate) use extract::enqueue_score_when_last;
pub(crate) use guard::{Tx, names};
pub(crate) use task::{modality, read};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hirenet_core::{Answer, Assessment, Interview, Modality, Reason, Transcript};
use uuid::Uuid;

use crate::{Priority, Stage};

/// A claim on a job: the right to work on it until it ends or runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: Uuid,
    /// Whose it is.
    pub tenant: String,
    /// Its stage.
    pub stage: Stage,
    /// The store's own id of the interview.
    pub interview: Uuid,
    /// The tenant's id of the interview.
    pub interview_id: String,
    /// Index of the answer (extract).
    pub answer: Option<i32>,
    /// Which queues it goes through.
    pub priority: Priority,
    /// Grows with each claim: a write under an older number is refused.
    pub fence: i64,
    /// Number of this attempt, from 1.
    pub attempt: i32,
    /// Attempts so far that ended in a failure of an unknown kind.
    pub failures: i32,
    /// A worker died in the middle of this job: nothing else may run beside it in this process.
    pub alone: bool,
    /// Time since the job was made, on the database's clock.
    pub age: Duration,
    /// W3C `traceparent` of the message that the job follows from.
    pub trace: Option<String>,
}

/// What a claim on a job gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The job is this worker's.
    Run(Box<Lease>),
    /// The job is over: its message only needs to be acknowledged.
    Ended,
    /// Another worker's lease is live.
    Busy {
        /// When that lease runs out, unless it is renewed.
        retry_after: Duration,
    },
    /// The job was erased, or was never made.
    Gone,
}

/// What the stage `extract` needs.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtractTask {
    /// The tenant's id of the interview.
    pub interview_id: String,
    /// The answer as the message had it.
    pub answer: Answer,
    /// Spoken language; `None`: detect it.
    pub language: Option<String>,
    /// The modalities that may be computed now. Never empty.
    pub modalities: BTreeSet<Modality>,
}

/// One track of one answer, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTrack {
    /// Which modality.
    pub modality: Modality,
    /// Schema id.
    pub schema: String,
    /// Number of rows.
    pub rows: i32,
    /// Number of rows with evidence.
    pub valid_rows: i32,
    /// safetensors (`values` f32 `[rows, D]`, `valid` u8 `[rows]`) compressed by zstd.
    pub bytes: Vec<u8>,
}

/// What the stage `extract` hands over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExtractOutcome {
    /// Duration of the recording in seconds, where it could be read.
    pub duration_s: Option<f64>,
    /// SHA-256 of the recording in hexadecimal, where it could be read.
    pub media_sha256: Option<String>,
    /// What was said.
    pub transcript: Option<Transcript>,
    /// The tracks that were made. Those of a modality whose consent was withdrawn meanwhile are not stored.
    pub tracks: Vec<StoredTrack>,
    /// What is missing or to be read with care.
    pub reasons: Vec<Reason>,
    /// Busy wall seconds of each stage.
    pub timings: BTreeMap<String, f64>,
    /// SHA-256 of each model file that was used, by its role.
    pub models: BTreeMap<String, String>,
}

/// What was extracted of one answer, read back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoredExtraction {
    /// False where the answer's job was buried: `reasons` say why.
    pub extracted: bool,
    /// See [`ExtractOutcome`]; filtered by the consent of now.
    pub outcome: ExtractOutcome,
}

/// An answer with what was extracted of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// Index in the interview.
    pub index: i32,
    /// The answer as the message had it.
    pub answer: Answer,
    /// What was extracted.
    pub extraction: StoredExtraction,
}

/// What the stage `score` needs.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreTask {
    /// The interview as the message had it; its answers are the final takes.
    pub interview: Interview,
    /// The modalities that may be used now. Empty: the assessment is refused.
    pub modalities: BTreeSet<Modality>,
    /// Reasons that concern the interview as a whole.
    pub reasons: Vec<Reason>,
    /// The answers in order.
    pub answers: Vec<StoredAnswer>,
    /// SHA-256 of the bundle to score under; `None` where no bundle is registered yet.
    pub bundle: Option<String>,
    /// What all of this was read from.
    pub evidence: Evidence,
}

/// What an assessment is made from. The same evidence gives the same assessment under the same bundle and software.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// SHA-256 of every recording, transcript and track, joined by commas; `None` where there is none.
    pub pieces: Option<String>,
    /// The modalities that may be used.
    pub modalities: Vec<String>,
}

/// What the stage `score` hands over.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreOutcome<'a> {
    /// The assessment. Its bundle must be registered ([`crate::Store::register_bundle`]).
    pub assessment: &'a Assessment,
    /// What it was made from ([`ScoreTask::evidence`]).
    pub evidence: &'a Evidence,
}
