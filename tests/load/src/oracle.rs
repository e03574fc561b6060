//! What must have come out: every event is collected, by the submission that it ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use anyhow::{Result, bail};
use hirenet_queue::Broker;
use hirenet_tests::schemas::{complaints, validator};
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Events taken at once.
const PREFETCH: u16 = 200;

/// What was heard so far.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The distinct events of each submission, by event id, with the status that they tell.
    pub events: HashMap<Uuid, BTreeMap<Uuid, String>>,
    /// Deliveries of an event that had been heard before.
    pub repeats: u64,
    /// Events that are not of the documented form, with what is wrong.
    pub malformed: Vec<String>,
}

/// Listens to the events of a broker, through its crashes, until it is dropped.
#[derive(Debug)]
pub struct Listener {
    heard: watch::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Starts to listen.
    #[must_use]
    pub fn start(broker: &Broker) -> Self {
        let mut subscription = broker.subscribe(&broker.names().events(), PREFETCH);
        let (sender, heard) = watch::channel(Heard::default());
        let schema = validator("events.schema.json", None);
        let task = tokio::spawn(async move {
            while let Some(delivery) = subscription.next().await {
                let event: Value = serde_json::from_slice(delivery.payload()).unwrap_or_default();
                sender.send_modify(|heard| hear(heard, &event, complaints(&schema, &event)));
                // Where the broker has gone meanwhile, the event comes again and is counted as a repeat.
                let _ = delivery.acknowledge().await;
            }
        });
        Listener { heard, task }
    }

    /// What was heard so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// Waits until `enough` is true of what was heard.
    ///
    /// # Errors
    /// Where it is not within `limit`.
    pub async fn wait(&mut self, limit: Duration, enough: impl FnMut(&Heard) -> bool) -> Result<()> {
        match tokio::time::timeout(limit, self.heard.wait_for(enough)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => bail!("the listener has ended"),
            Err(_) => bail!("not within {} s", limit.as_secs()),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn hear(heard: &mut Heard, event: &Value, wrong: Vec<String>) {
    let id = |key: &str| event[key].as_str().and_then(|text| text.parse::<Uuid>().ok());
    heard.malformed.extend(wrong);
    if let (Some(job_id), Some(event_id)) = (id("job_id"), id("event_id")) {
        let status = event["status"].as_str().unwrap_or_default().to_owned();
        let known = heard.events.entry(job_id).or_default().insert(event_id, status);
        heard.repeats += u64::from(known.is_some());
    }
}

/// What the database and the events say of the acknowledged submissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// In exactly one final state, with exactly one event that tells it.
    pub final_once: u64,
    /// Without a final state.
    pub lost: u64,
    /// With more than one event, or ended twice.
    pub doubled: u64,
    /// Events that are malformed, of an unknown submission, or tell another state than the database.
    pub events_wrong: u64,
    /// Submissions by final state.
    pub states: BTreeMap<String, u64>,
}

/// Holds the acknowledged submissions against the table of submissions and what was heard.
///
/// # Errors
/// Where the database cannot be asked.
pub async fn judge(pool: &PgPool, acknowledged: &BTreeSet<Uuid>, heard: &Heard) -> Result<Verdict> {
    let rows: Vec<(Uuid, String, Option<Uuid>)> =
        sqlx::query_as("select job_id, state, event from hirenet.submissions").fetch_all(pool).await?;
    let mut verdict = Verdict { events_wrong: heard.malformed.len() as u64, ..Verdict::default() };
    let mut stored: HashMap<Uuid, Vec<(String, Option<Uuid>)>> = HashMap::new();
    for (job_id, state, event) in rows {
        stored.entry(job_id).or_default().push((state, event));
    }
    for job_id in acknowledged {
        let ends = stored.get(job_id).map_or(&[][..], Vec::as_slice);
        let told = heard.events.get(job_id);
        let (count, events) = (ends.iter().filter(|(state, _)| state != "open").count(), told.map_or(0, BTreeMap::len));
        for (state, _) in ends {
            *verdict.states.entry(state.clone()).or_default() += 1;
        }
        let agree = ends.iter().all(|(state, event)| {
            event.as_ref().and_then(|event| told?.get(event)).is_some_and(|status| status == state)
        });
        match (count, events) {
            (0, _) => verdict.lost += 1,
            (1, 1) if agree => verdict.final_once += 1,
            (1, 0 | 1) => verdict.events_wrong += 1,
            _ => verdict.doubled += 1,
        }
    }
    verdict.events_wrong += heard.events.keys().filter(|job_id| !stored.contains_key(job_id)).count() as u64;
    Ok(verdict)
}
