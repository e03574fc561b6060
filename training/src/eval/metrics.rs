//! Measures of scores against labels.

use serde::{Deserialize, Serialize};

/// Bins of the calibration error.
const BINS: usize = 10;

/// Area under the ROC curve by ranks (Mann-Whitney), ties counted half; 0.5 where a class is missing.
#[must_use]
pub fn auc(scores: &[f64], labels: &[u8]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let positives = labels.iter().map(|y| f64::from(*y)).sum::<f64>();
    let negatives = labels.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return 0.5;
    }
    let (mut rank_sum, mut at) = (0.0, 0);
    while at < order.len() {
        let end = order[at..].iter().position(|i| scores[*i] != scores[order[at]]).map_or(order.len(), |n| at + n);
        let mean_rank = f64::midpoint((at + 1) as f64, end as f64);
        rank_sum += mean_rank * order[at..end].iter().filter(|i| labels[**i] == 1).count() as f64;
        at = end;
    }
    (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// Expected calibration error over 10 bins of equal width: mean over the interviews of |mean score - share of positives|
/// in the interview's bin.
#[must_use]
pub fn calibration_error(probabilities: &[f64], labels: &[u8]) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for (p, y) in probabilities.iter().zip(labels) {
        let bin = ((p * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += p;
        bins[bin].1 += f64::from(*y);
    }
    bins.iter().map(|(sum, positives)| (sum - positives).abs()).sum::<f64>() / probabilities.len().max(1) as f64
}

/// `1 / (1 + e^-x)`
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Mean binary cross-entropy of probabilities.
#[must_use]
pub fn log_loss(probabilities: &[f64], labels: &[u8]) -> f64 {
    let loss = |(p, y): (&f64, &u8)| {
        let p = p.clamp(1e-9, 1.0 - 1e-9);
        if *y == 1 { -p.ln() } else { -(1.0 - p).ln() }
    };
    probabilities.iter().zip(labels).map(loss).sum::<f64>() / labels.len().max(1) as f64
}

/// Measures of one model on one set of interviews.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Interviews.
    pub count: usize,
    /// Of those called hirable, the share that is.
    pub precision: f64,
    /// Of the hirable, the share called so.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// F1 of calling everybody hirable: what a model must beat.
    pub all_positive_f1: f64,
    /// Area under the ROC curve; `None` where a class is missing.
    pub auc: Option<f64>,
    /// Mean of the recalls of both classes; `None` where a class is missing.
    pub balanced_accuracy: Option<f64>,
    /// Expected calibration error.
    pub calibration_error: f64,
}

/// Measures at a threshold.
#[must_use]
pub fn measures(probabilities: &[f64], labels: &[u8], threshold: f64) -> Measures {
    let mut counts = [[0.0; 2]; 2];
    for (p, y) in probabilities.iter().zip(labels) {
        counts[usize::from(*y)][usize::from(*p >= threshold)] += 1.0;
    }
    let [[true_negative, false_positive], [false_negative, true_positive]] = counts;
    let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    let precision = ratio(true_positive, true_positive + false_positive);
    let recall = ratio(true_positive, true_positive + false_negative);
    let (positives, negatives) = (true_positive + false_negative, true_negative + false_positive);
    let prevalence = ratio(positives, labels.len() as f64);
    let both = positives > 0.0 && negatives > 0.0;
    Measures {
        count: labels.len(),
        precision,
        recall,
        f1: ratio(2.0 * precision * recall, precision + recall),
        all_positive_f1: ratio(2.0 * prevalence, 1.0 + prevalence),
        auc: both.then(|| auc(probabilities, labels)),
        balanced_accuracy: both.then(|| f64::midpoint(recall, true_negative / negatives)),
        calibration_error: calibration_error(probabilities, labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_counts_pairs_in_order() {
        assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1]), 0.75);
        assert_eq!(auc(&[0.5, 0.5], &[0, 1]), 0.5);
        assert_eq!(auc(&[1.0, 2.0, 2.0, 3.0], &[0, 0, 1, 1]), 0.875);
        assert_eq!(auc(&[1.0], &[1]), 0.5);
    }

    #[test]
    fn measures_agree_with_a_table_worked_by_hand() {
        // 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
        let scores = [0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.2, 0.1, 0.1];
        let labels = [1, 1, 1, 0, 1, 1, 0, 0, 0, 0];
        let m = measures(&scores, &labels, 0.5);
        assert_eq!((m.precision, m.recall), (0.75, 0.6));
        assert!((m.f1 - 2.0 / 3.0).abs() < 1e-12 && (m.all_positive_f1 - 2.0 / 3.0).abs() < 1e-12);
        assert!(m.balanced_accuracy.is_some_and(|found| (found - 0.7).abs() < 1e-12));
    }

    #[test]
    fn what_needs_both_classes_is_not_made_up_from_one() {
        for label in [0, 1] {
            let m = measures(&[0.2, 0.9], &[label; 2], 0.5);
            assert_eq!((m.auc, m.balanced_accuracy), (None, None));
            assert!(serde_json::json!(m)["auc"].is_null());
        }
    }

    #[test]
    fn calibration_error_is_the_gap_between_score_and_share() {
        assert!((calibration_error(&[0.75; 4], &[1, 1, 1, 0])).abs() < 1e-12);
        assert!((calibration_error(&[0.95, 0.95, 0.05, 0.05], &[1, 0, 0, 0]) - (0.9 + 0.1) / 4.0).abs() < 1e-12);
    }
}
