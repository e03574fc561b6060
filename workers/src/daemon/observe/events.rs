//! What happens in a worker: a struct an event, whose `emit` writes the log line and the counts.
//!
//! Identifiers in logs are the job's and the interview's own; no field is made of what a candidate said or sent.

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use hirenet_core::Code;
use hirenet_queue::{Priority, Stage};
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::metrics;

/// The broker handed a message over.
#[derive(Debug)]
pub(crate) struct DeliveryTaken {
    pub(crate) stage: Stage,
    pub(crate) priority: Priority,
    pub(crate) redelivered: bool,
    /// Since its publication, where the message says when that was.
    pub(crate) waited: Option<Duration>,
}

impl DeliveryTaken {
    pub(crate) fn emit(self) {
        let (stage, priority) = (self.stage.as_str(), self.priority.as_str());
        let redelivered = if self.redelivered { "yes" } else { "no" };
        counter!(metrics::DELIVERIES, "stage" => stage, "priority" => priority, "redelivered" => redelivered)
            .increment(1);
        if let Some(waited) = self.waited {
            histogram!(metrics::QUEUE_WAIT, "stage" => stage, "priority" => priority).record(waited);
        }
        debug!(stage, priority, redelivered, waited_s = self.waited.map(|w| w.as_secs_f64()), "delivery taken");
    }
}

/// A submission was dealt with.
#[derive(Debug)]
pub(crate) struct SubmissionHandled {
    pub(crate) job_id: Option<Uuid>,
    pub(crate) outcome: Handled,
    /// Why it was refused.
    pub(crate) code: Option<Code>,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    Admitted,
    Replay,
    Conflict,
    Refused,
}

impl Handled {
    /// The spellings, in the order of the variants.
    pub(crate) const WORDS: [&str; 4] = ["admitted", "replay", "conflict", "refused"];
}

impl SubmissionHandled {
    pub(crate) fn emit(self) {
        let outcome = Handled::WORDS[self.outcome as usize];
        counter!(metrics::SUBMISSIONS, "outcome" => outcome).increment(1);
        let code = self.code.map(Code::as_str);
        info!(submission = self.job_id.map(tracing::field::display), outcome, code, "submission handled");
    }
}

/// A job in hand: counted as running until this is dropped.
#[derive(Debug)]
pub(crate) struct JobRunning {
    stage: Stage,
}

impl JobRunning {
    /// Announces the start of an attempt.
    pub(crate) fn start(stage: Stage, job: Uuid, interview: Uuid, attempt: i32) -> Self {
        gauge!(metrics::JOBS_RUNNING, "stage" => stage.as_str()).increment(1.0);
        debug!(stage = stage.as_str(), %job, %interview, attempt, "job started");
        JobRunning { stage }
    }
}

impl Drop for JobRunning {
    fn drop(&mut self) {
        gauge!(metrics::JOBS_RUNNING, "stage" => self.stage.as_str()).decrement(1.0);
    }
}

/// An attempt came to an end and was committed.
#[derive(Debug)]
pub(crate) struct JobEnded {
    pub(crate) stage: Stage,
    pub(crate) job: Uuid,
    pub(crate) interview: Uuid,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its result is committed.
    Done,
    /// Put back, to be tried again later.
    Retry(Code, Duration),
    /// Given up for good.
    Dead(Code),
    /// Another worker has the job.
    LeaseLost,
    /// Handed back at the end of the worker, which is no failure.
    HandedBack,
}

impl Outcome {
    /// The spellings, in the order of the variants.
    pub(crate) const WORDS: [&str; 5] = ["done", "retry", "dead", "lease_lost", "handed_back"];

    fn word(self) -> &'static str {
        let [done, retry, dead, lease_lost, handed_back] = Outcome::WORDS;
        match self {
            Outcome::Done => done,
            Outcome::Retry(..) => retry,
            Outcome::Dead(_) => dead,
            Outcome::LeaseLost => lease_lost,
            Outcome::HandedBack => handed_back,
        }
    }
}

