//! What breaks: workers, the broker, the database, connections.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::worker::Worker;
use crate::world::World;

/// The workers of a soak: each that dies is replaced.
#[derive(Debug)]
pub(super) struct Crowd {
    workers: Vec<Worker>,
    settings: &'static [(&'static str, &'static str)],
    /// Workers that ended by themselves with another status than 0.
    failed: Vec<ExitStatus>,
}

impl Crowd {
    /// Starts `count` workers and waits for them.
    pub(super) async fn start(
        world: &World,
        count: usize,
        settings: &'static [(&'static str, &'static str)],
    ) -> Result<Self> {
        let start = || Worker::start(world, &["--slots", "2"], settings);
        let mut workers = (0..count).map(|_| start()).collect::<Result<Vec<_>>>()?;
        for worker in &mut workers {
            worker.ready().await?;
        }
        Ok(Crowd { workers, settings, failed: Vec::new() })
    }

    /// Replaces the worker in one place.
    fn replace(&mut self, world: &World, place: usize) -> Result<()> {
        self.workers[place] = Worker::start(world, &["--slots", "2"], self.settings)?;
        Ok(())
    }

    /// Replaces workers that have ended by themselves.
    fn look_after(&mut self, world: &World) -> Result<()> {
        for place in 0..self.workers.len() {
            if let Some(status) = self.workers[place].ended()? {
                self.failed.push(status);
                self.replace(world, place)?;
            }
        }
        Ok(())
    }

    /// After the last fault: every place has a worker that can work.
    pub(super) async fn revive(&mut self, world: &World) -> Result<()> {
        self.look_after(world)?;
        for worker in &mut self.workers {
            worker.ready().await?;
        }
        Ok(())
    }

    /// Ends all of them by SIGTERM; the statuses of those that failed, before or now.
    pub(super) fn end(mut self) -> Result<Vec<ExitStatus>> {
        for worker in &mut self.workers {
            let status = worker.terminate()?;
            if !went_well(status) {
                self.failed.push(status);
            }
        }
        Ok(self.failed)
    }
}

/// True for a worker that finished what it had or handed it back. Stopped while it starts, it has no handler yet and ends
/// by the signal.
fn went_well(status: ExitStatus) -> bool {
    matches!(status.code(), Some(0 | 6) | None)
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KillWorker,
    TerminateWorker,
    EndConnections,
    KillBroker,
    CrashPostgres,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::KillWorker => "kill -9 of a worker",
            Fault::TerminateWorker => "SIGTERM of a worker",
            Fault::EndConnections => "ended database connections",
            Fault::KillBroker => "kill -9 and restart of the broker",
            Fault::CrashPostgres => "immediate restart of PostgreSQL",
        }
    }
}

/// How many faults of each kind there were.
#[derive(Debug, Default)]
pub(super) struct Injected(BTreeMap<Fault, u64>);

impl Injected {
    pub(super) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub(super) fn by_kind(&self) -> Value {
        let counts = self.0.iter().map(|(fault, count)| (fault.name().to_owned(), json!(count)));
        Value::Object(counts.collect())
    }
}

/// Breaks things for `time`. Kinds and pauses follow the seed; the broker and the database crash at least once each.
pub(super) async fn inject(world: &World, crowd: &mut Crowd, rng: &mut ChaCha8Rng, time: Duration) -> Result<Injected> {
    let started = Instant::now();
    let mut injected = Injected::default();
    // The rare and slow ones have their turns; between them the dice decide.
    let mut turns = vec![Fault::CrashPostgres, Fault::KillBroker, Fault::CrashPostgres, Fault::KillBroker];
    let share = time / (turns.len() as u32 + 1);
    let mut next_turn = share;
    while started.elapsed() < time {
        // The pace of the faults, not a wait for something to happen.
        tokio::time::sleep(Duration::from_millis(rng.random_range(1_500..5_000))).await;
        crowd.look_after(world)?;
        let fault = if started.elapsed() >= next_turn && !turns.is_empty() {
            next_turn += share;
            turns.remove(0)
        } else {
            match rng.random_range(0..10) {
                0..7 => Fault::KillWorker,
                7 => Fault::TerminateWorker,
                _ => Fault::EndConnections,
            }
        };
        println!("{:>4} s: {}", started.elapsed().as_secs(), fault.name());
        strike(world, crowd, rng, fault).await?;
        *injected.0.entry(fault).or_default() += 1;
    }
    Ok(injected)
}

async fn strike(world: &World, crowd: &mut Crowd, rng: &mut ChaCha8Rng, fault: Fault) -> Result<()> {
    let place = rng.random_range(0..crowd.workers.len());
    match fault {
        Fault::KillWorker => {
            crowd.workers[place].kill()?;
            crowd.replace(world, place)
        }
        Fault::TerminateWorker => {
            let status = crowd.workers[place].terminate()?;
            if !went_well(status) {
                crowd.failed.push(status);
            }
            crowd.replace(world, place)
        }
        Fault::EndConnections => {
            let ended = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5";
            // Where the database is just coming back, there is no connection to end.
            let _ = sqlx::query(ended).execute(world.pool()).await;
            Ok(())
        }
        Fault::KillBroker => {
            world.services.kill_broker()?;
            world.services.start_broker()
        }
        Fault::CrashPostgres => world.services.crash_postgres(),
    }
}
