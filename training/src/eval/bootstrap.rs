//! Percentile intervals by resampling interviews.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// 95 % interval of a measure over `draws` resamples with replacement.
#[must_use]
pub fn interval(
    scores: &[f64],
    labels: &[u8],
    draws: usize,
    seed: u64,
    measure: impl Fn(&[f64], &[u8]) -> f64 + Sync,
) -> [f64; 2] {
    if labels.is_empty() {
        return [f64::NAN; 2];
    }
    let mut found: Vec<f64> = (0..draws as u64)
        .into_par_iter()
        .map(|draw| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(draw);
            let chosen: Vec<usize> = (0..labels.len()).map(|_| rng.random_range(0..labels.len())).collect();
            let scores: Vec<f64> = chosen.iter().map(|i| scores[*i]).collect();
            let labels: Vec<u8> = chosen.iter().map(|i| labels[*i]).collect();
            measure(&scores, &labels)
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let at = |share: f64| found.get(((draws as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN);
    [at(0.025), at(0.975)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::metrics::auc;

    #[test]
    fn the_interval_holds_the_value_and_narrows_with_more_interviews() {
        let data = |n: usize| -> (Vec<f64>, Vec<u8>) {
            (0..n).map(|i| ((i * 7919 % 1000) as f64 + 300.0 * (i % 2) as f64, (i % 2) as u8)).unzip()
        };
        let width = |n| {
            let (scores, labels) = data(n);
            let [low, high] = interval(&scores, &labels, 200, 1, auc);
            assert!(low <= auc(&scores, &labels) && auc(&scores, &labels) <= high);
            high - low
        };
        assert!(width(2000) < width(100));
    }
}
