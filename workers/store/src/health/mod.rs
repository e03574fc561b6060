//! What an operator asks: who works, what is stuck, what was given up, and whether the invariants hold.

mod check;
mod dead;
mod status;
mod workers;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Priority, Stage};

/// A worker that says it lives.
#[derive(Debug, Clone)]
pub struct WorkerBeat<'a> {
    /// The process's own id, new at each start.
    pub worker: Uuid,
    /// Name of its machine.
    pub host: &'a str,
    /// Version of the program.
    pub version: &'a str,
    /// The stages it serves.
    pub stages: &'a [String],
    /// Jobs of a stage at once.
    pub slots: i32,
}

/// A worker as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRow {
    /// Its id.
    pub worker: Uuid,
    /// Name of its machine.
    pub host: String,
    /// Version of the program.
    pub version: String,
    /// The stages it serves.
    pub stages: Vec<String>,
    /// Jobs of a stage at once.
    pub slots: i32,
    /// Jobs in hand.
    pub running: i64,
    /// When it started.
    pub started_at: OffsetDateTime,
    /// Its last beat.
    pub seen_at: OffsetDateTime,
    /// When it said goodbye; `None` while it lives, or died.
    pub stopped_at: Option<OffsetDateTime>,
}

/// Jobs of one stage in one state.
#[derive(Debug, Clone, PartialEq)]
pub struct JobCount {
    /// The stage.
    pub stage: Stage,
    /// The queues it goes through.
    pub priority: Priority,
    /// `ready`, `running`, `done`, `failed` or `erased`.
    pub state: String,
    /// How many.
    pub jobs: i64,
    /// Age of the oldest in seconds.
    pub oldest_s: f64,
}

/// A job that does not move: its lease has run out, or it has been ready for longer than asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct StuckJob {
    /// The job.
    pub job: Uuid,
    /// Its stage.
    pub stage: Stage,
    /// `ready` or `running`.
    pub state: String,
    /// The tenant's id of the interview.
    pub interview_id: String,
    /// Attempts so far.
    pub attempts: i32,
    /// Deaths of its worker.
    pub deaths: i32,
    /// Code of the last failure.
    pub code: Option<String>,
    /// Seconds since it last moved.
    pub still_s: f64,
}

/// What waits to be published.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OutboxState {
    /// Rows.
    pub rows: i64,
    /// Age of the oldest in seconds; 0 where there is none.
    pub oldest_s: f64,
}

/// What `hirenet status` shows of the database.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// Jobs by stage, priority and state.
    pub jobs: Vec<JobCount>,
    /// Workers seen within the last day.
    pub workers: Vec<WorkerRow>,
    /// Jobs that do not move, oldest first, at most 100.
    pub stuck: Vec<StuckJob>,
    /// What waits to be published.
    pub outbox: OutboxState,
    /// Submissions without an end.
    pub open_submissions: i64,
    /// Erasures that are past their deadline without being done.
    pub overdue_erasures: i64,
}

/// One attempt of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct PastAttempt {
    /// Number, from 1.
    pub attempt: i32,
    /// The worker.
    pub worker: Uuid,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// When it ended: it is written down then.
    pub ended_at: OffsetDateTime,
    /// `done`, `retried`, `buried`, `handed_back`, `died` or `erased`.
    pub outcome: String,
    /// Code of the failure.
    pub code: Option<String>,
    /// One sentence about the failure.
    pub detail: Option<String>,
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadJob {
    /// The job.
    pub job: Uuid,
    /// Whose it is.
    pub tenant: String,
    /// Its stage.
    pub stage: Stage,
    /// The tenant's id of the interview.
    pub interview_id: String,
    /// Why.
    pub code: String,
    /// One sentence with the particulars.
    pub detail: Option<String>,
    /// When.
    pub ended_at: OffsetDateTime,
    /// Every attempt, in order; empty in a list.
    pub attempts: Vec<PastAttempt>,
}

/// The letter of a refused message, which an operator takes out of the dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DroppedLetter<'a> {
    /// Whose message it was, where that was legible.
    pub tenant: Option<&'a str>,
    /// The message's job id, where that was legible.
    pub job_id: Option<Uuid>,
    /// SHA-256 of the message.
    pub content_sha256: Option<&'a str>,
    /// Why it was refused.
    pub code: Option<&'a str>,
}

/// Something that must always hold and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Number of the invariant in docs/invariants.md.
    pub invariant: u8,
    /// What is wrong.
    pub what: String,
    /// The row: a job id, an interview's id of the store, an assessment's number.
    pub row: String,
}
