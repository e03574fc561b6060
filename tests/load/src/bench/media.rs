//! Two workers of one thread against one worker of two, with real recordings: scaling out costs nothing.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{PATIENCE, Sizes, quantile};
use crate::corpus::Corpus;
use crate::oracle::Listener;
use crate::report::Row;
use crate::worker::Worker;
use crate::world::World;

/// `two_workers_vs_one`.
pub(super) async fn rows(world: &World, sizes: &Sizes) -> Result<Vec<Row>> {
    let corpus = Corpus::new(world.media())?;
    let (mut ratios, mut one, mut two) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..sizes.pairs {
        // Interleaved, and each goes first in turn.
        let (a, b) = if pair % 2 == 0 {
            let a = speed(world, &corpus, sizes.recordings, 1, "2").await?;
            (a, speed(world, &corpus, sizes.recordings, 2, "1").await?)
        } else {
            let b = speed(world, &corpus, sizes.recordings, 2, "1").await?;
            (speed(world, &corpus, sizes.recordings, 1, "2").await?, b)
        };
        one.push(a);
        two.push(b);
        ratios.push(b / a);
    }
    Ok(vec![
        Row::new("two_workers_vs_one", Some(quantile(&mut two, 0.5) / quantile(&mut one, 0.5)), "ratio").bar(">= 0.9"),
        Row::new("two_workers_vs_one_least", Some(quantile(&mut ratios, 0.0)), "ratio"),
        Row::new("recordings_per_min_one", Some(60.0 * quantile(&mut one, 0.5)), "recordings/min"),
        Row::new("recordings_per_min_two", Some(60.0 * quantile(&mut two, 0.5)), "recordings/min"),
    ])
}

/// Recordings a second of so many workers, each with `threads` slots and threads; loading the models is not counted.
async fn speed(world: &World, corpus: &Corpus, recordings: usize, workers: usize, threads: &str) -> Result<f64> {
    let start = || Worker::start(world, &["--slots", threads], &[("WORK__THREADS", threads)]);
    let mut workers = (0..workers).map(|_| start()).collect::<Result<Vec<_>>>()?;
    for worker in &mut workers {
        worker.ready().await?;
    }
    let broker = world.broker("media").await?;
    let mut listener = Listener::start(&broker);
    let submissions: Vec<_> = (0..recordings).map(|_| corpus.real()).collect();
    let messages: Vec<_> = submissions.iter().map(|s| s.message(broker.names(), false)).collect();
    let started = Instant::now();
    let confirms = broker.publisher().publish_all(&messages).await;
    ensure!(confirms.iter().all(Result::is_ok), "a submission was not confirmed");
    listener.wait(PATIENCE, |heard| submissions.iter().all(|s| heard.events.contains_key(&s.job_id))).await?;
    let speed = recordings as f64 / started.elapsed().as_secs_f64();
    for worker in &mut workers {
        let status = worker.terminate()?;
        ensure!(status.success(), "a worker ended with {status}");
    }
    Ok(speed)
}
