//! The tenant's side: publishes until the broker has confirmed, and remembers what was confirmed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use hirenet_queue::{Broker, Outgoing};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::corpus::Submission;

/// Messages published at once.
const BATCH: usize = 20;
/// Of so many messages one is published twice, as a tenant does that has missed a confirm.
const REPLAY: usize = 50;
/// Pause before an attempt that follows a failed one.
const PAUSE: Duration = Duration::from_millis(200);

/// A task that publishes, spread over a time.
#[derive(Debug)]
pub(super) struct Publishing(JoinHandle<BTreeSet<Uuid>>);

impl Publishing {
    /// Starts to publish `submissions` evenly over `time`; what breaks makes it late, not fewer.
    pub(super) fn start(broker: &Broker, submissions: Vec<Submission>, time: Duration) -> Self {
        let publisher = broker.publisher();
        let names = broker.names().clone();
        Publishing(tokio::spawn(async move {
            let started = Instant::now();
            let step = time.mul_f64(BATCH as f64 / submissions.len().max(1) as f64);
            let mut acknowledged = BTreeSet::new();
            for (k, batch) in submissions.chunks(BATCH).enumerate() {
                // The pace of the load, not a wait for something to happen.
                tokio::time::sleep_until((started + step * k as u32).into()).await;
                let mut open: Vec<(Uuid, Outgoing)> =
                    batch.iter().enumerate().map(|(i, s)| (s.job_id, s.message(&names, i % 4 == 0))).collect();
                let replayed: Vec<_> = open.iter().step_by(REPLAY).cloned().collect();
                open.extend(replayed);
                while !open.is_empty() {
                    let messages: Vec<Outgoing> = open.iter().map(|(_, message)| message.clone()).collect();
                    let confirms = publisher.publish_all(&messages).await;
                    let (done, failed): (Vec<_>, Vec<_>) =
                        open.into_iter().zip(confirms).partition(|(_, confirm)| confirm.is_ok());
                    acknowledged.extend(done.into_iter().map(|((id, _), _)| id));
                    open = failed.into_iter().map(|(message, _)| message).collect();
                    if !open.is_empty() {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
            acknowledged
        }))
    }

    /// Waits until everything is confirmed; the ids of what is.
    pub(super) async fn finish(self) -> Result<BTreeSet<Uuid>> {
        Ok(self.0.await?)
    }
}
