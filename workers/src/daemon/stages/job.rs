//! One attempt of a job: claim, work, and how it ends.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use hirenet_core::{Code, Coded, Kind, sha256_bytes};
use hirenet_queue::{Delivery, Stage};
use hirenet_store::{Claim, FinalState, Lease, Refusal, Request, StoreError};
use serde::Deserialize;
use tracing::error;
use uuid::Uuid;

use super::{extract, score};
use crate::daemon::context::{Context, MOMENT, Settle};
use crate::daemon::gate::Pass;
use crate::daemon::lease::lost;
use crate::daemon::observe::events::{JobBuried, JobEnded, JobRunning, Outcome};
use crate::daemon::{backoff, fault};
use crate::failure::Failure;

/// A stage message: ids alone.
#[derive(Debug, Deserialize)]
pub(super) struct StageMessage {
    pub(super) job: Uuid,
}

/// Why a job did not come to its end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It failed.
    Failed(Failure),
    /// Its lease is not this worker's any more.
    LeaseLost,
    /// The database could not be told; it was tried again for a while.
    Unrecorded(StoreError),
    /// The worker is to hand back what it has.
    Abandoned,
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost(_) => Stopped::LeaseLost,
            // A second try would fail as the first one did: the job is given up, and told so.
            error @ StoreError::Data(_) => Stopped::Failed(Failure::new(error.code(), error.to_string())),
            error => Stopped::Unrecorded(error),
        }
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Stopped::Failed(failure)
    }
}

pub(super) async fn handle(context: &Arc<Context>, stage: Stage, delivery: &Delivery) -> Settle {
    let Ok(message) = serde_json::from_slice::<StageMessage>(delivery.payload()) else {
        return refuse(context, delivery).await;
    };
    fault::point(stage.as_str(), fault::AFTER_RECEIVE);
    let time = context.config.work.lease();
    // Passed before the claim: a job that waits behind one that runs alone is not claimed, and does not die with it.
    let Some(mut pass) = pass(context, false).await else { return Settle::GiveBack };
    loop {
        match context.patiently(|| context.store.claim(message.job, context.worker, time)).await {
            Ok(Claim::Run(lease)) if lease.alone && !pass.is_alone() => {
                // Neighbours run now: a death beside them must not count as one alone.
                if let Err(error) = context.store.hand_back(&lease).await {
                    return context.unrecorded(&error);
                }
                drop(pass);
                pass = match self::pass(context, true).await {
                    Some(pass) => pass,
                    None => return Settle::GiveBack,
                };
            }
            Ok(Claim::Run(lease)) => return attempt(context, stage, &lease).await,
            // A moment more, so that the lease has run out by then.
            Ok(Claim::Busy { retry_after }) => return Settle::Wait(retry_after + Duration::from_millis(100)),
            Ok(Claim::Ended | Claim::Gone) => return Settle::Acknowledge,
            Err(error) => return context.unrecorded(&error),
        }
    }
}

/// The right to run a job in this process; `None` where the worker is to hand back what it has.
async fn pass(context: &Context, alone: bool) -> Option<Pass> {
    tokio::select! {
        pass = context.gate.pass(alone) => Some(pass),
        () = context.shutdown.abandoning() => None,
    }
}

/// Nobody but this program publishes stage messages: one that cannot be read has no job to fail.
async fn refuse(context: &Context, delivery: &Delivery) -> Settle {
    let sha256 = sha256_bytes(delivery.payload());
    let refusal = Refusal {
        request: Request::Submitted,
        tenant: None,
        job_id: None,
        interview_id: None,
        content_sha256: &sha256,
        state: FinalState::Refused,
        code: Code::MessageInvalid,
        detail: "a stage message cannot be read",
        trace: None,
    };
    match context.patiently(|| context.store.refuse(&refusal)).await {
        Ok(_) => Settle::Acknowledge,
        Err(error) => context.unrecorded(&error),
    }
}

