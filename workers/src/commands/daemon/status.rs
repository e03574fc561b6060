//! `hirenet status`

use std::fmt::Write as _;
use std::time::Duration;

use hirenet_queue::{Broker, Topology};
use hirenet_store::{Status, Store};
use serde_json::{Value, json};

use super::broker;
use super::dead::moment;
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

pub(super) async fn run(config: &Config, as_json: bool, stuck_after: f64) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    let stuck_after = Duration::try_from_secs_f64(stuck_after)
        .map_err(|_| Failure::new(hirenet_core::Code::UsageInvalid, "--stuck-after must be 0 or more"))?;
    let status = store.status(stuck_after).await?;
    let broker = broker(config, "hirenet status").await?;
    let queues = queues(config, &broker).await?;
    broker.close().await;
    if as_json {
        print_json(&as_value(&status, &queues))?;
    } else {
        print(as_text(&status, &queues).as_bytes())?;
    }
    Ok(Outcome::Done)
}

/// Every queue with the messages that are ready in it.
async fn queues(config: &Config, broker: &Broker) -> Result<Vec<(String, u32)>, Failure> {
    let mut queues = Vec::new();
    for queue in Topology::new(&config.queue).queues {
        queues.push((queue.name.clone(), broker.ready_messages(&queue.name).await?));
    }
    Ok(queues)
}

fn as_text(status: &Status, queues: &[(String, u32)]) -> String {
    let mut text = String::from("QUEUE                                 READY\n");
    for (name, ready) in queues {
        let _ = writeln!(text, "{name:<36} {ready:>6}");
    }
    text.push_str("\nSTAGE    PRIORITY     STATE      JOBS   OLDEST\n");
    for jobs in &status.jobs {
        let (stage, priority, oldest) = (jobs.stage.as_str(), jobs.priority.as_str(), jobs.oldest_s);
        let _ = writeln!(text, "{stage:<8} {priority:<12} {:<8} {:>6} {oldest:>7.0} s", jobs.state, jobs.jobs);
    }
    text.push_str(
        "\nWORKER                                HOST                 STAGES                      SLOTS RUNNING SEEN\n",
    );
    for worker in &status.workers {
        let (stages, seen) = (worker.stages.join(","), moment(worker.seen_at));
        let gone = if worker.stopped_at.is_some() { "  stopped" } else { "" };
        let (id, host, slots, running) = (worker.worker, &worker.host, worker.slots, worker.running);
        let _ = writeln!(text, "{id}  {host:<20} {stages:<28} {slots:>4} {running:>7} {seen}{gone}");
    }
    let (rows, oldest) = (status.outbox.rows, status.outbox.oldest_s);
    let _ = writeln!(text, "\noutbox {rows} rows, the oldest {oldest:.0} s old");
    let _ = writeln!(text, "submissions without an end: {}", status.open_submissions);
    let _ = writeln!(text, "erasures past their deadline: {}", status.overdue_erasures);
    for job in &status.stuck {
        let (code, still) = (job.code.as_deref().unwrap_or("-"), job.still_s);
        let _ = writeln!(
            text,
            "stuck {}  {} {} for {still:.0} s, {} attempts, {} deaths, {code}",
            job.job,
            job.stage.as_str(),
            job.state,
            job.attempts,
            job.deaths
        );
    }
    text
}

fn as_value(status: &Status, queues: &[(String, u32)]) -> Value {
    let queues: serde_json::Map<String, Value> =
        queues.iter().map(|(name, ready)| (name.clone(), json!(ready))).collect();
    let jobs = status.jobs.iter().map(|jobs| {
        json!({"stage": jobs.stage.as_str(), "priority": jobs.priority.as_str(), "state": jobs.state, "jobs": jobs.jobs,
            "oldest_s": jobs.oldest_s})
    });
    let workers = status.workers.iter().map(|worker| {
        json!({"worker": worker.worker, "host": worker.host, "version": worker.version, "stages": worker.stages,
            "slots": worker.slots, "running": worker.running, "started_at": moment(worker.started_at),
            "seen_at": moment(worker.seen_at), "stopped_at": worker.stopped_at.map(moment)})
    });
    let stuck = status.stuck.iter().map(|job| {
        json!({"job": job.job, "stage": job.stage.as_str(), "state": job.state, "interview_id": job.interview_id,
            "attempts": job.attempts, "deaths": job.deaths, "code": job.code, "still_s": job.still_s})
    });
    json!({"queues": queues, "jobs": jobs.collect::<Vec<_>>(), "workers": workers.collect::<Vec<_>>(),
        "stuck": stuck.collect::<Vec<_>>(), "outbox": {"rows": status.outbox.rows, "oldest_s": status.outbox.oldest_s},
        "open_submissions": status.open_submissions, "overdue_erasures": status.overdue_erasures})
}
