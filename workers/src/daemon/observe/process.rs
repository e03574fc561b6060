//! What the kernel says of this process (`man 5 proc`).

use ::metrics::{counter, gauge};

use super::metrics;

/// Ticks a second of the times in `/proc`: fixed by the kernel's interface, whatever the kernel's own clock is.
const TICKS_PER_S: u64 = 100;

/// Sets the metrics of this process; what cannot be read stays as it was.
pub(crate) fn record() {
    if let Some(bytes) = resident_bytes() {
        gauge!(metrics::MEMORY).set(bytes as f64);
    }
    if let Some(seconds) = cpu_seconds() {
        counter!(metrics::CPU).absolute(seconds);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // Less the one that lists them.
        gauge!(metrics::FILES).set(files.count().saturating_sub(1) as f64);
    }
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib: u64 =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// Whole seconds of processor time, with those of children that have ended: the decoder is one.
fn cpu_seconds() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, a name in parentheses, may have blanks; utime, stime, cutime and cstime are fields 14 to 17.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_whitespace().skip(11).take(4).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Some(ticks / TICKS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_knows_this_process() {
        let memory = resident_bytes().unwrap();
        assert!((1 << 20..1 << 40).contains(&memory), "{memory}");
        let started = std::time::Instant::now();
        let before = cpu_seconds().unwrap();
        while cpu_seconds().unwrap() == before {
            assert!(started.elapsed().as_secs() < 60, "the processor time stands still");
        }
    }
}
