//! The database: every statement of the product is here, and nothing but the database is known here.
//!
//! A [`Store`] is a pool of connections that run as the role `hirenet_worker`. Each method is one transaction (or one
//! statement); none stays open while media is processed. Work on a job goes through a [`Lease`]: [`Store::claim`] hands
//! it out on the database's clock with a fencing number, and every write that follows is refused with
//! [`StoreError::LeaseLost`] once another claim, an erasure or the clock has taken it away.
//!
//! What must be published is a row of the outbox, written in the transaction that it follows from; [`Store::relay`]
//! hands such rows to a publisher, in order for each interview.

mod bundles;
mod connect;
mod error;
mod health;
mod intake;
mod jobs;
mod kept;
mod outbox;
mod packed;
mod records;
mod removal;
mod settings;
mod turns;
mod words;

pub use bundles::{BundleRow, NewBundle, PairedScore};
pub use connect::Store;
pub use error::StoreError;
pub use health::{
    DeadJob, DroppedLetter, JobCount, OutboxState, PastAttempt, Status, StuckJob, Violation, WorkerBeat, WorkerRow,
};
pub use intake::{Admission, AdmitPlan, Origin, Refusal};
pub use jobs::{
    Claim, Evidence, ExtractOutcome, ExtractTask, Lease, ScoreOutcome, ScoreTask, StoredAnswer, StoredExtraction,
    StoredTrack,
};
pub use outbox::{OutboxRow, Relayed};
pub use packed::{pack, unpack};
pub use records::{ExportedAnswer, ExportedInterview, RescoreScope, ResultFilter, ResultRow, StoredReport};
pub use removal::{Erasure, Retained, Withdrawal};
pub use settings::{RetentionDays, StoreSettings};
pub use words::{Destination, FinalState, Priority, Request, Stage};
