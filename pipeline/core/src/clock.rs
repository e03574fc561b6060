//! The one clock: windows of 500 ms every 250 ms from media time zero.

use ndarray::Array2;

/// Length of a window in seconds.
pub const WINDOW_S: f64 = 0.5;
/// Distance between the starts of two windows in seconds.
pub const HOP_S: f64 = 0.25;

/// Number of windows of an answer of `duration_s` seconds: `T = max(1, ceil((d - 0.25) / 0.25))`.
#[must_use]
pub fn window_count(duration_s: f64) -> usize {
    // A duration on the grid must not gain a window by rounding noise.
    (((duration_s - HOP_S) / HOP_S - 1e-9).ceil().max(1.0)) as usize
}

/// Start and end in seconds of window `k`.
#[must_use]
pub fn window_span(k: usize) -> (f64, f64) {
    let start = k as f64 * HOP_S;
    (start, start + WINDOW_S)
}

/// Statistics of samples inside each window.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowStats {
    /// Mean of the used samples, `[T, C]`; 0 where none.
    pub mean: Array2<f32>,
    /// Population standard deviation of the used samples, `[T, C]`; 0 where none.
    pub std: Array2<f32>,
    /// Number of used samples, `[T, C]`.
    pub count: Array2<u32>,
}

/// Mean and standard deviation of each column over the samples whose time falls inside each window.
///
/// `times_s[n]` (ascending) and `values[n, c]` are the samples; `used(n, c)` says whether a sample counts.
#[must_use]
pub fn window_stats(
    windows: usize,
    times_s: &[f64],
    values: &Array2<f32>,
    used: impl Fn(usize, usize) -> bool,
) -> WindowStats {
    let columns = values.ncols();
    let mut stats = WindowStats {
        mean: Array2::zeros((windows, columns)),
        std: Array2::zeros((windows, columns)),
        count: Array2::zeros((windows, columns)),
    };
    for k in 0..windows {
        let (start, end) = window_span(k);
        // Times carry rounding noise of their own; a sample on the edge belongs to the window that starts there.
        let first = times_s.partition_point(|t| *t < start - 1e-6);
        let last = times_s.partition_point(|t| *t < end - 1e-6);
        for c in 0..columns {
            let (mut n, mut sum, mut squares) = (0_u32, 0.0_f64, 0.0_f64);
            for row in (first..last).filter(|row| used(*row, c)) {
                let v = f64::from(values[[row, c]]);
                n += 1;
                sum += v;
                squares += v * v;
            }
            if n > 0 {
                let mean = sum / f64::from(n);
                stats.mean[[k, c]] = mean as f32;
                stats.std[[k, c]] = (squares / f64::from(n) - mean * mean).max(0.0).sqrt() as f32;
                stats.count[[k, c]] = n;
            }
        }
    }
    stats
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn counts_follow_the_formula() {
        for (duration, expected) in
            [(0.0, 1), (0.1, 1), (0.5, 1), (0.51, 2), (0.75, 2), (1.0, 3), (60.0, 239), (60.1, 240)]
        {
            assert_eq!(window_count(duration), expected, "{duration}");
        }
    }

    #[test]
    fn a_sample_on_an_edge_belongs_to_the_window_that_starts_there() {
        let stats = window_stats(3, &[0.0, 0.25, 0.5], &arr2(&[[1.0], [3.0], [5.0]]), |_, _| true);
        assert_eq!(stats.mean.column(0).to_vec(), [2.0, 4.0, 5.0]);
        assert_eq!(stats.std.column(0).to_vec(), [1.0, 1.0, 0.0]);
        assert_eq!(stats.count.column(0).to_vec(), [2, 2, 1]);
    }

    #[test]
    fn unused_samples_do_not_count() {
        let stats = window_stats(1, &[0.0, 0.1], &arr2(&[[1.0, 7.0], [9.0, 7.0]]), |n, c| n == 0 && c == 0);
        assert_eq!(stats.mean.row(0).to_vec(), [1.0, 0.0]);
        assert_eq!(stats.count.row(0).to_vec(), [1, 0]);
    }
}
