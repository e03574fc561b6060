//! Ridge and logistic regression: the classic learners of the baselines and of early fusion.

use ndarray::{Array1, Array2, Axis};

use crate::eval::metrics::{auc, sigmoid};
use crate::{Result, TrainError};

/// Penalties that are tried, as multiples of the number of rows.
const PENALTIES: [f64; 3] = [1e-3, 1e-2, 1e-1];
/// Newton steps of logistic regression; it has settled long before.
const NEWTON_STEPS: usize = 12;

/// How a classifier is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learner {
    /// Least squares on -1 and 1 with a squared penalty.
    Ridge,
    /// Maximum likelihood with a squared penalty, by Newton's method.
    Logistic,
}

impl Learner {
    /// Both.
    pub const ALL: [Learner; 2] = [Learner::Ridge, Learner::Logistic];
}

/// A fitted classifier on standardised columns.
#[derive(Debug, Clone)]
pub struct Classifier {
    mean: Array1<f64>,
    std: Array1<f64>,
    /// Weights, then the bias.
    weights: Array1<f64>,
}

impl Classifier {
    /// Fits one learner.
    ///
    /// # Errors
    /// [`TrainError::Compute`] where there are no rows, or the equations cannot be solved.
    pub fn fit(learner: Learner, x: &Array2<f32>, labels: &[u8], penalty: f64) -> Result<Classifier> {
        if x.nrows() == 0 {
            return Err(TrainError::Compute("a regression has no rows to learn from".to_owned()));
        }
        let x = x.mapv(f64::from);
        let mean = x.mean_axis(Axis(0)).unwrap_or_default();
        let std = x.std_axis(Axis(0), 0.0).mapv(|s| if s > 1e-9 { s } else { 1.0 });
        let mut design = Array2::ones((x.nrows(), x.ncols() + 1));
        design.slice_mut(ndarray::s![.., ..x.ncols()]).assign(&((&x - &mean) / &std));
        let penalty = penalty * x.nrows() as f64;
        let weights = match learner {
            Learner::Ridge => {
                let targets: Array1<f64> = labels.iter().map(|y| if *y == 1 { 1.0 } else { -1.0 }).collect();
                solve(&design.t().dot(&design), &design.t().dot(&targets), penalty)?
            }
            Learner::Logistic => newton(&design, labels, penalty)?,
        };
        Ok(Classifier { mean, std, weights })
    }

    /// Fits every learner with every penalty and keeps what has the best AUC on validation.
    ///
    /// # Errors
    /// As [`Classifier::fit`].
    pub fn best(
        learners: &[Learner],
        (x, labels): (&Array2<f32>, &[u8]),
        (validation_x, validation_labels): (&Array2<f32>, &[u8]),
    ) -> Result<Classifier> {
        let mut best: Option<(f64, Classifier)> = None;
        for learner in learners {
            for penalty in PENALTIES {
                let fitted = Classifier::fit(*learner, x, labels, penalty)?;
                let scores: Vec<f64> = validation_x.rows().into_iter().map(|row| fitted.logit(&row.to_vec())).collect();
                let found = auc(&scores, validation_labels);
                if best.as_ref().is_none_or(|(so_far, _)| found > *so_far) {
                    best = Some((found, fitted));
                }
            }
        }
        best.map(|(_, fitted)| fitted).ok_or_else(|| TrainError::Usage("no learner was named".to_owned()))
    }

    /// What it says of one row.
    #[must_use]
    pub fn logit(&self, x: &[f32]) -> f64 {
        let bias = self.weights[self.weights.len() - 1];
        let terms = x.iter().zip(&self.mean).zip(&self.std).zip(&self.weights);
        terms.map(|(((x, mean), std), w)| w * (f64::from(*x) - mean) / std).sum::<f64>() + bias
    }
}

/// `argmax sum log p(y) - penalty |w|^2 / 2`, the bias unpenalised.
fn newton(design: &Array2<f64>, labels: &[u8], penalty: f64) -> Result<Array1<f64>> {
    let mut weights = Array1::zeros(design.ncols());
    for _ in 0..NEWTON_STEPS {
        let p = design.dot(&weights).mapv(sigmoid);
        let residual: Array1<f64> = labels.iter().zip(&p).map(|(y, p)| f64::from(*y) - p).collect();
        let mut gradient = design.t().dot(&residual);
        let last = weights.len() - 1;
        gradient.iter_mut().zip(&weights).take(last).for_each(|(g, w)| *g -= penalty * w);
        let curvature = p.mapv(|p| (p * (1.0 - p)).max(1e-6)).insert_axis(Axis(1));
        let step = solve(&design.t().dot(&(design * &curvature)), &gradient, penalty)?;
        weights += &step;
        if step.iter().all(|s| s.abs() < 1e-8) {
            break;
        }
    }
    Ok(weights)
}

/// Solves `(A + penalty I) x = b` by Cholesky's decomposition; the last diagonal entry, the bias's, is left unpenalised.
fn solve(a: &Array2<f64>, b: &Array1<f64>, penalty: f64) -> Result<Array1<f64>> {
    let n = b.len();
    let mut l = a.clone();
    for i in 0..n {
        l[[i, i]] += if i + 1 < n { penalty } else { 1e-9 };
    }
    for j in 0..n {
        let (done, mut rest) = l.view_mut().split_at(Axis(0), j);
        let _ = done;
        let pivot_row = rest.row(0).slice(ndarray::s![..j]).to_owned();
        let pivot = rest[[0, j]] - pivot_row.dot(&pivot_row);
        if pivot <= 0.0 || !pivot.is_finite() {
            return Err(TrainError::Compute("a regression's equations are singular".to_owned()));
        }
        let root = pivot.sqrt();
        rest[[0, j]] = root;
        for i in 1..n - j {
            let dot = rest.row(i).slice(ndarray::s![..j]).dot(&pivot_row);
            rest[[i, j]] = (rest[[i, j]] - dot) / root;
        }
    }
    let mut x = b.clone();
    for i in 0..n {
        let dot = l.row(i).slice(ndarray::s![..i]).dot(&x.slice(ndarray::s![..i]));
        x[i] = (x[i] - dot) / l[[i, i]];
    }
    for i in (0..n).rev() {
        let dot = l.column(i).slice(ndarray::s![i + 1..]).dot(&x.slice(ndarray::s![i + 1..]));
        x[i] = (x[i] - dot) / l[[i, i]];
    }
    Ok(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn equations_are_solved() {
        let a = ndarray::arr2(&[[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]);
        let x = ndarray::arr1(&[1.0, -2.0, 0.5]);
        let found = solve(&a, &a.dot(&x), 0.0).unwrap();
        assert!(found.iter().zip(&x).all(|(f, x)| (f - x).abs() < 1e-6), "{found}");
    }

    #[test]
    fn both_learners_find_a_direction_in_noise() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let x = Array2::from_shape_simple_fn((400, 5), || rng.random_range(-1.0_f32..1.0));
        let labels: Vec<u8> =
            x.rows().into_iter().map(|r| u8::from(r[0] - 2.0 * r[3] + rng.random_range(-0.3..0.3) > 0.2)).collect();
        for learner in Learner::ALL {
            let fitted = Classifier::fit(learner, &x, &labels, 1e-2).unwrap();
            let scores: Vec<f64> = x.rows().into_iter().map(|r| fitted.logit(&r.to_vec())).collect();
            assert!(auc(&scores, &labels) > 0.97, "{learner:?}");
        }
    }
}
