//! How two bundles differ on the interviews that both have scored.

use hirenet_store::PairedScore;
use serde::Serialize;

/// The differences.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Comparison {
    /// Interviews scored under both.
    pub(super) interviews: usize,
    /// Spearman's rank correlation, ties sharing their mean rank; `None` with fewer than two interviews, or where one bundle
    /// gives every interview the same score.
    pub(super) rank_correlation: Option<f64>,
    /// Interviews that lie on different sides of the two bundles' thresholds.
    pub(super) flips: usize,
    /// Mean absolute difference of the scores.
    pub(super) mean_difference: f64,
    /// Largest absolute difference of the scores.
    pub(super) largest_difference: f64,
}

impl Comparison {
    /// Compares pairs of scores; `thresholds` are those of the first and the second bundle.
    pub(super) fn new(pairs: &[PairedScore], thresholds: (f64, f64)) -> Self {
        let first: Vec<f64> = pairs.iter().map(|pair| pair.first).collect();
        let second: Vec<f64> = pairs.iter().map(|pair| pair.second).collect();
        let differences = || pairs.iter().map(|pair| (pair.first - pair.second).abs());
        Comparison {
            interviews: pairs.len(),
            rank_correlation: correlation(&ranks(&first), &ranks(&second)),
            flips: pairs.iter().filter(|p| (p.first >= thresholds.0) != (p.second >= thresholds.1)).count(),
            mean_difference: if pairs.is_empty() { 0.0 } else { differences().sum::<f64>() / pairs.len() as f64 },
            largest_difference: differences().fold(0.0, f64::max),
        }
    }
}

/// Ranks from 1; equal values share the mean of their places.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for tie in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let below = order.partition_point(|i| values[*i] < values[tie[0]]) as f64;
        for i in tie {
            ranks[*i] = below + f64::midpoint(tie.len() as f64, 1.0);
        }
    }
    ranks
}

/// Pearson's correlation.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let sums = a.iter().zip(b).fold((0.0, 0.0, 0.0), |(ab, aa, bb), (x, y)| {
        let (x, y) = (x - mean_a, y - mean_b);
        (ab + x * y, aa + x * x, bb + y * y)
    });
    (sums.1 > 0.0 && sums.2 > 0.0).then(|| sums.0 / (sums.1 * sums.2).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(values: &[(f64, f64)]) -> Vec<PairedScore> {
        values.iter().map(|(first, second)| PairedScore { first: *first, second: *second }).collect()
    }

    #[test]
    fn equal_values_share_the_mean_of_their_places() {
        assert_eq!(ranks(&[0.3, 0.1, 0.3, 0.9]), [2.5, 1.0, 2.5, 4.0]);
    }

    #[test]
    fn the_correlation_is_spearmans() {
        // By hand: ranks 1 2 3 4 5 against 2 1 4 3 5, d^2 = 4 of 5: rho = 1 - 6 * 4 / (5 * 24).
        let some = pairs(&[(0.1, 0.2), (0.2, 0.1), (0.3, 0.4), (0.4, 0.3), (0.5, 0.9)]);
        let found = Comparison::new(&some, (0.35, 0.35));
        assert!((found.rank_correlation.unwrap() - 0.8).abs() < 1e-12);
        assert_eq!((found.interviews, found.flips), (5, 2));
        assert!((found.largest_difference - 0.4).abs() < 1e-12 && (found.mean_difference - 0.16).abs() < 1e-12);
        let reversed = pairs(&[(0.1, 0.9), (0.2, 0.8)]);
        assert_eq!(Comparison::new(&reversed, (0.5, 0.5)).rank_correlation, Some(-1.0));
    }

    #[test]
    fn nothing_to_correlate_is_said() {
        for values in [&[][..], &[(0.1, 0.2)], &[(0.1, 0.5), (0.2, 0.5)]] {
            assert_eq!(Comparison::new(&pairs(values), (0.5, 0.5)).rank_correlation, None);
        }
    }
}
