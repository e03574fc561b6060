//! Every metric of the program, by one rule.
//!
//! Names are `hirenet_WHAT_UNIT`, and `hirenet_WHAT_UNIT_total` for what only grows. Units are `seconds`, `bytes` and
//! `ratio`; a plain number of things has the things' name in the place of a unit. Labels come from closed sets (stage,
//! priority, outcome, code, ...): never a tenant, an interview, a job or a worker.

use std::sync::OnceLock;

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use hirenet_core::{Code, Kind};
use hirenet_queue::{Priority, Stage};
use hirenet_store::Destination;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::events;
use crate::failure::Failure;

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// Only grows, from zero at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
    /// For the tests that hold the manual against this table.
    #[cfg(test)]
    #[cfg_attr(not(test), expect(dead_code, reason = "what tests hold the calls against"))]
    pub(crate) labels: &'static [&'static str],
    pub(crate) meaning: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident [$($label:literal),*] $meaning:literal;)*) => {
        $(#[doc = $meaning] pub(crate) const $constant: &str = $name;)*

        /// Every metric.
        pub(crate) const ALL: &[Metric] = &[
            $(Metric {
                name: $name,
                kind: Type::$kind,
                #[cfg(test)]
                labels: &[$($label),*],
                meaning: $meaning,
            },)*
        ];
    };
}

metrics! {
    // This process
    DELIVERIES "hirenet_deliveries_total" Counter ["stage", "priority", "redelivered"] "Messages that the broker handed to this worker.";
    QUEUE_WAIT "hirenet_queue_wait_seconds" Histogram ["stage", "priority"] "From the publication of a message to its delivery.";
    SUBMISSIONS "hirenet_submissions_total" Counter ["outcome"] "Submissions that were admitted, replayed, refused or in conflict.";
    JOBS "hirenet_jobs_total" Counter ["stage", "outcome"] "Attempts that ended, by how.";
    JOB_TIME "hirenet_job_seconds" Histogram ["stage", "outcome"] "Time of an attempt from claim to commit.";
    JOBS_RUNNING "hirenet_jobs_running" Gauge ["stage"] "Jobs in hand.";
    FAILURES "hirenet_failures_total" Counter ["stage", "code"] "Attempts that failed, by stable code.";
    RETRIES "hirenet_retries_total" Counter ["stage"] "Attempts that are put back to be tried again.";
    DEAD "hirenet_dead_letters_total" Counter ["stage", "code"] "Jobs given up for good.";
    LEASES_LOST "hirenet_leases_lost_total" Counter ["stage"] "Jobs that another worker took over.";
    EXTRACT_STEP "hirenet_extract_step_seconds" Histogram ["step"] "Time of a step of `extract`.";
    MEDIA "hirenet_media_seconds_total" Counter [] "Media that was extracted, in seconds of media.";
    REAL_TIME "hirenet_real_time_ratio" Histogram [] "Time of extraction as a multiple of the media's duration.";
    FETCHED "hirenet_fetched_bytes_total" Counter [] "Media that was fetched.";
    PUBLISHED "hirenet_published_total" Counter ["destination"] "Messages of the outbox that the broker confirmed.";
    CONNECTIONS_LOST "hirenet_connections_lost_total" Counter ["peer"] "Losses of the connection to broker or database.";
    ERASED "hirenet_erased_interviews_total" Counter ["cause"] "Interviews erased, by request or at the end of their retention.";
    MEMORY "hirenet_memory_bytes" Gauge [] "Resident memory of this process.";
    CPU "hirenet_cpu_seconds_total" Counter [] "Processor time of this process and its ended children.";
    FILES "hirenet_open_files" Gauge [] "Open file descriptors of this process.";
    BUILD "hirenet_build_info" Gauge ["version"] "Always 1; the label says what runs.";
    // The service, from the database
    DATABASE_UP "hirenet_database_up" Gauge [] "1 where the database answered this scrape.";
    STORED_JOBS "hirenet_stored_jobs" Gauge ["stage", "priority", "state"] "Jobs that have not ended, in the whole service.";
    STORED_AGE "hirenet_stored_job_age_seconds" Gauge ["stage", "priority", "state"] "Age of the oldest of them.";
    OUTBOX_ROWS "hirenet_outbox_rows" Gauge [] "Messages that wait to be published, in the whole service.";
    OUTBOX_AGE "hirenet_outbox_age_seconds" Gauge [] "Age of the oldest of them.";
    SUBMISSIONS_OPEN "hirenet_open_submissions" Gauge [] "Submissions that have not come to their end.";
    OVERDUE "hirenet_overdue_erasures" Gauge [] "Erasures past their deadline that are not done.";
    WORKERS "hirenet_workers" Gauge [] "Workers that live.";
}

