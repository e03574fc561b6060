//! Sources of made sounds: the levels of a pulse train's harmonics before the resonances.

use std::f64::consts::{PI, TAU};

use realfft::num_complex::Complex64;

/// Keeps a harmonic in one of the pulse's zeros finite.
const SMALLEST: f64 = 1e-6;
/// Moves a harmonic off the frequency at which both halves of its quotient are zero.
const OFF: f64 = 1.0 + 1e-7;
/// Step of the numeric slopes.
const STEP: f64 = 1e-4;
/// Shares of a period that a pulse can take to open, and to close, and in which it can be open.
const OPENING: (f64, f64) = (0.2, 0.8);
const CLOSING: (f64, f64) = (0.03, 0.4);
const OPEN: (f64, f64) = (0.2, 1.0);

/// A family of sources; their parameters are kept by who fits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Derivative of a glottal pulse that opens along a cosine and closes along a quarter of one (A. E. Rosenberg 1971, type
    /// C). Parameters: the shares of the period in which it opens and closes.
    Cosine,
    /// Derivative of a glottal pulse of the form `t^2 - t^3` (D. H. Klatt and L. C. Klatt 1990). Parameter: the share of the
    /// period in which it is open.
    Polynomial,
    /// Harmonics that fall evenly above a corner: clicks, saw-teeth, filtered clicks. Parameters: dB an octave, and the
    /// natural logarithm of the corner in harmonics.
    Slope,
}

impl Source {
    /// Where a search begins.
    pub(crate) fn starts() -> impl Iterator<Item = (Source, Vec<f64>)> {
        let openings = [0.33, 0.42, 0.55, 0.7];
        let cosines =
            openings.into_iter().flat_map(|opening| [0.06, 0.14, 0.22, 0.32].map(|closing| vec![opening, closing]));
        let polynomials = [0.4, 0.55, 0.7].map(|open| vec![open]);
        let slopes = [[-12.0, -1.0], [-6.0, -1.0], [-6.0, 1.5], [-12.0, 2.0]].map(|start| start.to_vec());
        let cosines = cosines.map(|start| (Source::Cosine, start));
        cosines
            .chain(polynomials.map(|start| (Source::Polynomial, start)))
            .chain(slopes.map(|start| (Source::Slope, start)))
    }

    /// What is typical of each parameter, and the spread around it.
    pub(crate) fn typical(self) -> &'static [(f64, f64)] {
        match self {
            Source::Cosine => &[(0.45, 0.4), (0.18, 0.3)],
            Source::Polynomial => &[(0.55, 0.3)],
            Source::Slope => &[(-9.0, 6.0), (0.0, 2.0)],
        }
    }

    /// Level of the harmonic of a number, from 1 on, in dB.
    pub(crate) fn level_db(self, parameters: &[f64], number: usize) -> f64 {
        match (self, parameters) {
            (Source::Cosine, [opening, closing]) => cosine_db(*opening, *closing, number),
            (Source::Polynomial, [open]) => polynomial_db(*open, number),
            (Source::Slope, [slope, corner]) => 0.5 * slope * (1.0 + (number as f64 / corner.exp()).powi(2)).log2(),
            _ => 0.0,
        }
    }

    /// Slope of that level over each parameter.
    pub(crate) fn slopes_db(self, parameters: &[f64], number: usize) -> impl Iterator<Item = f64> {
        (0..parameters.len()).map(move |n| {
            let moved = |by: f64| {
                let mut parameters = parameters.to_vec();
                parameters[n] += by;
                self.level_db(&parameters, number)
            };
            (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
        })
    }
}

/// The Fourier coefficient in closed form: the integrals of both pieces over the period.
fn cosine_db(opening: f64, closing: f64, number: usize) -> f64 {
    let (opening, closing) = (opening.clamp(OPENING.0, OPENING.1), closing.clamp(CLOSING.0, CLOSING.1));
    let w = TAU * number as f64 * OFF;
    let (rise, fall) = (PI / opening, PI / (2.0 * closing));
    let opened = Complex64::cis(-w * opening);
    let opens = (1.0 + opened) * (rise * rise / 2.0 / (rise * rise - w * w));
    let closes = opened * (fall - Complex64::i() * w * Complex64::cis(-w * closing)) * (-fall / (fall * fall - w * w));
    20.0 * ((opens + closes).norm() + SMALLEST).log10()
}

/// The same of `2 t - 3 t^2`.
fn polynomial_db(open: f64, number: usize) -> f64 {
    let w = TAU * number as f64 * open.clamp(OPEN.0, OPEN.1);
    let (end, i) = (Complex64::cis(-w), Complex64::i());
    let linear = (end * (1.0 + i * w) - 1.0) / (w * w);
    let square = end * (i / w + 2.0 / (w * w) - 2.0 * i / w.powi(3)) + 2.0 * i / w.powi(3);
    20.0 * ((2.0 * linear - 3.0 * square).norm() + SMALLEST).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level of a harmonic of a pulse, a function of the share of the period, by summation.
    fn summed_db(pulse: impl Fn(f64) -> f64, number: usize) -> f64 {
        let steps = 100_000;
        let sum: Complex64 = (0..steps)
            .map(|n| (f64::from(n) + 0.5) / f64::from(steps))
            .map(|phase| pulse(phase) * Complex64::cis(-TAU * number as f64 * phase) / f64::from(steps))
            .sum();
        20.0 * sum.norm().log10()
    }

    #[test]
    fn closed_forms_are_the_sums_over_the_pulses() {
        let (opening, closing, open) = (0.4, 0.16, 0.6);
        let cosine = |phase: f64| match phase {
            rising if rising < opening => 0.5 * PI / opening * (PI * rising / opening).sin(),
            falling if falling < opening + closing => {
                -0.5 * PI / closing * (0.5 * PI * (falling - opening) / closing).sin()
            }
            _ => 0.0,
        };
        let polynomial = |phase: f64| if phase < open { (2.0 - 3.0 * phase / open) * phase / open / open } else { 0.0 };
        for number in [1, 2, 3, 7, 20] {
            let (db, truth) = (Source::Cosine.level_db(&[opening, closing], number), summed_db(cosine, number));
            assert!((db - truth).abs() < 0.01, "harmonic {number}: {db} instead of {truth}");
            let (db, truth) = (Source::Polynomial.level_db(&[open], number), summed_db(polynomial, number));
            assert!((db - truth).abs() < 0.01, "harmonic {number}: {db} instead of {truth}");
        }
        // Half a period's rise meets the first harmonic in a quotient of two zeros.
        assert!(Source::Cosine.level_db(&[0.5, 0.25], 1).is_finite());
    }

    #[test]
    fn an_even_slope_bends_at_its_corner() {
        let level = |number| Source::Slope.level_db(&[-6.0, 10.0_f64.ln()], number);
        assert!((level(1) - level(2)).abs() < 0.2 && (level(10) + 3.0).abs() < 0.01);
        assert!((level(80) - level(40) + 6.0).abs() < 0.2);
    }

    #[test]
    fn slopes_are_those_of_the_level() {
        let slope = Source::Slope.slopes_db(&[-6.0, -20.0], 4).next().unwrap();
        assert!((slope - (2.0 + 20.0 / std::f64::consts::LN_2)).abs() < 1e-6, "{slope}");
    }
}
