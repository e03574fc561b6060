//! Harmonics-to-noise ratio: how much of a voiced frame repeats after one period.

use crate::frame::{HOP, RATE, copy_samples, dot};
use crate::interpolation::{PeakRefiner, REACH};

/// Samples of a frame: 40 ms, long enough for two periods of 60 Hz, short enough that a gliding pitch is no noise.
const FRAME: usize = 640;
/// The frame's middle lies 2 ms before its time stamp. The field's series (Praat's, by cross-correlation from 60 Hz up)
/// describe the sound 3 ms before it for a voice of 100 Hz, 6 ms for one of 200 Hz: half the longest lag minus half the
/// period. A part of that brings the two together and is a twentieth of the frame.
const LEAD: isize = 32;
/// Standard deviation of the Gaussian window as a share of its half length.
const SIGMA: f64 = 0.4;
/// Two periods of at most this many samples are compared too.
const LONGEST_DOUBLE: f64 = 0.4 * FRAME as f64;
/// The peak is looked for this many samples to each side of the period.
const SEARCH: usize = 6;
/// Place of the period in the curve around it: the interpolation reaches beyond the outermost peak.
const MIDDLE: usize = REACH + SEARCH;
/// Correlations are kept inside these bounds: -30 dB, and 60 dB, which is what `f32` resolves.
const CORRELATION_RANGE: (f64, f64) = (1e-3, 1.0 - 1e-6);

/// Measures the harmonics-to-noise ratio of frames.
#[derive(Debug)]
pub(crate) struct HnrMeter {
    window: Vec<f32>,
    refiner: PeakRefiner,
    /// The frame under its window, and under the window times itself.
    windowed: Vec<f32>,
    energy: Vec<f32>,
}

impl HnrMeter {
    pub(crate) fn new() -> Self {
        HnrMeter {
            window: gaussian(FRAME, SIGMA),
            refiner: PeakRefiner::new(),
            windowed: vec![0.0; FRAME],
            energy: vec![0.0; FRAME],
        }
    }

    /// Ratio in dB in the frame around time stamp `frame`, whose pitch is `f0_hz`: `10 log10(r / (1 - r))` with r the
    /// autocorrelation of the windowed frame at the period (Boersma 1993).
    ///
    /// The paper divides it by the autocorrelation of the window. That takes the frame's level for constant; here the
    /// window's share is weighted with the frame's own energy, which is the same for a steady voice and does not count
    /// the rise and fall of a syllable as noise.
    pub(crate) fn measure(&mut self, samples: &[f32], frame: usize, f0_hz: f64) -> f64 {
        copy_samples(samples, (frame * HOP) as isize - (FRAME / 2) as isize - LEAD, &mut self.energy);
        let mean = dot(&self.energy, &self.window) / self.window.iter().sum::<f32>();
        for ((y, x), w) in self.windowed.iter_mut().zip(&mut self.energy).zip(&self.window) {
            let centred = *x - mean;
            *y = centred * w;
            *x = *y * centred;
        }
        let period = RATE / f0_hz;
        let at_period = self.repetition(period);
        // A voice whose periods alternate repeats after two of them: the clearer repetition counts, as in the paper, where
        // the frame holds enough of both.
        let at_two = if 2.0 * period <= LONGEST_DOUBLE { self.repetition(2.0 * period) } else { 0.0 };
        let r = at_period.max(at_two).clamp(CORRELATION_RANGE.0, CORRELATION_RANGE.1);
        10.0 * (r / (1.0 - r)).log10()
    }

    /// Height of the correlation's peak near a lag in samples.
    fn repetition(&self, lag: f64) -> f64 {
        let first = lag.round() as isize - MIDDLE as isize;
        let mut curve = [0.0_f32; 2 * MIDDLE + 1];
        for (offset, r) in curve.iter_mut().enumerate() {
            *r = self.correlation((first + offset as isize).unsigned_abs());
        }
        let mut peak = MIDDLE;
        while peak < MIDDLE + SEARCH - 1 && curve[peak + 1] > curve[peak] {
            peak += 1;
        }
        while peak > MIDDLE + 1 - SEARCH && curve[peak - 1] > curve[peak] {
            peak -= 1;
        }
        let height = self.refiner.refine(&curve, peak).1;
        // Interpolation can overshoot 1: such a peak is as far from perfect as its inverse.
        if height > 1.0 { 1.0 / height } else { height }
    }

    /// Correlation of the windowed frame with itself `lag` samples later, -1..1.
    fn correlation(&self, lag: usize) -> f32 {
        if lag >= FRAME {
            return 0.0;
        }
        let early = dot(&self.energy, &self.window[lag..]);
        let late = dot(&self.energy[lag..], &self.window);
        let energies = early * late;
        if energies <= f32::MIN_POSITIVE { 0.0 } else { dot(&self.windowed, &self.windowed[lag..]) / energies.sqrt() }
    }
}

/// Gaussian window whose standard deviation is `sigma` times its half length.
pub(crate) fn gaussian(length: usize, sigma: f64) -> Vec<f32> {
    let half = length as f64 / 2.0;
    (0..length).map(|n| (-0.5 * ((n as f64 + 0.5 - half) / (sigma * half)).powi(2)).exp() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for ratio in [0.0, 10.0, 20.0] {
            let samples = tone_in_noise(ratio);
            let mut meter = HnrMeter::new();
            let mean = (20..80).map(|frame| meter.measure(&samples, frame, 150.0)).sum::<f64>() / 60.0;
            assert!((mean - ratio).abs() < 1.0, "{mean} dB instead of {ratio}");
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
        assert!(HnrMeter::new().measure(&samples, 50, 200.0) > 30.0);
    }

    #[test]
    fn silence_is_finite() {
        assert!(HnrMeter::new().measure(&[0.0; 1600], 5, 100.0).is_finite());
    }
}
