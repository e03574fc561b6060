//! Harmonics-to-noise ratio: how much of a voiced frame repeats.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::frame::{HOP, copy_samples, dot};
use crate::interpolation::{PeakRefiner, REACH, parabola};

/// Samples of a frame: 40 ms, long enough for two periods of 60 Hz, short enough that a gliding pitch is no noise.
const FRAME: usize = 640;
/// The frame's middle lies 5 ms before its time stamp. The field's series (Praat's, by cross-correlation from 60 Hz up)
/// describe the sound 3 ms before it for a voice of 100 Hz, 6 ms for one of 200 Hz: half the longest lag minus half the
/// period.
const LEAD: isize = 80;
/// Standard deviation of the Gaussian window as a share of its half length.
const SIGMA: f64 = 0.4;
/// Lags at which a repetition is looked for, in samples: up to the period of 60 Hz.
const LAGS: std::ops::RangeInclusive<usize> = 2..=266;
/// Samples of the transform: the frame and the longest lag with what the interpolation reaches fit in without wrapping.
const FFT: usize = 1024;
/// Place of lag 0 in the curve: the interpolation reaches below the shortest lag.
const ORIGIN: usize = REACH;
/// Where less than this share of the energy overlaps, nothing can be said.
const LEAST_OVERLAP: f32 = 1e-3;
/// Correlations are kept inside these bounds: -30 dB, and 60 dB, which is what `f32` resolves.
const CORRELATION_RANGE: (f64, f64) = (1e-3, 1.0 - 1e-6);

/// Measures the harmonics-to-noise ratio of frames.
pub(crate) struct HnrMeter {
    window: Vec<f32>,
    refiner: PeakRefiner,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window_spectrum: Vec<Complex32>,
    /// The frame under its window, then its autocorrelation.
    windowed: Vec<f32>,
    /// The frame's energy under the window, then its correlation with the window: what overlaps at each lag.
    energy: Vec<f32>,
    spectrum: Vec<Complex32>,
    /// Normalised autocorrelation from lag `-ORIGIN` on.
    curve: Vec<f32>,
}

impl std::fmt::Debug for HnrMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HnrMeter").finish_non_exhaustive()
    }
}

impl HnrMeter {
    pub(crate) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(FFT), planner.plan_fft_inverse(FFT));
        let window = gaussian(FRAME, SIGMA);
        let mut padded = window.clone();
        padded.resize(FFT, 0.0);
        let mut window_spectrum = forward.make_output_vec();
        transform(forward.as_ref(), &mut padded, &mut window_spectrum);
        HnrMeter {
            window,
            refiner: PeakRefiner::new(),
            window_spectrum,
            windowed: vec![0.0; FFT],
            energy: vec![0.0; FFT],
            spectrum: forward.make_output_vec(),
            curve: vec![0.0; ORIGIN + LAGS.end() + REACH + 1],
            forward,
            inverse,
        }
    }

    /// Ratio in dB in the frame around time stamp `frame`: `10 log10(r / (1 - r))` with r the highest peak of the
    /// autocorrelation of the windowed frame (Boersma 1993), of which the period's is the highest where a voice is steady.
    ///
    /// The paper divides it by the autocorrelation of the window. That takes the frame's level for constant; here the
    /// window's share is weighted with the frame's own energy, which is the same for a steady voice and does not count
    /// the rise and fall of a syllable as noise.
    ///
    /// The peak is looked for at every lag, as the field's series do, and not at the measured period alone: a voice whose
    /// periods alternate repeats after two of them, and in weak or fast changing sound the clearest repetition is a
    /// formant's. On constructed vowels the two differ by 0.5 dB at 0 dB and by 0.3 dB from 10 dB up.
    pub(crate) fn measure(&mut self, samples: &[f32], frame: usize) -> f64 {
        self.correlate(samples, frame);
        let peak = LAGS
            .map(|lag| ORIGIN + lag)
            .filter_map(|k| {
                let [left, here, right] = [self.curve[k - 1], self.curve[k], self.curve[k + 1]];
                let is_peak = here > 0.0 && here > left && here >= right;
                is_peak.then(|| (k, parabola(left.into(), here.into(), right.into()).1))
            })
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        let height = peak.map_or(0.0, |(k, _)| self.refiner.refine(&self.curve, k).1);
        // Interpolation can overshoot 1: such a peak is as far from perfect as its inverse.
        let r = if height > 1.0 { 1.0 / height } else { height };
        let r = r.clamp(CORRELATION_RANGE.0, CORRELATION_RANGE.1);
        10.0 * (r / (1.0 - r)).log10()
    }

    /// Fills the curve: at each lag the product of the windowed frame with itself over the energies that overlap.
    fn correlate(&mut self, samples: &[f32], frame: usize) {
        self.windowed[FRAME..].fill(0.0);
        self.energy[FRAME..].fill(0.0);
        let (windowed, energy) = (&mut self.windowed[..FRAME], &mut self.energy[..FRAME]);
        copy_samples(samples, (frame * HOP) as isize - (FRAME / 2) as isize - LEAD, energy);
        let mean = dot(energy, &self.window) / self.window.iter().sum::<f32>();
        for ((y, x), w) in windowed.iter_mut().zip(energy).zip(&self.window) {
            let centred = *x - mean;
            *y = centred * w;
            *x = *y * centred;
        }
        transform(self.forward.as_ref(), &mut self.windowed, &mut self.spectrum);
        for bin in &mut self.spectrum {
            *bin = Complex32::new(bin.norm_sqr(), 0.0);
        }
        transform_back(self.inverse.as_ref(), &mut self.spectrum, &mut self.windowed);
        transform(self.forward.as_ref(), &mut self.energy, &mut self.spectrum);
        for (bin, window) in self.spectrum.iter_mut().zip(&self.window_spectrum) {
            *bin = bin.conj() * window;
        }
        transform_back(self.inverse.as_ref(), &mut self.spectrum, &mut self.energy);
        let least = (LEAST_OVERLAP * self.energy[0]).max(f32::MIN_POSITIVE.sqrt());
        for (k, r) in self.curve.iter_mut().enumerate() {
            let lag = k.abs_diff(ORIGIN);
            // Of the earlier samples of all pairs, and of the later ones.
            let (early, late) = (self.energy[lag], self.energy[(FFT - lag) % FFT]);
            *r = if early.min(late) < least { 0.0 } else { self.windowed[lag] / (early * late).sqrt() };
        }
    }
}

