//! The score above which evaluation counts an interview as positive.

use super::metrics::measures;

/// The threshold with the best F1 on validation scores, among the scores themselves; 0.5 where there are none.
#[must_use]
pub fn best_threshold(scores: &[f64], labels: &[u8]) -> f64 {
    let mut candidates = scores.to_vec();
    candidates.sort_by(f64::total_cmp);
    candidates.dedup();
    // Some hundred candidates tell as much as all.
    let step = candidates.len() / 200 + 1;
    let best = candidates.iter().step_by(step).copied().map(|t| (measures(scores, labels, t).f1, t));
    let best = best.max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(0.5, |(_, threshold)| threshold.clamp(0.01, 0.99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_parts_what_can_be_parted() {
        let scores = [0.2, 0.3, 0.35, 0.8, 0.9];
        assert_eq!(best_threshold(&scores, &[0, 0, 1, 1, 1]), 0.35);
        assert_eq!(best_threshold(&[], &[]), 0.5);
    }
}
