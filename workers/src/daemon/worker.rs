//! A worker from its start to its end.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hirenet_core::Code;
use hirenet_fetch::Fetcher;
use hirenet_queue::{Broker, Priority, Stage, Topology, check_consumer_timeout};
use hirenet_store::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::config::Config;
use crate::daemon::assessors::Assessors;
use crate::daemon::context::{BulkSent, Context};
use crate::daemon::extractors::Extractors;
use crate::daemon::gate::Gate;
use crate::daemon::observe::{Health, HttpServer, Part};
use crate::daemon::shutdown::Shutdown;
use crate::daemon::stages::serve_undelivered;
use crate::daemon::{chores, lane, relay};
use crate::failure::{Failure, Outcome};
use crate::setup::Installation;

/// Messages of each priority of the light stages `admit` and `erase` at once: they wait for the database and compute
/// nothing.
const LIGHT_SLOTS: usize = 8;
/// Longest wait for the last messages of the outbox and the last goodbyes.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves the configured stages until a signal, a failure that no retry can mend, or with `drain` the end of all work.
pub(crate) async fn run(config: &'static Config, drain: bool) -> Result<Outcome, Failure> {
    let stages = stages(config)?;
    let shutdown = Shutdown::default();
    shutdown
        .follow_signals(Duration::from_secs_f64(config.work.grace_s))
        .map_err(|error| Failure::internal(&error.into()))?;
    let health = Arc::new(Health::new(Duration::from_secs_f64(config.http.stall_s)));
    let (store, broker) = connect(config, &stages).await?;
    let server = HttpServer::start(&config.http, health.clone(), Some(store.clone())).await?;
    health.follow(broker.clone());
    health.set(Part::Database, true);
    let starting = start(config, &stages, store, broker, shutdown.clone(), health.clone());
    let context = tokio::select! {
        // Loading may take long; nothing is in hand yet.
        () = shutdown.stopping() => return Ok(Outcome::Done),
        context = starting => Arc::new(context?),
    };
    health.set(Part::Models, true);
    health.set(Part::Intake, true);
    info!(worker = %context.worker, stages = ?config.work.stages, slots = config.work.slots, "working");
    if config.work.stand_in {
        warn!("work.stand_in is set: nothing is measured, the results mean nothing");
    }
    serve(&context, &stages, drain).await;
    drop(server);
    end(&context).await
}

fn stages(config: &Config) -> Result<Vec<Stage>, Failure> {
    let stage = |word: &String| {
        let unknown = || Failure::new(Code::ConfigInvalid, format!("work.stages: `{word}` is no stage"));
        Stage::from_word(word).ok_or_else(unknown)
    };
    let mut stages = config.work.stages.iter().map(stage).collect::<Result<Vec<_>, _>>()?;
    stages.sort_unstable();
    stages.dedup();
    if stages.is_empty() {
        return Err(Failure::new(Code::ConfigInvalid, "work.stages names no stage"));
    }
    Ok(stages)
}

/// Both connections, and the checks without which no job may begin.
async fn connect(config: &Config, stages: &[Stage]) -> Result<(Store, Broker), Failure> {
    let store = Store::connect(&config.store).await?;
    store.ready().await?;
    let broker = Broker::connect(&config.queue, "hirenet work").await?;
    broker.require(&Topology::new(&config.queue)).await?;
    // A delivery may wait for a job that must run alone: see `gate`.
    let longest = Duration::from_secs_f64(config.work.max_job_s * 2.0);
    for stage in stages {
        let queue = broker.names().stage(*stage, Priority::Interactive);
        check_consumer_timeout(&broker, &queue, longest).await?;
    }
    Ok((store, broker))
}

/// Loads the models, once.
async fn start(
    config: &'static Config,
    stages: &[Stage],
    store: Store,
    broker: Broker,
    shutdown: Shutdown,
    health: Arc<Health>,
) -> Result<Context, Failure> {
    let fetcher = Fetcher::new(&config.fetch)?;
    let installation = Arc::new(Installation::new(config)?);
    let extractors = if stages.contains(&Stage::Extract) {
        let (installation, slots) = (installation.clone(), config.work.slots);
        let load = move || Extractors::start(config, &installation, slots);
        let loaded = tokio::task::spawn_blocking(load).await;
        Some(loaded.map_err(|error| Failure::internal(&error.into()))??)
    } else {
        None
    };
    let assessors = if stages.contains(&Stage::Score) {
        Some(Assessors::start(config, &installation, &store).await?)
    } else {
        None
    };
    Ok(Context {
        config,
        worker: Uuid::new_v4(),
        publisher: broker.publisher(),
        store,
        broker,
        fetcher,
        extractors,
        assessors,
        gate: Gate::default(),
        shutdown,
        health,
        in_hand: AtomicUsize::new(0),
        bulk_sent: BulkSent::default(),
    })
}

/// Runs everything until nothing is in hand any more and the outbox has gone out.
async fn serve(context: &Arc<Context>, stages: &[Stage], drain: bool) {
    let jobs_done = CancellationToken::new();
    let relay = tokio::spawn(relay::serve(context.clone(), jobs_done.clone()));
    let mut chores = JoinSet::new();
    chores.spawn(chores::beat(context.clone(), context.config.work.stages.clone()));
    chores.spawn(chores::retain(context.clone()));
    chores.spawn(chores::count_losses(context.clone()));
    if drain {
        chores.spawn(chores::drain(context.clone(), stages.to_vec()));
    }
    let mut lanes = JoinSet::new();
    for stage in stages {
        match stage {
            Stage::Extract | Stage::Score => {
                lanes.spawn(lane::serve(context.clone(), *stage, None, context.config.work.slots));
            }
            // Nothing urgent waits for slots of bulk: it has its own.
            Stage::Admit | Stage::Erase => {
                for priority in Priority::ALL {
                    lanes.spawn(lane::serve(context.clone(), *stage, Some(priority), LIGHT_SLOTS));
                }
            }
        }
    }
    lanes.spawn(serve_undelivered(context.clone()));
    context.shutdown.stopping().await;
    context.health.set(Part::Intake, false);
    tokio::select! {
        () = async { while lanes.join_next().await.is_some() {} } => {}
        () = overdue(context) => {
            warn!("what is in hand could not be handed back in time; it goes back with the connection, and its leases run out");
            context.shutdown.count_handed_back();
        }
    }
    lanes.abort_all();
    jobs_done.cancel();
    if tokio::time::timeout(FAREWELL, relay).await.is_err() {
        warn!("messages are left in the outbox; another worker relays them");
    }
    chores.shutdown().await;
}

/// Returns once everything should have been handed back: a worker ends, whoever does not answer it.
async fn overdue(context: &Context) {
    context.shutdown.abandoning().await;
    tokio::time::sleep(FAREWELL).await;
}

async fn end(context: &Context) -> Result<Outcome, Failure> {
    let farewell = async {
        // Without a goodbye the worker counts as dead once its row grows old.
        let _ = context.store.worker_stopped(context.worker).await;
        context.broker.close().await;
        context.store.close().await;
    };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        warn!("the connections did not close in time");
    }
    let handed_back = context.shutdown.handed_back();
    info!(handed_back, "stopped");
    match context.shutdown.take_failure() {
        Some(failure) => Err(failure),
        None if handed_back > 0 => Ok(Outcome::HandedBack),
        None => Ok(Outcome::Done),
    }
}