/// From 5 ms to 44 minutes, each twice the one before.
fn time_buckets() -> Vec<f64> {
    (0..20).map(|k| 0.005 * 2f64.powi(k)).collect()
}

/// From 0.02 to 20 times, each half as much again.
fn ratio_buckets() -> Vec<f64> {
    (0..18).map(|k| 0.02 * 1.5f64.powi(k)).collect()
}

/// Starts counting, once a process, and gives what renders the counts.
///
/// # Errors
/// [`Code::Internal`] where something else counts already.
pub(crate) fn start() -> Result<PrometheusHandle, Failure> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let failed = |error: &dyn std::fmt::Display| Failure::new(Code::Internal, format!("metrics: {error}"));
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &time_buckets())
        .and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_ratio".to_owned()), &ratio_buckets()))
        .map_err(|error| failed(&error))?;
    let handle = builder.install_recorder().map_err(|error| failed(&error))?;
    for metric in ALL {
        match metric.kind {
            Type::Counter => describe_counter!(metric.name, metric.meaning),
            Type::Gauge => describe_gauge!(metric.name, metric.meaning),
            Type::Histogram => describe_histogram!(metric.name, metric.meaning),
        }
    }
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    begin_at_zero();
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Shows every family from the start, with every label that can come: a counter that appears with its first event has no
/// step for `rate()` to see, and what is absent cannot be told from what never happened.
fn begin_at_zero() {
    for stage in Stage::ALL.map(Stage::as_str) {
        for priority in Priority::ALL.map(Priority::as_str) {
            for redelivered in ["no", "yes"] {
                counter!(DELIVERIES, "stage" => stage, "priority" => priority, "redelivered" => redelivered)
                    .increment(0);
            }
            let _ = histogram!(QUEUE_WAIT, "stage" => stage, "priority" => priority);
        }
        // What the broker gives up ends here whatever its stage.
        counter!(DEAD, "stage" => stage, "code" => Code::DeliveryLimit.as_str()).increment(0);
    }
    for stage in [Stage::Extract, Stage::Score].map(Stage::as_str) {
        gauge!(JOBS_RUNNING, "stage" => stage).increment(0.0);
        counter!(RETRIES, "stage" => stage).increment(0);
        counter!(LEASES_LOST, "stage" => stage).increment(0);
        for outcome in events::Outcome::WORDS {
            counter!(JOBS, "stage" => stage, "outcome" => outcome).increment(0);
            let _ = histogram!(JOB_TIME, "stage" => stage, "outcome" => outcome);
        }
        // A note is no failure, and a failure of the set-up ends the worker.
        for code in Code::ALL.iter().filter(|code| !matches!(code.kind(), Kind::Note | Kind::Setup)) {
            counter!(FAILURES, "stage" => stage, "code" => code.as_str()).increment(0);
            counter!(DEAD, "stage" => stage, "code" => code.as_str()).increment(0);
        }
    }
    let sets: [(&'static str, &'static str, &[&'static str]); 3] = [
        (SUBMISSIONS, "outcome", &events::Handled::WORDS),
        (CONNECTIONS_LOST, "peer", &events::Peer::WORDS),
        (ERASED, "cause", &events::EraseCause::WORDS),
    ];
    for (name, label, words) in sets {
        for &word in words {
            counter!(name, label => word).increment(0);
        }
    }
    for destination in Destination::ALL {
        counter!(PUBLISHED, "destination" => destination.as_str()).increment(0);
    }
    counter!(MEDIA).increment(0);
    counter!(FETCHED).increment(0);
    let _ = histogram!(REAL_TIME);
    // The other steps are named by the pipeline when it has taken them.
    let _ = histogram!(EXTRACT_STEP, "step" => "fetch");
}
