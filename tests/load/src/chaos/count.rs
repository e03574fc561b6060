//! The count at the end: what must be there once, and what must be nowhere.

use std::collections::BTreeSet;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hirenet_queue::{Broker, Priority, Stage, WAITS_S};
use uuid::Uuid;

use crate::oracle::{Listener, Verdict, judge};
use crate::report::Row;
use crate::world::World;

/// Pause between two looks at the queues.
const LOOK: Duration = Duration::from_millis(500);

/// What is left and what was seen.
#[derive(Debug)]
pub(super) struct Count {
    pub(super) verdict: Verdict,
    files_left: usize,
    queues_left: u64,
    outbox_left: i64,
    check_violations: u64,
    redeliveries: i64,
    scores_differ: i64,
    exits_wrong: usize,
}

impl Count {
    /// Counts, with no worker running.
    pub(super) async fn take(
        world: &World,
        broker: &Broker,
        listener: &Listener,
        acknowledged: &BTreeSet<Uuid>,
        failed: Vec<ExitStatus>,
    ) -> Result<Count> {
        for status in &failed {
            println!("a worker ended with {status}");
        }
        let verdict = judge(world.pool(), acknowledged, &listener.heard()).await?;
        // An attempt after the first of a job, whatever ended the one before.
        let redeliveries: (i64,) =
            sqlx::query_as("select count(*) from hirenet.attempts where attempt > 1").fetch_one(world.pool()).await?;
        let outbox: (i64,) = sqlx::query_as("select count(*) from hirenet.outbox").fetch_one(world.pool()).await?;
        // The same recording under the same settings and bundle gives the same score, however often it was interrupted.
        let scores: (i64,) = sqlx::query_as(
            "select count(*) from (
                select n.media_sha256 from hirenet.assessments s
                join hirenet.answers n on n.interview = s.interview join hirenet.interviews i on i.interview = s.interview
                where i.status = 'scored' and i.interview_id like 'real-%'
                group by n.media_sha256, s.bundle having count(distinct s.score) > 1) differing",
        )
        .fetch_one(world.pool())
        .await?;
        Ok(Count {
            verdict,
            files_left: world.files_left()?.len(),
            queues_left: queues_left(broker).await?,
            outbox_left: outbox.0,
            check_violations: violations(world)?,
            redeliveries: redeliveries.0,
            scores_differ: scores.0,
            exits_wrong: failed.len(),
        })
    }

    /// The rows of `bench-out/chaos.json`.
    pub(super) fn rows(&self, acknowledged: usize, faults: u64) -> Vec<Row> {
        let count = |name, value: f64| Row::new(name, Some(value), "count");
        vec![
            count("acknowledged", acknowledged as f64),
            count("final_once", self.verdict.final_once as f64),
            count("lost", self.verdict.lost as f64).bar("<= 0"),
            count("doubled", self.verdict.doubled as f64).bar("<= 0"),
            count("events_wrong", self.verdict.events_wrong as f64).bar("<= 0"),
            count("files_left", self.files_left as f64).bar("<= 0"),
            count("queues_left", self.queues_left as f64).bar("<= 0"),
            count("outbox_left", self.outbox_left as f64).bar("<= 0"),
            count("check_violations", self.check_violations as f64).bar("<= 0"),
            count("redeliveries_seen", self.redeliveries as f64).bar(">= 1"),
            count("faults_injected", faults as f64).bar(">= 20"),
            count("scores_differ", self.scores_differ as f64).bar("<= 0"),
            count("exits_wrong", self.exits_wrong as f64).bar("<= 0"),
        ]
    }
}

/// Messages that wait in any queue but that of the events, which is read all the time.
pub(super) async fn queues_left(broker: &Broker) -> Result<u64> {
    let names = broker.names();
    let stages = Stage::ALL.into_iter().flat_map(|s| Priority::ALL.map(|p| names.stage(s, p)));
    let waits = WAITS_S.into_iter().map(|seconds| names.wait(seconds));
    let mut left = 0;
    for queue in stages.chain(waits).chain([names.undelivered(), names.dead()]) {
        let messages = broker.ready_messages(&queue).await.with_context(|| format!("{queue} cannot be counted"))?;
        if messages > 0 {
            println!("{messages} messages in {queue}");
        }
        left += u64::from(messages);
    }
    Ok(left)
}

/// Waits until every queue is empty: what a claim found busy comes back from a wait queue, finds its job ended, and goes.
pub(super) async fn drained(broker: &Broker, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    while queues_left(broker).await? > 0 {
        ensure!(Instant::now() < deadline, "the queues are not empty after {} s", patience.as_secs());
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// What `hirenet check` finds.
fn violations(world: &World) -> Result<u64> {
    let output = world.program(&["check", "--json"]).output().context("`hirenet check` cannot be started")?;
    let found: Vec<serde_json::Value> =
        serde_json::from_slice(&output.stdout).context("`hirenet check --json` prints no list")?;
    for violation in &found {
        println!("violation: {violation}");
    }
    Ok(found.len() as u64)
}
