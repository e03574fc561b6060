//! Pauses between attempts.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause; the longest wait queue.
const LONGEST: Duration = Duration::from_mins(10);

/// The pause after attempt number `attempt` (from 1): doubled each time, with the upper half left to chance, so that
/// jobs that failed together do not come back together.
pub(crate) fn pause(attempt: i32) -> Duration {
    let doublings = attempt.clamp(1, 16) - 1;
    let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    whole.mul_f64(0.5 + 0.5 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_ceiling() {
        for (attempt, seconds) in [(1, 1.0), (2, 2.0), (5, 16.0), (11, 600.0), (1000, 600.0), (-3, 1.0)] {
            let pause = pause(attempt).as_secs_f64();
            assert!((seconds / 2.0..=seconds).contains(&pause), "attempt {attempt}: {pause}");
        }
    }
}
