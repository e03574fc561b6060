//! The worker: it takes jobs from the queue, runs their stage, and commits what came of them.
//!
//! `docs/invariants.md` has what must hold, and the ordered steps of each stage with what a kill after each leaves. In
//! short: everything that follows from a delivery is committed before it is acknowledged, and everything that is
//! published follows from something committed.

mod assessors;
mod backoff;
mod chores;
mod context;
mod extractors;
mod fault;
mod gate;
mod lane;
mod lease;
mod observe;
mod relay;
mod settings;
mod shutdown;
mod stages;
mod stand_in;
pub(crate) mod stored;
pub(crate) mod tracks;
mod worker;

pub(crate) use observe::HttpSettings;
pub(crate) use settings::{RetentionSettings, WorkSettings};
pub(crate) use stages::SUBMITTED;
pub(crate) use worker::run;
