//! What goes away: erasure, consent taken back, and the end of retention.

mod erase;
mod retain;
mod withdraw;

pub(crate) use erase::lock_jobs_then_interviews;
pub(crate) use withdraw::end_score_jobs;

use uuid::Uuid;

/// What became of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasure {
    /// Everything is gone, the receipt stands.
    Erased {
        /// The store's own ids of the interviews that were erased now; empty where there were none (any more).
        interviews: Vec<Uuid>,
    },
    /// The same job came before.
    Replay {
        /// The interviews that it erased then, so that what was left undone outside the database can be done now.
        interviews: Vec<Uuid>,
    },
    /// The same job id came before with other content.
    Conflict,
}

/// What became of a withdrawal of consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawal {
    /// What had been computed of the modalities is gone; the interview is assessed anew without them.
    Withdrawn {
        /// The store's own id of the interview.
        interview: Uuid,
    },
    /// The same job came before.
    Replay,
    /// The same job id came before with other content.
    Conflict,
    /// The interview was erased.
    Erased,
    /// The tenant has no such interview: refused with its event, and remembered for when the interview comes later.
    Unknown,
}

/// What one run of the retention removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retained {
    /// Interviews that reached the end of their own retention and were erased.
    pub interviews: u64,
    /// Tracks.
    pub tracks: u64,
    /// Transcripts.
    pub transcripts: u64,
    /// Rows of the audit.
    pub audit: u64,
}
