//! `make bench-daemon`: the daemon's speed and memory, each figure beside its floor. `bench-daemon PART...` measures some
//! of it: `latency`, `throughput`, `media`, `memory`, `lookup` (which needs a worker to have run before it).

use std::process::ExitCode;

use anyhow::Result;
use hirenet_load::bench::{Sizes, run};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let mut sizes = Sizes::default();
    // For a quick look that proves nothing.
    if std::env::var_os("HIRENET_BENCH_SMALL").is_some() {
        sizes = Sizes {
            interviews: 20,
            followed: 10,
            pairs: 1,
            recordings: 2,
            queued: [100, 300],
            assessments: [20_000, 500],
        };
    }
    Ok(if run(&sizes, &parts).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
