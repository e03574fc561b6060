//! Linear prediction and the roots of its polynomial, in `f64`.

use realfft::num_complex::Complex64;

/// Order of the prediction: a pair of roots for each of five formants, and one for the spectral tilt.
pub(crate) const ORDER: usize = 11;
/// Aberth's iteration converges cubically; far fewer steps are needed but for clusters of roots.
const MAX_STEPS: usize = 60;
/// Largest last step of a root that counts as converged: 1e-9 of the sampling rate.
const TOLERANCE: f64 = 1e-10;

/// A little white noise (-90 dB) keeps the equations solvable for a pure tone.
pub(crate) const REGULARISATION: f64 = 1e-9;

/// Coefficients `a[1..=ORDER]` of `x[n] = sum a_k x[n - k]` by the autocorrelation method (Markel and Gray 1976), which
/// is always stable; solved by Levinson's recursion. `None` for a frame without energy.
pub(crate) fn predict(frame: &[f64]) -> Option<[f64; ORDER]> {
    let mut r: [f64; ORDER + 1] =
        std::array::from_fn(|lag| frame.iter().zip(frame.iter().skip(lag)).map(|(x, y)| x * y).sum());
    if r[0] <= f64::MIN_POSITIVE {
        return None;
    }
    let mut a = [0.0; ORDER];
    levinson(&mut r, REGULARISATION, &mut a);
    Some(a)
}

/// Levinson's recursion on an autocorrelation of one value more than there are coefficients: fills the prediction's
/// coefficients and returns the power that it leaves. White noise of the power `noise` (as a share of `r[0]`) is added first.
pub(crate) fn levinson(r: &mut [f64], noise: f64, a: &mut [f64]) -> f64 {
    r[0] *= 1.0 + noise;
    let mut error = r[0];
    for order in 0..a.len() {
        let predicted: f64 = (0..order).map(|k| a[k] * r[order - k]).sum();
        let reflection = (r[order + 1] - predicted) / error;
        a[order] = reflection;
        // Both ends of the shorter prediction at a time, so that none is overwritten before its use.
        for k in 0..order.div_ceil(2) {
            let (low, high) = (a[k], a[order - 1 - k]);
            a[k] = low - reflection * high;
            a[order - 1 - k] = high - reflection * low;
        }
        error *= 1.0 - reflection * reflection;
    }
    error
}

/// The roots of `z^ORDER - sum a_k z^(ORDER - k)`, all at once by Aberth's method (1973).
///
/// `roots` holds the starting points, those of a similar polynomial for instance, and then the roots. False where the
/// iteration does not converge.
pub(crate) fn find_roots(a: &[f64; ORDER], roots: &mut [Complex64; ORDER]) -> bool {
    // Starting points that are conjugates of each other could never become two real roots, nor the reverse.
    let turn = Complex64::from_polar(1.0, 0.02);
    for root in roots.iter_mut() {
        *root *= turn;
    }
    for _ in 0..MAX_STEPS {
        let mut largest = 0.0_f64;
        for i in 0..ORDER {
            let z = roots[i];
            let (value, slope) = evaluate(a, z);
            if value == Complex64::ZERO {
                continue;
            }
            let newton = slope / value;
            let repulsion: Complex64 = (0..ORDER).filter(|j| *j != i).map(|j| reciprocal(z - roots[j])).sum();
            let step = reciprocal(newton - repulsion);
            if !step.is_finite() {
                return false;
            }
            roots[i] = z - step;
            largest = largest.max(step.norm_sqr());
        }
        if largest < TOLERANCE * TOLERANCE {
            return true;
        }
    }
    false
}

/// Starting points on a circle inside the unit circle, none of them real.
pub(crate) fn starting_roots() -> [Complex64; ORDER] {
    std::array::from_fn(|i| Complex64::from_polar(0.9, 0.4 + std::f64::consts::TAU * i as f64 / ORDER as f64))
}

/// Plain reciprocal: the arguments are far from overflow, and two equal roots give an infinity that is caught.
fn reciprocal(z: Complex64) -> Complex64 {
    let scale = 1.0 / z.norm_sqr();
    Complex64::new(z.re * scale, -z.im * scale)
}

/// Value and slope by Horner's scheme.
fn evaluate(a: &[f64; ORDER], z: Complex64) -> (Complex64, Complex64) {
    let (mut value, mut slope) = (Complex64::ONE, Complex64::ZERO);
    for coefficient in a {
        slope = slope * z + value;
        value = value * z - coefficient;
    }
    (value, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients of the polynomial with these roots and a real root at 0.3.
    fn polynomial(pairs: &[Complex64; 5]) -> [f64; ORDER] {
        let mut p = vec![1.0];
        let factors = pairs.iter().map(|z| vec![1.0, -2.0 * z.re, z.norm_sqr()]).chain([vec![1.0, -0.3]]);
        for factor in factors {
            let mut product = vec![0.0; p.len() + factor.len() - 1];
            for (i, x) in p.iter().enumerate() {
                for (j, y) in factor.iter().enumerate() {
                    product[i + j] += x * y;
                }
            }
            p = product;
        }
        std::array::from_fn(|k| -p[k + 1])
    }

    #[test]
    fn known_roots_are_found_from_any_start() {
        let pairs = [(0.97, 0.2), (0.95, 0.9), (0.9, 0.92), (0.8, 1.9), (0.99, 3.0)]
            .map(|(radius, angle)| Complex64::from_polar(radius, angle));
        let a = polynomial(&pairs);
        let mut roots = starting_roots();
        for _ in 0..2 {
            assert!(find_roots(&a, &mut roots));
            for pair in pairs {
                let nearest = roots.iter().map(|root| (root - pair).norm()).fold(f64::INFINITY, f64::min);
                assert!(nearest < 1e-9, "{pair} missed by {nearest}");
            }
        }
    }

    #[test]
    fn an_autoregressive_signal_gives_its_own_coefficients() {
        let pairs = [(0.97, 0.2), (0.95, 0.9), (0.9, 1.5), (0.8, 1.9), (0.9, 2.8)]
            .map(|(radius, angle)| Complex64::from_polar(radius, angle));
        let a = polynomial(&pairs);
        let mut x: Vec<f64> = vec![0.0; 4000];
        let mut seed = 1_u32;
        for n in 0..x.len() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(seed >> 8) / f64::from(1 << 24) - 0.5;
            x[n] = noise + (1..=ORDER.min(n)).map(|k| a[k - 1] * x[n - k]).sum::<f64>();
        }
        let found = predict(&x).unwrap();
        let mut roots = starting_roots();
        assert!(find_roots(&found, &mut roots));
        for pair in pairs {
            let nearest = roots.iter().map(|root| (root - pair).norm()).fold(f64::INFINITY, f64::min);
            assert!(nearest < 0.03, "{pair} missed by {nearest}");
        }
        assert!(predict(&[0.0; 300]).is_none());
    }
}
