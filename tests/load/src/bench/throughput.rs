//! Interviews of 5 answers a second with a stand-in for the extractors, everything durable, against the floor.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::floor::{Cost, Floor};
use super::{PATIENCE, Sizes, quantile};
use crate::corpus::Corpus;
use crate::oracle::Listener;
use crate::report::Row;
use crate::worker::Worker;
use crate::world::World;

const ANSWERS: usize = 5;
/// Messages of an interview: the submission, a stage message an answer, that of `score`, and the event.
const MESSAGES: usize = 1 + ANSWERS + 1 + 1;
/// Transactions of an interview that only read: what is needed for its score, and for each of its answers but the first, whose
/// one tells that the interview is being worked on.
const READS: usize = 1 + ANSWERS - 1;
/// Jobs of a stage that the worker runs at once, and connections that it may use.
const SLOTS: &str = "48";
const CONNECTIONS: u32 = 16;
/// Turns, each of the service and then of the floor. What is told of each figure is its median.
const TURNS: usize = 7;

/// `overhead_vs_floor` and what it is made of.
pub(super) async fn rows(world: &World, sizes: &Sizes) -> Result<Vec<Row>> {
    let corpus = Corpus::new(world.media())?;
    let connections = CONNECTIONS.to_string();
    let mut worker = Worker::start(world, &["--slots", SLOTS], &[("STORE__CONNECTIONS", &connections)])?;
    worker.ready().await?;
    let broker = world.broker("throughput").await?;
    let mut listener = Listener::start(&broker);
    let (publisher, names) = (broker.publisher(), broker.names().clone());
    let (mut ratios, mut speeds, mut floors, mut commits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut floor = Floor::new(world, CONNECTIONS).await?;
    for turn in 0..=TURNS {
        let submissions: Vec<_> = (0..sizes.interviews).map(|_| corpus.stand_in(ANSWERS)).collect();
        let messages: Vec<_> = submissions.iter().map(|s| s.message(&names, false)).collect();
        let before = transactions(world).await?;
        let started = Instant::now();
        let confirms = publisher.publish_all(&messages).await;
        ensure!(confirms.iter().all(Result::is_ok), "a submission was not confirmed");
        listener.wait(PATIENCE, |heard| submissions.iter().all(|s| heard.events.contains_key(&s.job_id))).await?;
        let speed = sizes.interviews as f64 / started.elapsed().as_secs_f64();
        let an_interview = (transactions(world).await? - before) as f64 / sizes.interviews as f64;
        let cost = Cost { messages: MESSAGES, commits: an_interview.round() as usize, reads: READS };
        let least = floor.throughput(sizes.interviews, CONNECTIONS as usize, cost).await?;
        if turn == 0 {
            // Warm now. The database would take its statistics by itself within a minute: until then its plans are those of
            // empty tables.
            sqlx::query("analyze").execute(world.pool()).await?;
        } else {
            // Of neighbours in time: a machine that other guests share changes its speed from turn to turn.
            ratios.push(speed / least);
            speeds.push(speed);
            floors.push(least);
            commits.push(an_interview);
        }
    }
    let (speed, least) = (quantile(&mut speeds, 0.5), quantile(&mut floors, 0.5));
    Ok(vec![
        Row::new("overhead_vs_floor", Some(quantile(&mut ratios, 0.5)), "ratio").floor(1.0).bar(">= 0.5"),
        Row::new("interviews_per_s", Some(speed), "interviews/s").floor(least),
        Row::new("commits_per_interview", Some(quantile(&mut commits, 0.5)), "transactions"),
        Row::new("reads_per_interview", Some(READS as f64), "transactions"),
        Row::new("messages_per_interview", Some(MESSAGES as f64), "messages"),
    ])
}

/// Transactions that wrote something, since the database began: each that writes takes a number.
async fn transactions(world: &World) -> Result<i64> {
    let (number,): (i64,) =
        sqlx::query_as("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetch_one(world.pool()).await?;
    Ok(number)
}
