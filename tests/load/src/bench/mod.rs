//! The daemon's benchmark: each figure beside its floor, both measured in this run on this machine.

mod floor;
mod latency;
mod lookup;
mod media;
mod memory;
mod throughput;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::report::{Row, finish};
use crate::world::World;

/// Sizes of the benchmark.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Interviews of 5 answers whose throughput is measured, in each turn.
    pub interviews: usize,
    /// Interviews that are followed from submit to view.
    pub followed: usize,
    /// Pairs of one worker against two.
    pub pairs: usize,
    /// Real recordings in each turn of those.
    pub recordings: usize,
    /// Queued jobs, few and many.
    pub queued: [usize; 2],
    /// Assessments in the table that is looked into, and those of the position that is looked at.
    pub assessments: [i64; 2],
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            interviews: 600,
            followed: 100,
            pairs: 5,
            recordings: 8,
            queued: [100, 10_000],
            assessments: [1_000_000, 5_000],
        }
    }
}

/// Longest time for any one turn.
const PATIENCE: Duration = Duration::from_secs(1800);

/// The parts, by name.
const PARTS: [&str; 5] = ["latency", "throughput", "media", "memory", "lookup"];

/// Measures the parts that are named, or everything where none is; true where every bound is kept.
///
/// # Errors
/// Where the services or the program do not start. What cannot be measured is a row without a value.
pub async fn run(sizes: &Sizes, parts: &[String]) -> Result<bool> {
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("no part is called `{unknown}`; the parts are {}", PARTS.join(", "));
    }
    let world = World::start().await?;
    let mut rows = Vec::new();
    for part in PARTS.into_iter().filter(|part| parts.is_empty() || parts.iter().any(|p| p == part)) {
        rows.extend(match part {
            "latency" => measured(part, latency::rows(&world, sizes).await, &["submit_to_view_vs_floor"]),
            "throughput" => measured(part, throughput::rows(&world, sizes).await, &["overhead_vs_floor"]),
            "media" => measured(part, media::rows(&world, sizes).await, &["two_workers_vs_one"]),
            "memory" => measured(part, memory::rows(&world, sizes).await, &["queued_memory_growth_mb"]),
            _ => measured(part, lookup::rows(&world, sizes).await, &["view_vs_lookup"]),
        });
    }
    let settings = json!({
        "parts": if parts.is_empty() { PARTS.map(str::to_owned).to_vec() } else { parts.to_vec() },
        "interviews": sizes.interviews, "followed": sizes.followed, "pairs": sizes.pairs,
        "recordings": sizes.recordings, "queued": sizes.queued, "assessments": sizes.assessments
    });
    finish("daemon", &settings, &rows).context("bench-out/daemon.json")
}

/// The rows of one part, or rows without a value where it failed.
fn measured(part: &str, rows: Result<Vec<Row>>, names: &[&'static str]) -> Vec<Row> {
    rows.unwrap_or_else(|error| {
        println!("{part}: {error:#}");
        names.iter().map(|name| Row::new(name, None, "")).collect()
    })
}

/// The value below which `share` of the values lie.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (share * values.len() as f64).ceil() as usize;
    values.get(place.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_are_values() {
        let mut values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(
            [quantile(&mut values, 0.5), quantile(&mut values, 0.95), quantile(&mut values, 1.0)],
            [10.0, 19.0, 20.0]
        );
    }
}
