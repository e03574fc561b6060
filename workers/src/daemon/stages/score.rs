//! The stage `score`: everything that was extracted of an interview to its assessment.

use std::sync::Arc;

use hirenet_core::Code;
use hirenet_store::{Lease, ScoreOutcome};

use super::job::Stopped;
use crate::daemon::context::Context;
use crate::daemon::fault;
use crate::failure::Failure;

pub(super) async fn run(context: &Arc<Context>, lease: &Lease) -> Result<(), Stopped> {
    let task = context.patiently(|| context.store.score_task(lease)).await?;
    let evidence = task.evidence.clone();
    let assessors = context.assessors.as_ref();
    let assessors = assessors.ok_or_else(|| Failure::new(Code::Internal, "this worker does not serve `score`"))?;
    let assessment = assessors.assess(task, &context.store).await?;
    fault::point("score", fault::BEFORE_COMMIT);
    let outcome = ScoreOutcome { assessment: &assessment, evidence: &evidence };
    context.patiently(|| context.store.finish_score(lease, &outcome)).await?;
    Ok(())
}
