//! The stage `extract`: a recording to transcript and tracks.

use std::sync::Arc;
use std::time::Instant;

use hirenet_analyze::Extraction;
use hirenet_core::{Code, Coded, Kind};
use hirenet_fetch::{FetchError, Fetched};
use hirenet_store::{ExtractTask, Lease};

use super::job::Stopped;
use crate::daemon::context::Context;
use crate::daemon::extractors::{Extracted, Request};
use crate::daemon::observe::events::{MediaExtracted, MediaFetched};
use crate::daemon::{fault, stored};
use crate::failure::Failure;

pub(super) async fn run(context: &Arc<Context>, lease: &Lease) -> Result<(), Stopped> {
    // Read anew at each attempt: consent may have been withdrawn since the job was made.
    let Some(task) = context.patiently(|| context.store.extract_task(lease)).await? else { return Ok(()) };
    let extracted = extracted(context, lease, task).await?;
    let outcome = stored::outcome(extracted.extraction, extracted.models)?;
    fault::point("extract", fault::BEFORE_COMMIT);
    context.patiently(|| context.store.finish_extract(lease, &outcome)).await?;
    Ok(())
}

/// Fetches and extracts. A recording that is at fault becomes an extraction that only says why: it takes nothing from
/// the other answers, and trying again cannot help.
async fn extracted(context: &Context, lease: &Lease, task: ExtractTask) -> Result<Extracted, Stopped> {
    let media = match fetch(context, lease, &task).await {
        Ok(media) => media,
        Err(error) if error.code().kind() == Kind::Faulty => {
            let extraction = Extraction::failed(error.code(), error.code().meaning());
            return Ok(Extracted { extraction, models: std::collections::BTreeMap::new() });
        }
        Err(error) => return Err(Failure::from(error).into()),
    };
    fault::point("extract", fault::AFTER_FETCH);
    let extractors = context.extractors.as_ref();
    let extractors = extractors.ok_or_else(|| Failure::new(Code::Internal, "this worker does not serve `extract`"))?;
    let started = Instant::now();
    let extracted = extractors.extract(Request { media, task }).await?;
    let steps: Vec<(&'static str, f64)> = extracted.extraction.timings.iter().map(|(k, v)| (*k, *v)).collect();
    let media_s = extracted.extraction.duration_s.unwrap_or(0.0);
    MediaExtracted { job: lease.job, media_s, took: started.elapsed(), steps: &steps }.emit();
    Ok(extracted)
}

async fn fetch(context: &Context, lease: &Lease, task: &ExtractTask) -> Result<Fetched, FetchError> {
    let started = Instant::now();
    let answer = &task.answer;
    let max_bytes = context.config.media.max_bytes;
    let media = context.fetcher.fetch(&answer.media, answer.sha256.as_deref(), max_bytes).await?;
    MediaFetched { job: lease.job, bytes: media.bytes(), took: started.elapsed() }.emit();
    Ok(media)
}
