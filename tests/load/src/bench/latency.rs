//! From submit to the row in the view, when nothing else is going on.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::floor::{Cost, Floor};
use super::{PATIENCE, Sizes, quantile};
use crate::corpus::{Corpus, TENANT};
use crate::report::Row;
use crate::worker::Worker;
use crate::world::World;

/// An interview of one answer on its way to the view, one step after the other: the submission, the stage messages of
/// `extract` and `score`; and the commits of admit, claim, extract, claim, score.
const COST: Cost = Cost { messages: 3, commits: 5, reads: 0 };
/// Pause between two looks at the view.
const LOOK: Duration = Duration::from_millis(1);

/// `submit_to_view_vs_floor`, with the times beside it.
pub(super) async fn rows(world: &World, sizes: &Sizes) -> Result<Vec<Row>> {
    let corpus = Corpus::new(world.media())?;
    let mut worker = Worker::start(world, &["--slots", "2"], &[])?;
    worker.ready().await?;
    let broker = world.broker("latency").await?;
    let publisher = broker.publisher();
    let recruiter = world.recruiter(TENANT).await?;
    let mut floor = Floor::new(world, 1).await?;
    let (mut times, mut floors) = (Vec::new(), Vec::new());
    // The first ones warm up connections, statements and the bundle.
    for turn in 0..sizes.followed + 10 {
        let submission = corpus.stand_in(1);
        let started = Instant::now();
        publisher.publish(&submission.message(broker.names(), true)).await?;
        loop {
            let row: Option<(String,)> = sqlx::query_as(
                "select status from hirenet.interview_results where interview_id = $1 and score is not null",
            )
            .bind(&submission.interview_id)
            .fetch_optional(&recruiter)
            .await?;
            if row.is_some() {
                break;
            }
            ensure!(started.elapsed() < PATIENCE, "an interview does not come to the view");
            tokio::time::sleep(LOOK).await;
        }
        let took = started.elapsed();
        let least = floor.one_after_the_other(COST).await?;
        if turn >= 10 {
            times.push(took.as_secs_f64() * 1e3);
            floors.push(least.as_secs_f64() * 1e3);
        }
    }
    let (median, p95, floor) = (quantile(&mut times, 0.5), quantile(&mut times, 0.95), quantile(&mut floors, 0.95));
    Ok(vec![
        Row::new("submit_to_view_vs_floor", Some(p95 / floor), "ratio").floor(1.0).bar("<= 5"),
        Row::new("submit_to_view_p95_ms", Some(p95), "ms").floor(floor),
        Row::new("submit_to_view_p50_ms", Some(median), "ms").floor(quantile(&mut floors, 0.5)),
    ])
}
