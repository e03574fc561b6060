//! What the database says of the whole service, asked for at each scrape.

use std::time::Duration;

use ::metrics::gauge;
use hirenet_store::{Priority, Stage, Status, Store, WorkerRow};

use super::metrics;

/// A scrape waits no longer for the database.
const PATIENCE: Duration = Duration::from_secs(2);
/// What has not moved for so long would be listed as stuck; the metrics use only the counts.
const STUCK: Duration = Duration::from_secs(3600);
/// A worker whose last beat is so much older than the youngest of all has died.
const SILENCE: Duration = Duration::from_secs(60);
/// The states of jobs that have not ended.
const OPEN: [&str; 2] = ["ready", "running"];

/// Sets the metrics of the service; where the database does not answer, says so and leaves the others as they were.
pub(crate) async fn record(store: &Store) {
    match tokio::time::timeout(PATIENCE, store.status(STUCK)).await {
        Ok(Ok(status)) => {
            gauge!(metrics::DATABASE_UP).set(1.0);
            set(&status);
        }
        Ok(Err(_)) | Err(_) => gauge!(metrics::DATABASE_UP).set(0.0),
    }
}

fn set(status: &Status) {
    gauge!(metrics::OUTBOX_ROWS).set(status.outbox.rows as f64);
    gauge!(metrics::OUTBOX_AGE).set(status.outbox.oldest_s);
    gauge!(metrics::SUBMISSIONS_OPEN).set(status.open_submissions as f64);
    gauge!(metrics::OVERDUE).set(status.overdue_erasures as f64);
    gauge!(metrics::WORKERS).set(living(&status.workers) as f64);
    for &stage in Stage::ALL {
        for &priority in Priority::ALL {
            for state in OPEN {
                // What the database does not list is none: a gauge that stayed would show the past.
                let counted =
                    status.jobs.iter().find(|j| j.stage == stage && j.priority == priority && j.state == state);
                let labels = [("stage", stage.as_str()), ("priority", priority.as_str()), ("state", state)];
                gauge!(metrics::STORED_JOBS, &labels).set(counted.map_or(0.0, |c| c.jobs as f64));
                gauge!(metrics::STORED_AGE, &labels).set(counted.map_or(0.0, |c| c.oldest_s));
            }
        }
    }
}

/// Workers that have not said goodbye and beat like the others; all beats are on the database's clock.
fn living(workers: &[WorkerRow]) -> usize {
    let Some(youngest) = workers.iter().map(|worker| worker.seen_at).max() else { return 0 };
    workers.iter().filter(|worker| worker.stopped_at.is_none() && youngest - worker.seen_at < SILENCE).count()
}
