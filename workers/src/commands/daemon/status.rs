//! `hirenet status`

use std::fmt::Write as _;
use std::time::Duration;

use hirenet_queue::{Broker, Topology};
use hirenet_store::{Status, Store, WorkerRow};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::broker;
use super::dead::moment;
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Beats after which a worker that was not seen counts as silent: one may be late, and so may this machine's clock.
const SILENT_BEATS: f64 = 3.0;

pub(super) async fn run(config: &Config, as_json: bool, stuck_after: f64) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    let stuck_after = Duration::try_from_secs_f64(stuck_after)
        .map_err(|_| Failure::new(hirenet_core::Code::UsageInvalid, "--stuck-after must be 0 or more"))?;
    let status = store.status(stuck_after).await?;
    let broker = broker(config, "hirenet status").await?;
    let queues = queues(config, &broker).await?;
    broker.close().await;
    let (now, patience) = (OffsetDateTime::now_utc(), config.work.beat_s * SILENT_BEATS);
    let is_silent = |worker: &WorkerRow| is_silent(worker, now, patience);
    if as_json {
        print_json(&as_value(&status, &queues, is_silent))?;
    } else {
        print(as_text(&status, &queues, is_silent).as_bytes())?;
    }
    Ok(Outcome::Done)
}

/// True where a worker has neither been seen for `patience` seconds nor said goodbye: it died, hangs, or is cut off.
fn is_silent(worker: &WorkerRow, now: OffsetDateTime, patience: f64) -> bool {
    worker.stopped_at.is_none() && (now - worker.seen_at).as_seconds_f64() > patience
}

/// Every queue with the messages that are ready in it.
async fn queues(config: &Config, broker: &Broker) -> Result<Vec<(String, u32)>, Failure> {
    let mut queues = Vec::new();
    for queue in Topology::new(&config.queue).queues {
        queues.push((queue.name.clone(), broker.ready_messages(&queue.name).await?));
    }
    Ok(queues)
}

fn as_text(status: &Status, queues: &[(String, u32)], is_silent: impl Fn(&WorkerRow) -> bool) -> String {
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
        let gone = match worker.stopped_at {
            Some(_) => "  stopped",
            None if is_silent(worker) => "  silent",
            None => "",
        };
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

fn as_value(status: &Status, queues: &[(String, u32)], is_silent: impl Fn(&WorkerRow) -> bool) -> Value {
    let queues: serde_json::Map<String, Value> =
        queues.iter().map(|(name, ready)| (name.clone(), json!(ready))).collect();
    let jobs = status.jobs.iter().map(|jobs| {
        json!({"stage": jobs.stage.as_str(), "priority": jobs.priority.as_str(), "state": jobs.state, "jobs": jobs.jobs,
            "oldest_s": jobs.oldest_s})
    });
    let workers = status.workers.iter().map(|worker| {
        json!({"worker": worker.worker, "host": worker.host, "version": worker.version, "stages": worker.stages,
            "slots": worker.slots, "running": worker.running, "started_at": moment(worker.started_at),
            "seen_at": moment(worker.seen_at), "stopped_at": worker.stopped_at.map(moment),
            "silent": is_silent(worker)})
    });
    let stuck = status.stuck.iter().map(|job| {
        json!({"job": job.job, "stage": job.stage.as_str(), "state": job.state, "interview_id": job.interview_id,
            "attempts": job.attempts, "deaths": job.deaths, "code": job.code, "still_s": job.still_s})
    });
    json!({"queues": queues, "jobs": jobs.collect::<Vec<_>>(), "workers": workers.collect::<Vec<_>>(),
        "stuck": stuck.collect::<Vec<_>>(), "outbox": {"rows": status.outbox.rows, "oldest_s": status.outbox.oldest_s},
        "open_submissions": status.open_submissions, "overdue_erasures": status.overdue_erasures})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_is_who_was_not_seen_and_said_no_goodbye() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1000);
        let seen = |ago: u64, stopped: bool| {
            let seen_at = now - Duration::from_secs(ago);
            let worker = WorkerRow {
                worker: uuid::Uuid::nil(),
                host: "here".to_owned(),
                version: "1".to_owned(),
                stages: vec!["extract".to_owned()],
                slots: 1,
                running: 0,
                started_at: OffsetDateTime::UNIX_EPOCH,
                seen_at,
                stopped_at: stopped.then_some(seen_at),
            };
            let status = Status { workers: vec![worker], ..Status::default() };
            let text = as_text(&status, &[], |worker| is_silent(worker, now, 30.0));
            let value = as_value(&status, &[], |worker| is_silent(worker, now, 30.0));
            assert_eq!(value["workers"][0]["silent"], text.contains("  silent"));
            (text.contains("  silent"), text.contains("  stopped"))
        };
        assert_eq!(seen(31, false), (true, false));
        assert_eq!(seen(29, false), (false, false));
        assert_eq!(seen(500, true), (false, true));
    }
}
