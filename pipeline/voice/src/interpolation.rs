//! Band-limited interpolation of sampled curves.

use std::f64::consts::PI;

use crate::frame::dot;

/// Samples on each side that an interpolated value is made of.
pub(crate) const REACH: usize = 16;
/// Interpolated positions between two samples.
const STEPS: usize = 16;

/// Finds the true maximum near a sampled one with a Hann-tapered sinc, as Boersma (1993, eq. 22) recommends: a parabola
/// through the samples themselves underestimates sharp peaks, which favours periods near a whole number of samples.
#[derive(Debug)]
pub(crate) struct PeakRefiner {
    /// Kernel of each position from -1 to 1 in `STEPS`ths, `2 REACH` taps for the offsets `1 - REACH..=REACH`.
    kernels: Vec<[f32; 2 * REACH]>,
}

impl PeakRefiner {
    pub(crate) fn new() -> Self {
        let kernels = (0..=2 * STEPS)
            .map(|step| {
                let position = step as f64 / STEPS as f64 - 1.0;
                std::array::from_fn(|tap| {
                    let x = position - (tap as f64 - (REACH as f64 - 1.0));
                    windowed_sinc(x, REACH as f64) as f32
                })
            })
            .collect();
        PeakRefiner { kernels }
    }

    /// Position and height of the maximum within one sample of `curve[index]`, which must have [`REACH`] neighbours on
    /// both sides.
    pub(crate) fn refine(&self, curve: &[f32], index: usize) -> (f64, f64) {
        let neighbours = &curve[index + 1 - REACH..=index + REACH];
        let value = |step: usize| f64::from(dot(neighbours, &self.kernels[step]));
        let guess = parabola(curve[index - 1].into(), curve[index].into(), curve[index + 1].into()).0;
        let mut step = (((guess + 1.0) * STEPS as f64).round() as usize).clamp(1, 2 * STEPS - 1);
        let mut height = value(step);
        let (mut left, mut right) = (value(step - 1), value(step + 1));
        while left > height && step > 1 {
            (step, right, height) = (step - 1, height, left);
            left = value(step - 1);
        }
        while right > height && step < 2 * STEPS - 1 {
            (step, left, height) = (step + 1, height, right);
            right = value(step + 1);
        }
        let (offset, peak) = parabola(left, height, right);
        (index as f64 - 1.0 + (step as f64 + offset) / STEPS as f64, peak)
    }
}

/// Sinc tapered by a Hann window that reaches zero `reach` samples away.
pub(crate) fn windowed_sinc(x: f64, reach: f64) -> f64 {
    if x.abs() < 1e-12 {
        return 1.0;
    }
    if x.abs() >= reach {
        return 0.0;
    }
    (PI * x).sin() / (PI * x) * (0.5 + 0.5 * (PI * x / reach).cos())
}

/// Offset (-0.5..0.5) and height of the vertex of the parabola through three equidistant values, the middle one the
/// highest; offset 0 where they are level.
pub(crate) fn parabola(left: f64, middle: f64, right: f64) -> (f64, f64) {
    let curvature = left - 2.0 * middle + right;
    if curvature >= 0.0 {
        return (0.0, middle);
    }
    let offset = (0.5 * (left - right) / curvature).clamp(-0.5, 0.5);
    (offset, middle - 0.25 * (left - right) * offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampled_cosine_shows_its_true_peak() {
        let refiner = PeakRefiner::new();
        for peak in [39.6, 39.9, 40.0, 40.21, 40.49] {
            // Period 2.9 samples: far from anything that a parabola could follow.
            let curve: Vec<f32> = (0..80).map(|n| (2.0 * PI * (f64::from(n) - peak) / 2.9).cos() as f32).collect();
            let (position, height) = refiner.refine(&curve, 40);
            assert!((position - peak).abs() < 0.01, "{position} instead of {peak}");
            assert!((height - 1.0).abs() < 0.01, "{height}");
        }
    }

    #[test]
    fn a_parabola_gives_its_vertex() {
        let f = |x: f64| 3.0 - (x - 0.3).powi(2);
        let (offset, height) = parabola(f(-1.0), f(0.0), f(1.0));
        assert!((offset - 0.3).abs() < 1e-12 && (height - 3.0).abs() < 1e-12);
    }
}
