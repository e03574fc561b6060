//! `hirenet dead`: jobs that were given up, and messages that were refused.
//!
//! A job is in the database, and can run again. Of a message that was refused nothing is kept but its letter in the queue of
//! dead letters: it can be looked at, and dropped.

use std::fmt::Write as _;
use std::time::Duration;

use hirenet_core::Code;
use hirenet_queue::{Broker, DeadLetter};
use hirenet_store::{DeadJob, DroppedLetter, Store};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::broker;
use crate::cli::DeadCommand;
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Looks for letters to drop, and the time between two.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

pub(super) async fn run(config: &Config, command: DeadCommand) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    match command {
        DeadCommand::List { limit, json } => list(config, &store, limit, json).await,
        DeadCommand::Show { id, json } => show(config, &store, id, json).await,
        DeadCommand::Replay { jobs, all } => {
            let jobs = if all { all_jobs(&store).await? } else { jobs };
            replay(config, &store, &jobs).await
        }
        DeadCommand::Drop { ids } => drop_letters(config, &store, &ids).await,
    }
}

async fn all_jobs(store: &Store) -> Result<Vec<Uuid>, Failure> {
    Ok(store.dead_jobs(i64::MAX).await?.into_iter().map(|job| job.job).collect())
}

/// Jobs are listed from the database; messages that never became a job are in the queue of dead letters alone.
async fn list(config: &Config, store: &Store, limit: usize, as_json: bool) -> Result<Outcome, Failure> {
    let jobs = store.dead_jobs(i64::try_from(limit).unwrap_or(i64::MAX)).await?;
    let broker = broker(config, "hirenet dead").await?;
    let messages = broker.dead_letters_that(limit, is_message).await?;
    broker.close().await;
    if as_json {
        let messages: Vec<Value> = messages.iter().map(of_message).collect();
        print_json(&json!({"jobs": jobs.iter().map(of_job).collect::<Vec<_>>(), "messages": messages}))?;
        return Ok(Outcome::Done);
    }
    let mut text =
        format!("{:<36}  {:<8} {:<20} {:<24} {:<20} {}\n", "ID", "STAGE", "CODE", "INTERVIEW", "ENDED", "REASON");
    for job in &jobs {
        let (stage, ended) = (job.stage.as_str(), moment(job.ended_at));
        let reason = job.detail.as_deref().unwrap_or_default();
        let _ =
            writeln!(text, "{}  {stage:<8} {:<20} {:<24} {ended:<20} {reason}", job.job, job.code, job.interview_id);
    }
    for letter in &messages {
        let field = |key: &str| letter.content[key].as_str().unwrap_or("-");
        let _ = writeln!(
            text,
            "{:<36}  {:<8} {:<20} {:<24} {:<20} {}",
            id_of(letter),
            "message",
            field("code"),
            field("interview_id"),
            published(letter).unwrap_or_else(|| "-".to_owned()),
            field("detail")
        );
    }
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

async fn show(config: &Config, store: &Store, id: Uuid, as_json: bool) -> Result<Outcome, Failure> {
    if let Some(dead) = store.dead_job(id).await? {
        return show_job(&dead, as_json);
    }
    let broker = broker(config, "hirenet dead").await?;
    let letters = messages(&broker, id).await?;
    broker.close().await;
    if letters.is_empty() {
        return Err(unknown(id));
    }
    if as_json {
        print_json(&letters.iter().map(of_message).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let mut text = String::new();
    for letter in &letters {
        let ended = published(letter).unwrap_or_default();
        let field = |key: &str| letter.content[key].as_str().unwrap_or_default();
        for (name, value) in [
            ("message", letter.id.as_str()),
            ("job id", field("job_id")),
            ("request", field("request")),
            ("tenant", field("tenant")),
            ("interview", field("interview_id")),
            ("code", field("code")),
            ("detail", field("detail")),
            ("sha256", field("content_sha256")),
            ("ended", ended.as_str()),
        ] {
            let _ = writeln!(text, "{name:<10} {value}");
        }
    }
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

fn show_job(dead: &DeadJob, as_json: bool) -> Result<Outcome, Failure> {
    if as_json {
        print_json(&of_job(dead))?;
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
        } else if let Some(letter) = messages(&broker, *job).await?.first() {
            let code = letter.content["code"].as_str().unwrap_or("no code");
            let sentence = format!(
                "{job} is a message that was refused ({code}), not a job: nothing of it is stored that could run again; \
                send it anew under a new job id, and `hirenet dead drop {job}` its letter"
            );
            refused.get_or_insert(Failure::new(Code::UsageInvalid, sentence));
        } else {
            let sentence = format!("job {job} was not given up, or was erased");
            refused.get_or_insert(Failure::new(Code::UsageInvalid, sentence));
        }
    }
    broker.close().await;
    refused.map_or(Ok(Outcome::Done), Err)
}

async fn drop_letters(config: &Config, store: &Store, ids: &[Uuid]) -> Result<Outcome, Failure> {
    let broker = broker(config, "hirenet dead").await?;
    let mut refused = None;
    for id in ids {
        let letters = messages(&broker, *id).await?;
        if letters.is_empty() {
            let failure = match store.dead_job(*id).await? {
                Some(_) => Failure::new(
                    Code::UsageInvalid,
                    format!("{id} is a job: `hirenet dead replay {id}` runs it again, and an erasure removes it"),
                ),
                None => unknown(*id),
            };
            refused.get_or_insert(failure);
            continue;
        }
        // First, so that none goes without a word; a kill in between leaves the letter, and the row says it twice.
        for letter in &letters {
            store.letter_dropped(&dropped(letter)).await?;
        }
        let mut gone = 0;
        // What was looked at above is on its way back to its queue.
        for _ in 0..LOOKS {
            gone += broker.drop_dead_letters(|letter| letters.iter().any(|known| known.id == letter.id)).await?;
            if gone >= letters.len() {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        print(format!("dropped  {id}  {gone} letters\n").as_bytes())?;
    }
    broker.close().await;
    refused.map_or(Ok(Outcome::Done), Err)
}

fn dropped(letter: &DeadLetter) -> DroppedLetter<'_> {
    let field = |key: &str| letter.content[key].as_str();
    DroppedLetter {
        tenant: field("tenant"),
        job_id: field("job_id").and_then(|id| id.parse().ok()),
        content_sha256: field("content_sha256"),
        code: field("code"),
    }
}

/// The letters of refused messages that an id names: the message's own job id, or the letter's where it had none.
async fn messages(broker: &Broker, id: Uuid) -> Result<Vec<DeadLetter>, Failure> {
    let id = id.to_string();
    let named =
        |letter: &DeadLetter| is_message(letter) && (letter.id == id || letter.content["job_id"] == id.as_str());
    Ok(broker.dead_letters_that(usize::MAX, named).await?)
}

/// The letter of a job names the job; that of a message that became none has no such field.
fn is_message(letter: &DeadLetter) -> bool {
    letter.content["job"].is_null()
}

fn id_of(letter: &DeadLetter) -> &str {
    letter.content["job_id"].as_str().unwrap_or(&letter.id)
}

fn unknown(id: Uuid) -> Failure {
    Failure::new(Code::UsageInvalid, format!("neither was a job {id} given up, nor a message {id} refused"))
}

fn published(letter: &DeadLetter) -> Option<String> {
    letter.published.map(|at| moment(at.into()))
}

fn of_message(letter: &DeadLetter) -> Value {
    let mut content = letter.content.clone();
    if let Some(fields) = content.as_object_mut() {
        fields.insert("id".to_owned(), json!(letter.id));
        fields.insert("ended_at".to_owned(), json!(published(letter)));
    }
    content
}

fn of_job(job: &DeadJob) -> Value {
    let attempts = job.attempts.iter().map(|attempt| {
        json!({"attempt": attempt.attempt, "worker": attempt.worker, "started_at": moment(attempt.started_at),
            "ended_at": moment(attempt.ended_at), "outcome": attempt.outcome, "code": attempt.code, "detail": attempt.detail})
    });
    json!({"job": job.job, "tenant": job.tenant, "stage": job.stage.as_str(), "interview_id": job.interview_id,
        "code": job.code, "detail": job.detail, "ended_at": moment(job.ended_at), "attempts": attempts.collect::<Vec<_>>()})
}

/// A point in time, RFC 3339 in whole seconds.
pub(super) fn moment(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}