impl JobEnded {
    pub(crate) fn emit(self) {
        let JobEnded { stage, job, interview, outcome, took } = self;
        let (stage, word, took_s) = (stage.as_str(), outcome.word(), took.as_secs_f64());
        counter!(metrics::JOBS, "stage" => stage, "outcome" => word).increment(1);
        histogram!(metrics::JOB_TIME, "stage" => stage, "outcome" => word).record(took);
        if let Outcome::Retry(code, _) | Outcome::Dead(code) = outcome {
            counter!(metrics::FAILURES, "stage" => stage, "code" => code.as_str()).increment(1);
        }
        match outcome {
            Outcome::Done => info!(stage, %job, %interview, took_s, "job done"),
            Outcome::HandedBack => info!(stage, %job, %interview, took_s, "job handed back"),
            Outcome::Retry(code, delay) => {
                counter!(metrics::RETRIES, "stage" => stage).increment(1);
                let retry_s = delay.as_secs_f64();
                warn!(stage, %job, %interview, took_s, code = code.as_str(), retry_s, "job failed, to be tried again");
            }
            Outcome::Dead(code) => {
                counter!(metrics::DEAD, "stage" => stage, "code" => code.as_str()).increment(1);
                warn!(stage, %job, %interview, took_s, code = code.as_str(), "job given up");
            }
            Outcome::LeaseLost => {
                counter!(metrics::LEASES_LOST, "stage" => stage).increment(1);
                warn!(stage, %job, %interview, took_s, "lease lost, result set aside");
            }
        }
    }
}

/// A job was found beyond its limits when it was claimed, and given up without an attempt.
#[derive(Debug)]
pub(crate) struct JobBuried {
    pub(crate) stage: Stage,
    pub(crate) job: Option<Uuid>,
    pub(crate) code: Code,
}

impl JobBuried {
    pub(crate) fn emit(self) {
        let (stage, code) = (self.stage.as_str(), self.code.as_str());
        counter!(metrics::DEAD, "stage" => stage, "code" => code).increment(1);
        warn!(stage, job = self.job.map(tracing::field::display), code, "job given up");
    }
}

/// A recording was fetched.
#[derive(Debug)]
pub(crate) struct MediaFetched {
    pub(crate) job: Uuid,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

impl MediaFetched {
    pub(crate) fn emit(self) {
        counter!(metrics::FETCHED).increment(self.bytes);
        histogram!(metrics::EXTRACT_STEP, "step" => "fetch").record(self.took);
        debug!(job = %self.job, bytes = self.bytes, took_s = self.took.as_secs_f64(), "media fetched");
    }
}

/// A recording was measured.
#[derive(Debug)]
pub(crate) struct MediaExtracted<'a> {
    pub(crate) job: Uuid,
    pub(crate) media_s: f64,
    pub(crate) took: Duration,
    /// Processor or wall seconds of each step, by name.
    pub(crate) steps: &'a [(&'static str, f64)],
}

impl MediaExtracted<'_> {
    pub(crate) fn emit(self) {
        let took_s = self.took.as_secs_f64();
        // Counters are whole numbers.
        counter!(metrics::MEDIA).increment(self.media_s.round() as u64);
        if self.media_s > 0.0 {
            histogram!(metrics::REAL_TIME).record(took_s / self.media_s);
        }
        for &(step, seconds) in self.steps {
            histogram!(metrics::EXTRACT_STEP, "step" => step).record(seconds);
        }
        debug!(job = %self.job, media_s = self.media_s, took_s, "media extracted");
    }
}

/// Messages of the outbox went out.
#[derive(Debug)]
pub(crate) struct OutboxRelayed {
    pub(crate) destination: &'static str,
    pub(crate) messages: u64,
}

impl OutboxRelayed {
    pub(crate) fn emit(self) {
        counter!(metrics::PUBLISHED, "destination" => self.destination).increment(self.messages);
    }
}

/// A connection broke.
#[derive(Debug)]
pub(crate) struct ConnectionLost {
    pub(crate) peer: Peer,
    pub(crate) code: Code,
}

/// What a worker is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Broker,
    Database,
}

impl Peer {
    /// The spellings, in the order of the variants.
    pub(crate) const WORDS: [&str; 2] = ["broker", "database"];
}

impl ConnectionLost {
    pub(crate) fn emit(self) {
        let peer = Peer::WORDS[self.peer as usize];
        counter!(metrics::CONNECTIONS_LOST, "peer" => peer).increment(1);
        warn!(peer, code = self.code.as_str(), "connection lost");
    }
}

/// Interviews were erased.
#[derive(Debug)]
pub(crate) struct InterviewsErased {
    pub(crate) cause: EraseCause,
    pub(crate) interviews: u64,
}

/// Why something was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EraseCause {
    /// A message or a command asked for it.
    Request,
    /// The end of its retention.
    Retention,
}

impl EraseCause {
    /// The spellings, in the order of the variants.
    pub(crate) const WORDS: [&str; 2] = ["request", "retention"];
}

impl InterviewsErased {
    pub(crate) fn emit(self) {
        let cause = EraseCause::WORDS[self.cause as usize];
        counter!(metrics::ERASED, "cause" => cause).increment(self.interviews);
        info!(cause, interviews = self.interviews, "interviews erased");
    }
}
