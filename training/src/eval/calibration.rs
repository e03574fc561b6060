//! Platt scaling (Platt 1999): `p = sigmoid(a logit + b)`, fitted by maximum likelihood with Platt's targets.

use hirenet_model::Calibration;

use super::metrics::sigmoid;

const NEWTON_STEPS: usize = 100;

/// The scaling that fits validation logits best; the identity where a class is missing.
#[must_use]
pub fn platt(logits: &[f64], labels: &[u8]) -> Calibration {
    let positives = labels.iter().map(|y| f64::from(*y)).sum::<f64>();
    let negatives = labels.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Calibration { a: 1.0, b: 0.0 };
    }
    // Targets short of 0 and 1 keep separable logits from growing without end.
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let (mut a, mut b) = (1.0, 0.0);
    for _ in 0..NEWTON_STEPS {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for (x, y) in logits.iter().zip(labels) {
            let p = sigmoid(a * x + b);
            let d = p - if *y == 1 { high } else { low };
            let w = p * (1.0 - p);
            ga += d * x;
            gb += d;
            haa += w * x * x;
            hab += w * x;
            hbb += w;
        }
        let determinant = haa * hbb - hab * hab;
        if determinant <= 1e-12 {
            break;
        }
        let (da, db) = ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant);
        // A full step may leap over the minimum where all probabilities are far from their targets.
        let shrink = (2.0 / da.abs().max(db.abs())).min(1.0);
        a -= shrink * da;
        b -= shrink * db;
        if da.abs() + db.abs() < 1e-10 {
            break;
        }
    }
    // A falling score would turn the sense of every span's influence. Logits that go against the labels of validation say
    // nothing: what is left is the share of positives.
    if a < 0.0 {
        let share = positives / (positives + negatives);
        return Calibration { a: 0.0, b: (share / (1.0 - share)).ln() };
    }
    Calibration { a, b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::metrics::calibration_error;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn logits_that_go_against_the_labels_count_for_nothing() {
        let scale = platt(&[2.0, 1.0, -1.0, -2.0, -3.0, -3.0], &[0, 0, 1, 1, 1, 0]);
        assert_eq!(scale, Calibration { a: 0.0, b: 0.0 });
    }

    #[test]
    fn a_stretched_and_shifted_logit_is_brought_back() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let truth: Vec<f64> = (0..20_000).map(|_| rng.random_range(-3.0..3.0)).collect();
        let labels: Vec<u8> = truth.iter().map(|t| u8::from(rng.random_bool(sigmoid(*t)))).collect();
        let logits: Vec<f64> = truth.iter().map(|t| 3.0 * t + 1.0).collect();
        let Calibration { a, b } = platt(&logits, &labels);
        assert!((a - 1.0 / 3.0).abs() < 0.02 && (b + 1.0 / 3.0).abs() < 0.05, "{a} {b}");
        let error = |scale: &dyn Fn(f64) -> f64| {
            calibration_error(&logits.iter().map(|x| sigmoid(scale(*x))).collect::<Vec<_>>(), &labels)
        };
        assert!(error(&|x| x) > 0.1 && error(&|x| a * x + b) < 0.015);
    }
}
