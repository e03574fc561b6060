//! `hirenet dead`

use std::fmt::Write as _;

use hirenet_core::Code;
use hirenet_queue::DeadLetter;
use hirenet_store::{DeadJob, Store};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::broker;
use crate::cli::DeadCommand;
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

pub(super) async fn run(config: &Config, command: DeadCommand) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    match command {
        DeadCommand::List { limit, json } => list(config, &store, limit, json).await,
        DeadCommand::Show { job, json } => show(&store, job, json).await,
        DeadCommand::Replay { jobs, all } => {
            let jobs = if all { all_jobs(&store).await? } else { jobs };
            replay(config, &store, &jobs).await
        }
    }
}

async fn all_jobs(store: &Store) -> Result<Vec<Uuid>, Failure> {
    Ok(store.dead_jobs(i64::MAX).await?.into_iter().map(|job| job.job).collect())
}

/// Jobs are listed from the database; messages that never became a job are in the queue of dead letters alone.
async fn list(config: &Config, store: &Store, limit: usize, as_json: bool) -> Result<Outcome, Failure> {
    let jobs = store.dead_jobs(i64::try_from(limit).unwrap_or(i64::MAX)).await?;
    let broker = broker(config, "hirenet dead").await?;
    let letters = broker.dead_letters(limit).await?;
    broker.close().await;
    let messages: Vec<&DeadLetter> = letters.iter().filter(|letter| letter.content["job"].is_null()).collect();
    if as_json {
        let messages: Vec<&Value> = messages.iter().map(|letter| &letter.content).collect();
        print_json(&json!({"jobs": jobs.iter().map(of_job).collect::<Vec<_>>(), "messages": messages}))?;
        return Ok(Outcome::Done);
    }
    let mut text = format!("{:<36}  {:<8} {:<20} {:<24} {}\n", "JOB", "STAGE", "CODE", "INTERVIEW", "ENDED");
    for job in &jobs {
        let (stage, ended) = (job.stage.as_str(), moment(job.ended_at));
        let _ = writeln!(text, "{}  {stage:<8} {:<20} {:<24} {ended}", job.job, job.code, job.interview_id);
    }
    for letter in messages {
        let field = |key: &str| letter.content[key].as_str().unwrap_or("-").to_owned();
        let _ = writeln!(
            text,
            "{:<36}  {:<8} {:<20} {:<24} -",
            field("job_id"),
            "message",
            field("code"),
            field("interview_id")
        );
    }
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

async fn show(store: &Store, job: Uuid, as_json: bool) -> Result<Outcome, Failure> {
    let unknown = || Failure::new(Code::UsageInvalid, format!("no job {job} was given up"));
    let dead = store.dead_job(job).await?.ok_or_else(unknown)?;
    if as_json {
        print_json(&of_job(&dead))?;
        return Ok(Outcome::Done);
    }
    let mut text = String::new();
    for (name, value) in [
        ("job", dead.job.to_string()),
        ("tenant", dead.tenant.clone()),
        ("stage", dead.stage.as_str().to_owned()),
        ("interview", dead.interview_id.clone()),
        ("code", dead.code.clone()),
        ("detail", dead.detail.clone().unwrap_or_default()),
        ("ended", moment(dead.ended_at)),
    ] {
        let _ = writeln!(text, "{name:<10} {value}");
    }
    for attempt in &dead.attempts {
        let (code, detail) = (attempt.code.as_deref().unwrap_or("-"), attempt.detail.as_deref().unwrap_or_default());
        let began = moment(attempt.started_at);
        let _ = writeln!(text, "attempt {:<3} {began}  {:<12} {code}  {detail}", attempt.attempt, attempt.outcome);
    }
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

async fn replay(config: &Config, store: &Store, jobs: &[Uuid]) -> Result<Outcome, Failure> {
    let broker = broker(config, "hirenet dead").await?;
    let mut refused = None;
    for job in jobs {
        if store.replay(*job, Uuid::new_v4()).await? {
            let name = job.to_string();
            // Its letter has been answered.
            broker.purge_dead_letters(|letter| letter["job"].as_str() == Some(&name)).await?;
            print(format!("replayed  {job}\n").as_bytes())?;
        } else {
            let sentence = format!("job {job} was not given up, or was erased");
            refused.get_or_insert(Failure::new(Code::UsageInvalid, sentence));
        }
    }
    broker.close().await;
    refused.map_or(Ok(Outcome::Done), Err)
}

fn of_job(job: &DeadJob) -> Value {
    let attempts = job.attempts.iter().map(|attempt| {
        json!({"attempt": attempt.attempt, "worker": attempt.worker, "started_at": moment(attempt.started_at),
            "ended_at": attempt.ended_at.map(moment), "outcome": attempt.outcome, "code": attempt.code, "detail": attempt.detail})
    });
    json!({"job": job.job, "tenant": job.tenant, "stage": job.stage.as_str(), "interview_id": job.interview_id,
        "code": job.code, "detail": job.detail, "ended_at": moment(job.ended_at), "attempts": attempts.collect::<Vec<_>>()})
}

/// A point in time, RFC 3339 in whole seconds.
pub(super) fn moment(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}
