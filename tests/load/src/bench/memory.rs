//! A worker's memory does not depend on how much is queued.

use anyhow::{Result, ensure};

use super::{PATIENCE, Sizes};
use crate::corpus::Corpus;
use crate::oracle::Listener;
use crate::report::Row;
use crate::worker::Worker;
use crate::world::World;

/// Interviews that the worker has done when its memory is read, the same in both turns.
const DONE: usize = 100;

/// `queued_memory_growth_mb`.
pub(super) async fn rows(world: &World, sizes: &Sizes) -> Result<Vec<Row>> {
    let [few, many] = sizes.queued;
    let (with_few, with_many) = (memory(world, few).await?, memory(world, many).await?);
    Ok(vec![
        Row::new("queued_memory_growth_mb", Some(with_many - with_few), "MiB").bar("<= 20"),
        Row::new("memory_few_queued_mb", Some(with_few), "MiB"),
        Row::new("memory_many_queued_mb", Some(with_many), "MiB"),
    ])
}

/// Resident MiB of a worker that began with so many queued and has done the first [`DONE`].
async fn memory(world: &World, queued: usize) -> Result<f64> {
    let corpus = Corpus::new(world.media())?;
    let broker = world.broker("memory").await?;
    let (publisher, names) = (broker.publisher(), broker.names().clone());
    let mut left = queued;
    while left > 0 {
        let messages: Vec<_> = (0..left.min(500)).map(|_| corpus.stand_in(1).message(&names, false)).collect();
        ensure!(publisher.publish_all(&messages).await.iter().all(Result::is_ok), "a submission was not confirmed");
        left -= messages.len();
    }
    let mut listener = Listener::start(&broker);
    let mut worker = Worker::start(world, &["--slots", "2"], &[])?;
    listener.wait(PATIENCE, |heard| heard.events.len() >= DONE).await?;
    let bytes = worker.resident_bytes()?;
    // The rest goes before the next turn begins.
    listener.wait(PATIENCE, |heard| heard.events.len() >= queued).await?;
    ensure!(worker.terminate()?.success(), "the worker did not end well");
    Ok(bytes as f64 / f64::from(1 << 20))
}