/// Transform whose buffers have the lengths that it was planned for: it cannot fail.
fn transform(plan: &dyn RealToComplex<f32>, samples: &mut [f32], spectrum: &mut [Complex32]) {
    let done = plan.process(samples, spectrum);
    debug_assert!(done.is_ok(), "{done:?}");
}

/// Inverse of [`transform`], `FFT` times too large. The first and the last bin count as real.
fn transform_back(plan: &dyn ComplexToReal<f32>, spectrum: &mut [Complex32], samples: &mut [f32]) {
    for end in [0, spectrum.len() - 1] {
        spectrum[end].im = 0.0;
    }
    let done = plan.process(spectrum, samples);
    debug_assert!(done.is_ok(), "{done:?}");
}

/// Gaussian window whose standard deviation is `sigma` times its half length.
pub(crate) fn gaussian(length: usize, sigma: f64) -> Vec<f32> {
    let half = length as f64 / 2.0;
    (0..length).map(|n| (-0.5 * ((n as f64 + 0.5 - half) / (sigma * half)).powi(2)).exp() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::RATE;

    fn tone_in_noise(noise_db: f64) -> Vec<f32> {
        let mut seed = 7_u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(seed >> 8) / f64::from(1 << 24) - 0.5
        };
        // A sine of amplitude 1 has power 1/2, the noise 1/12.
        let scale = (6.0 * 10_f64.powf(-noise_db / 10.0)).sqrt();
        (0..16_000)
            .map(|n| ((std::f64::consts::TAU * 150.0 * f64::from(n) / RATE).sin() + scale * noise()) as f32)
            .collect()
    }

    #[test]
    fn a_tone_in_noise_shows_its_ratio() {
        // Of several repetitions in as much noise as tone, the highest lies above the ratio.
        for (ratio, tolerance) in [(0.0, 2.0), (10.0, 1.0), (20.0, 1.0)] {
            let samples = tone_in_noise(ratio);
            let mut meter = HnrMeter::new();
            let mean = (20..80).map(|frame| meter.measure(&samples, frame)).sum::<f64>() / 60.0;
            assert!((mean - ratio).abs() < tolerance, "{mean} dB instead of {ratio}");
        }
    }

    #[test]
    fn periods_that_alternate_are_no_noise() {
        // A weak tone an octave below makes every second period another.
        let samples: Vec<f32> = (0..16_000)
            .map(|n| {
                let phase = std::f64::consts::TAU * 100.0 * f64::from(n) / RATE;
                (0.2 * phase.sin() + (2.0 * phase).sin()) as f32
            })
            .collect();
        assert!(HnrMeter::new().measure(&samples, 50) > 30.0);
    }

    #[test]
    fn silence_is_finite() {
        assert!(HnrMeter::new().measure(&[0.0; 1600], 5).is_finite());
    }
}