async fn attempt(context: &Arc<Context>, stage: Stage, lease: &Lease) -> Settle {
    fault::point(stage.as_str(), fault::AFTER_CLAIM);
    let started = Instant::now();
    let _running = JobRunning::start(stage, lease.job, lease.interview, lease.attempt);
    let stopped = run(context, stage, lease).await;
    let (settle, outcome) = match stopped {
        Ok(()) => (Settle::Acknowledge, Some(Outcome::Done)),
        Err(Stopped::LeaseLost) => (Settle::Wait(MOMENT), Some(Outcome::LeaseLost)),
        Err(Stopped::Unrecorded(error)) => (context.unrecorded(&error), None),
        Err(Stopped::Abandoned) => (hand_back(context, lease).await, Some(Outcome::HandedBack)),
        Err(Stopped::Failed(failure)) => fail(context, lease, &failure).await,
    };
    if let Some(outcome) = outcome {
        let (job, interview) = (lease.job, lease.interview);
        JobEnded { stage, job, interview, outcome, took: started.elapsed() }.emit();
    }
    fault::point(stage.as_str(), fault::AFTER_COMMIT);
    settle
}

async fn run(context: &Arc<Context>, stage: Stage, lease: &Lease) -> Result<(), Stopped> {
    let longest = Duration::from_secs_f64(context.config.work.max_job_s);
    let work = async {
        match stage {
            Stage::Extract => extract::run(context, lease).await,
            _ => score::run(context, lease).await,
        }
    };
    let work = async {
        // A panic ends at its job.
        match tokio::time::timeout(longest, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Stopped::Failed(Failure::new(Code::JobPanicked, Code::JobPanicked.meaning()))),
            Err(_) => Err(Stopped::Failed(Failure::new(Code::JobTimeout, Code::JobTimeout.meaning()))),
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        () = lost(context, lease) => Err(Stopped::LeaseLost),
        () = context.shutdown.abandoning() => Err(Stopped::Abandoned),
    }
}

/// Records a failure by its kind: again later, given up, or handed back because this worker cannot go on.
async fn fail(context: &Context, lease: &Lease, failure: &Failure) -> (Settle, Option<Outcome>) {
    let code = failure.code();
    let work = &context.config.work;
    let last = match code.kind() {
        Kind::Setup => {
            error!(job = %lease.job, code = code.as_str(), %failure, "this worker cannot go on");
            context.shutdown.fail(Failure::new(code, failure.to_string()));
            return (hand_back(context, lease).await, Some(Outcome::HandedBack));
        }
        Kind::Faulty | Kind::Note => Some(code),
        Kind::Passing if lease.age.as_secs_f64() > work.max_age_h * 3600.0 => Some(Code::AgeLimit),
        Kind::Unknown if i64::from(lease.failures) + 1 >= i64::from(work.max_attempts) => Some(code),
        Kind::Passing | Kind::Unknown => None,
    };
    // What went wrong in particular may name a file: the meaning of the code is what is kept.
    let detail = code.meaning();
    let delay = backoff::pause(lease.attempt);
    let recorded = match last {
        Some(code) => context.patiently(|| context.store.bury(lease, code, detail)).await,
        None => context.patiently(|| context.store.retry(lease, code, detail, delay)).await,
    };
    if code == Code::JobTimeout {
        // Its thread cannot be stopped: a new process gets the slot back.
        context.shutdown.fail(Failure::new(code, "a job outlasted work.max_job_s; this worker must be started anew"));
    }
    tracing::debug!(job = %lease.job, %failure, "the job failed");
    match recorded {
        Ok(()) => (Settle::Acknowledge, Some(last.map_or(Outcome::Retry(code, delay), Outcome::Dead))),
        Err(StoreError::LeaseLost(_)) => (Settle::Wait(MOMENT), Some(Outcome::LeaseLost)),
        Err(error) => (context.unrecorded(&error), None),
    }
}

async fn hand_back(context: &Context, lease: &Lease) -> Settle {
    context.shutdown.count_handed_back();
    match context.store.hand_back(lease).await {
        Ok(()) => {}
        Err(StoreError::LeaseLost(_)) => return Settle::Wait(MOMENT),
        // The claim runs out by itself; until then the message finds the job busy and waits.
        Err(error) => error!(job = %lease.job, code = error.code().as_str(), "the job could not be handed back"),
    }
    Settle::GiveBack
}

/// Tells of a job that was given up without an attempt.
pub(super) fn buried(stage: Stage, job: Option<Uuid>, code: Code) {
    JobBuried { stage, job, code }.emit();
}
