//! The soak: a stream of interviews through three workers while everything around them breaks, then the count.

mod count;
mod faults;
mod publish;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::corpus::{Corpus, Submission};
use crate::oracle::Listener;
use crate::report::finish;
use crate::world::World;

/// Sizes of the soak.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Decides order and moments of the faults, and the order of the submissions.
    pub seed: u64,
    /// How long faults are injected.
    pub faults: Duration,
    /// Interviews with stand-in recordings.
    pub stand_ins: usize,
    /// Interviews with real recordings.
    pub real: usize,
    /// Worker processes.
    pub workers: usize,
    /// Longest time until everything has come to its end once the faults are over.
    pub patience: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            seed: 1,
            faults: Duration::from_secs(300),
            stand_ins: 2000,
            real: 30,
            workers: 3,
            patience: Duration::from_secs(900),
        }
    }
}

/// Settings of the workers: leases that run out soon, and no limit on deaths while alone: here workers die of the soak,
/// not of their jobs.
const SETTINGS: &[(&str, &str)] = &[
    ("WORK__LEASE_S", "6"),
    ("WORK__GRACE_S", "5"),
    ("WORK__BEAT_S", "1"),
    ("STORE__MAX_ALONE_DEATHS", "1000000"),
    ("QUEUE__RECONNECT_MAX_S", "1"),
];

/// Runs the soak; true where every bound is kept.
///
/// # Errors
/// Where the services or the program do not start, or the count cannot be made.
pub async fn run(plan: &Plan) -> Result<bool> {
    let started = Instant::now();
    let world = World::start().await?;
    let broker = world.broker("chaos").await?;
    let mut listener = Listener::start(&broker);
    let submissions = submissions(plan, &world)?;
    println!("{} interviews, seed {}, services in {}", submissions.len(), plan.seed, world.services.folder().display());

    let mut crowd = faults::Crowd::start(&world, plan.workers, SETTINGS).await?;
    let publisher = publish::Publishing::start(&broker, submissions, plan.faults);
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let injected = faults::inject(&world, &mut crowd, &mut rng, plan.faults).await?;
    println!("{injected:?}; waiting for the end of everything");

    let acknowledged = publisher.finish().await?;
    crowd.revive(&world).await?;
    let all = acknowledged.len();
    let waited =
        listener.wait(plan.patience, |heard| acknowledged.iter().all(|id| heard.events.contains_key(id))).await;
    if let Err(error) = &waited {
        println!("not everything ended: {error:#}");
    }
    if let Err(error) = count::drained(&broker, plan.patience).await {
        println!("{error:#}");
    }
    let statuses = crowd.end()?;
    let count = count::Count::take(&world, &broker, &listener, &acknowledged, statuses).await?;
    println!("final states: {:?}; {:.0} s in all", count.verdict.states, started.elapsed().as_secs_f64());
    let settings = json!({
        "seed": plan.seed, "faults_s": plan.faults.as_secs(), "stand_ins": plan.stand_ins, "real": plan.real,
        "workers": plan.workers, "injected": injected.by_kind(), "final_states": count.verdict.states
    });
    finish("chaos", &settings, &count.rows(all, injected.total())).context("bench-out/chaos.json")
}

/// The submissions, real ones among the others.
fn submissions(plan: &Plan, world: &World) -> Result<Vec<Submission>> {
    let corpus = Corpus::new(world.media())?;
    let every = (plan.stand_ins / plan.real.max(1)).max(1);
    let mut submissions = Vec::with_capacity(plan.stand_ins + plan.real);
    for k in 0..plan.stand_ins.max(plan.real * every) {
        if k < plan.stand_ins {
            submissions.push(corpus.stand_in(1 + k % 3));
        }
        if k % every == 0 && k / every < plan.real {
            submissions.push(corpus.real());
        }
    }
    Ok(submissions)
}
