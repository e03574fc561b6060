//! Marked points at which a test can stop the process exactly, to kill it there.
//!
//! They are in every build, because what is to be proved is what the shipped program does; a build of its own for
//! faults would be another program. Without `HIRENET_FAULT_POINT` in its environment a process looks once and never
//! again.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, raise};

/// The order in which a job meets them.
pub(crate) const AFTER_RECEIVE: &str = "after_receive";
pub(crate) const AFTER_CLAIM: &str = "after_claim";
pub(crate) const AFTER_FETCH: &str = "after_fetch";
pub(crate) const AFTER_PROBE: &str = "after_probe";
pub(crate) const AFTER_DECODE: &str = "after_decode";
pub(crate) const BEFORE_COMMIT: &str = "before_commit";
pub(crate) const AFTER_COMMIT: &str = "after_commit_before_ack";

struct Armed {
    /// `STAGE:POINT`.
    point: String,
    /// Gets a line with point and process id before the process stops itself: a pipe that the test reads.
    told: std::path::PathBuf,
    /// Passes left before the point strikes.
    passes: AtomicU32,
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let read = || {
        let point = std::env::var("HIRENET_FAULT_POINT").ok()?;
        let told = std::env::var_os("HIRENET_FAULT_FILE")?.into();
        let passes = std::env::var("HIRENET_FAULT_PASSES").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
        Some(Armed { point, told, passes: AtomicU32::new(passes) })
    };
    ARMED.get_or_init(read).as_ref()
}

/// Stops this process here, once, where the environment says `STAGE:POINT`. It goes on at SIGCONT.
pub(crate) fn point(stage: &str, name: &str) {
    let Some(armed) = armed() else { return };
    if armed.point.split_once(':') != Some((stage, name)) {
        return;
    }
    // At zero it strikes; the count goes round then and is not met again.
    if armed.passes.fetch_sub(1, Ordering::SeqCst) != 0 {
        return;
    }
    let line = format!("{} {}\n", armed.point, std::process::id());
    let told =
        std::fs::OpenOptions::new().append(true).open(&armed.told).and_then(|mut f| f.write_all(line.as_bytes()));
    if told.is_ok() {
        // To this thread, which then stands still at once. Sent to the process, another thread may take it, and this one goes on
        // until that one runs. A process that may not stop itself goes on: the test sees that.
        let _ = raise(Signal::SIGSTOP);
    }
}
