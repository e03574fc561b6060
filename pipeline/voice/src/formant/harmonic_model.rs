//! Resonances of the all-pole model that passes through a voiced frame's harmonics.
//!
//! Plain linear prediction pulls a low formant to the nearest harmonic, for it takes the harmonics themselves for
//! resonances. The discrete model knows that the spectrum is seen at the harmonics alone: A. El-Jaroudi and J. Makhoul,
//! "Discrete all-pole modeling", IEEE Transactions on Signal Processing 39(2), 1991. By itself it is unsteady on real
//! speech, so it only corrects the formants that prediction found. Made sounds have it where [`super::source_filter`] has no model
//! of them.

use realfft::num_complex::Complex64;

use super::assignment::Formants;
use super::prediction::{ORDER, REGULARISATION, find_roots, levinson, starting_roots};
use super::resample::FORMANT_RATE;
use super::{HIGHEST_HZ, PRE_EMPHASIS, Resonance, resonance};

/// Coefficients of the model, the first one included.
const TERMS: usize = ORDER + 1;
/// Rounds of the iteration; the formants move little after these.
const ROUNDS: usize = 10;
/// Share of each round's step, as in the paper.
const STEP: f64 = 0.5;
/// A resonance of the model further off than this (natural logarithm of the ratio) is another one.
const SAME_FORMANT: f64 = 0.2;

/// How far formants are moved to what the harmonics show, and how these are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Correction {
    /// Share of the way.
    share: f64,
    /// What the first harmonic lacks in dB of the even slope of 12 dB an octave that pre-emphasis takes for the source's,
    /// and gets back here.
    first_harmonic_db: f64,
}

impl Correction {
    /// Of a made sound, whose harmonics are exact. Pulses of the glottis have a first harmonic about as strong as the second
    /// once what the mouth adds is taken off (0.9 dB, A. E. Rosenberg, "Effect of glottal pulse shape on the quality of natural
    /// vowels", JASA 49, 1971; a few dB above it in the women of H. M. Hanson, JASA 101, 1997), not 6 dB: a first formant
    /// between the two would be taken for one near the second.
    pub(crate) const MADE: Correction = Correction { share: 1.0, first_harmonic_db: 3.0 };
    /// Of real speech, whose harmonics are noisy and whose voices differ more than that: the mean of both ways is steadier.
    pub(crate) const SPOKEN: Correction = Correction { share: 0.5, first_harmonic_db: 0.0 };
}

/// Corrects formants by the harmonics of their frame.
#[derive(Debug, Default)]
pub(crate) struct HarmonicModel {
    /// Each harmonic's powers `e^(-i w k)`, k from 0.
    turns: Vec<[Complex64; TERMS]>,
    power: Vec<f64>,
}

impl HarmonicModel {
    /// Moves each formant towards the resonance that the harmonics show near it. `level_db` is the level of the harmonic of
    /// a number, `None` beyond the spectrum.
    pub(crate) fn correct(
        &mut self,
        f0_hz: f64,
        level_db: impl Fn(usize) -> Option<f64>,
        Correction { share, first_harmonic_db }: Correction,
        formants: &mut Formants,
    ) {
        self.take(f0_hz, |number| level_db(number).map(|db| if number == 1 { db + first_harmonic_db } else { db }));
        let Some(coefficients) = self.fit() else { return };
        let mut roots = starting_roots();
        if !find_roots(&coefficients, &mut roots) {
            return;
        }
        let resonances: Vec<Resonance> = roots.iter().filter_map(|root| resonance(*root)).collect();
        for formant in formants.iter_mut().flatten() {
            let away = |r: &Resonance| (r.hz / formant.hz).ln().abs();
            if let Some(near) = resonances.iter().min_by(|a, b| away(a).total_cmp(&away(b)))
                && away(near) < SAME_FORMANT
            {
                formant.hz += share * (near.hz - formant.hz);
                formant.bandwidth_hz += share * (near.bandwidth_hz - formant.bandwidth_hz);
            }
        }
    }

    /// Takes the harmonics' powers, pre-emphasised as prediction's frames are.
    fn take(&mut self, f0_hz: f64, level_db: impl Fn(usize) -> Option<f64>) {
        self.turns.clear();
        self.power.clear();
        for number in 1..=(HIGHEST_HZ / f0_hz) as usize {
            let Some(level) = level_db(number) else { break };
            let turn = Complex64::cis(-std::f64::consts::TAU * number as f64 * f0_hz / FORMANT_RATE);
            let mut turns = [Complex64::ONE; TERMS];
            for k in 1..TERMS {
                turns[k] = turns[k - 1] * turn;
            }
            self.power.push(10.0_f64.powf(level / 10.0) * (1.0 - PRE_EMPHASIS * turn).norm_sqr());
            self.turns.push(turns);
        }
    }

    /// Coefficients as [`find_roots`] takes them; `None` where the harmonics are too few.
    fn fit(&self) -> Option<[f64; ORDER]> {
        let count = self.turns.len() as f64;
        let mean = |value: &dyn Fn(usize) -> f64| (0..self.turns.len()).map(value).sum::<f64>() / count;
        let mut r: [f64; TERMS] = std::array::from_fn(|k| mean(&|m| self.power[m] * self.turns[m][k].re));
        if self.turns.len() * 2 <= TERMS || r[0] <= f64::MIN_POSITIVE {
            return None;
        }
        let scale = r[0];
        r = r.map(|value| value / scale);
        let mut prediction = [0.0; ORDER];
        let error = levinson(&mut r, REGULARISATION, &mut prediction);
        let factor = Cholesky::of(&r)?;
        let gain = error.max(f64::MIN_POSITIVE).sqrt();
        let mut a: [f64; TERMS] = std::array::from_fn(|k| if k == 0 { 1.0 } else { -prediction[k - 1] } / gain);
        for _ in 0..ROUNDS {
            // The model's impulse response as the harmonics show it, backwards in time.
            let mut response = [0.0; TERMS];
            for turns in &self.turns {
                let denominator: Complex64 = turns.iter().zip(&a).map(|(turn, a)| turn * a).sum();
                let inverse = denominator.inv();
                for (h, turn) in response.iter_mut().zip(turns) {
                    *h += (turn * inverse).re / count;
                }
            }
            let next = factor.solve(response);
            for (a, next) in a.iter_mut().zip(next) {
                *a += (next - *a) * STEP;
            }
        }
        let found = std::array::from_fn(|k| -a[k + 1] / a[0]);
        found.iter().all(|value: &f64| value.is_finite()).then_some(found)
    }
}

/// The lower factor of a symmetric Toeplitz matrix.
struct Cholesky([[f64; TERMS]; TERMS]);

impl Cholesky {
    /// `None` where the matrix that `first_row` makes is not positive definite.
    fn of(first_row: &[f64; TERMS]) -> Option<Cholesky> {
        let mut l = [[0.0; TERMS]; TERMS];
        for i in 0..TERMS {
            for j in 0..=i {
                let rest = first_row[i - j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
                if i == j {
                    if rest <= 0.0 {
                        return None;
                    }
                    l[i][i] = rest.sqrt();
                } else {
                    l[i][j] = rest / l[j][j];
                }
            }
        }
        Some(Cholesky(l))
    }

    fn solve(&self, mut b: [f64; TERMS]) -> [f64; TERMS] {
        let l = &self.0;
        for i in 0..TERMS {
            b[i] = (b[i] - (0..i).map(|k| l[i][k] * b[k]).sum::<f64>()) / l[i][i];
        }
        for i in (0..TERMS).rev() {
            b[i] = (b[i] - (i + 1..TERMS).map(|k| l[k][i] * b[k]).sum::<f64>()) / l[i][i];
        }
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level of a harmonic under three resonances of 80 Hz at an 11 kHz rate, without pre-emphasis.
    fn level(hz: f64, formants: [f64; 3]) -> f64 {
        let at = |hz: f64| Complex64::cis(-std::f64::consts::TAU * hz / FORMANT_RATE);
        let radius = (-std::f64::consts::PI * 80.0 / FORMANT_RATE).exp();
        let gain = |f: f64| {
            let z = at(hz);
            (1.0 - radius * at(f) * z).norm() * (1.0 - radius * at(f).conj() * z).norm()
        };
        let emphasis = (1.0 - PRE_EMPHASIS * at(hz)).norm();
        -20.0 * (formants.map(gain).into_iter().product::<f64>() * emphasis).log10()
    }

    #[test]
    fn a_formant_between_two_harmonics_is_found_halfway() {
        let truth = [310.0, 900.0, 2300.0];
        // Linear prediction hears the second harmonic.
        let mut formants = [360.0, 915.0, 2290.0].map(|hz| Some(Resonance { hz, bandwidth_hz: 50.0 }));
        let heard = formants;
        HarmonicModel::default().correct(
            180.0,
            |n| Some(level(180.0 * n as f64, truth)),
            Correction::SPOKEN,
            &mut formants,
        );
        for ((found, heard), truth) in formants.iter().zip(heard).zip(truth) {
            let (found, middle) = (found.unwrap().hz, f64::midpoint(heard.unwrap().hz, truth));
            assert!((found - middle).abs() < 0.02 * middle, "{found} instead of {middle}");
        }
    }

    #[test]
    fn a_made_pulse_with_a_weak_first_harmonic_does_not_hide_a_formant_between_two() {
        let truth = [310.0, 900.0, 2300.0];
        let levels = |n: usize| Some(level(180.0 * n as f64, truth) - if n == 1 { 3.0 } else { 0.0 });
        let heard = [360.0, 915.0, 2290.0].map(|hz| Some(Resonance { hz, bandwidth_hz: 50.0 }));
        let first = |correction| {
            let mut formants = heard;
            HarmonicModel::default().correct(180.0, levels, correction, &mut formants);
            formants[0].unwrap().hz
        };
        let (made, uneven) = (first(Correction::MADE), first(Correction { share: 1.0, first_harmonic_db: 0.0 }));
        assert!((made - truth[0]).abs() < 0.02 * truth[0] && uneven > 1.05 * truth[0], "{made}, {uneven} without");
    }

    #[test]
    fn too_few_or_no_harmonics_change_nothing() {
        let before = [Some(Resonance { hz: 500.0, bandwidth_hz: 50.0 }), None, None];
        for level in [None, Some(f64::NEG_INFINITY)] {
            let mut formants = before;
            HarmonicModel::default().correct(200.0, |_| level, Correction::SPOKEN, &mut formants);
            assert_eq!(formants, before);
        }
        let mut formants = before;
        HarmonicModel::default().correct(1000.0, |_| Some(-20.0), Correction::SPOKEN, &mut formants);
        assert_eq!(formants, before);
    }
}
