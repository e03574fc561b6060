use std::f64::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::path::{Candidate, MAX_CANDIDATES};
use crate::VoiceSettings;
use crate::frame::{HOP, RATE, copy_samples, remove_mean};
use crate::interpolation::{PeakRefiner, REACH};

/// Periods of the lowest pitch in a window: with three, a Hann window gives an unbiased autocorrelation (Boersma 1993,
/// section 3).
const PERIODS: f64 = 3.0;
/// Advantage of a candidate for each octave that it is higher: keeps a voice whose periods alternate from being heard an
/// octave low. More than the paper's 0.01, for two per cent of alternating jitter take 0.045 from the true period.
const OCTAVE_COST: f32 = 0.055;
/// Pitch at which a candidate has neither advantage nor disadvantage over unvoiced: the middle of adult voices.
const OCTAVE_COST_ORIGIN_HZ: f32 = 200.0;
/// Pitch above which the advantage grows no more: a first formant at 400 to 600 Hz looks like a high voice.
const OCTAVE_COST_CEILING_HZ: f32 = 300.0;

/// Disadvantage of a candidate that is an octave below another and has no odd harmonics of its own.
const SUBHARMONIC_COST: f32 = 0.2;
/// Odd harmonics that are looked at. Each is held against its even neighbours, so that a formant near one of the latter
/// does not hide it: at 300 Hz with a formant at 610 Hz, the first one is 18 dB below the second.
const ODD_HARMONICS: [u8; 4] = [1, 3, 5, 7];
/// Level of the odd harmonics (mean, natural logarithm of power) below which a candidate has none of its own: -18 dB.
/// Two per cent of alternating jitter give them -36, -26, -22 and -19 dB, 0.8 dB of alternating amplitude -27 dB.
const ODD_LEVEL: f32 = -4.1;
/// Two candidates are an octave apart within this share.
const OCTAVE_TOLERANCE: f32 = 0.05;

/// Finds where the autocorrelation of a frame peaks.
pub(crate) struct CandidateFinder {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    /// Inverse of the window's own normalised autocorrelation, for each lag.
    correction: Vec<f32>,
    shortest_lag: usize,
    longest_lag: usize,
    floor_hz: f32,
    ceiling_hz: f32,
    /// Correlations below this are no candidates.
    weakest: f32,
    refiner: PeakRefiner,
    padded: Vec<f32>,
    spectrum: Vec<Complex32>,
    /// Power of each bin.
    power: Vec<f32>,
    /// Normalised autocorrelation from lag `-REACH` on.
    correlation: Vec<f32>,
}

impl std::fmt::Debug for CandidateFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CandidateFinder").field("window", &self.window.len()).finish_non_exhaustive()
    }
}

impl CandidateFinder {
    pub(crate) fn new(settings: &VoiceSettings) -> Self {
        let length = 2 * (PERIODS * RATE / f64::from(settings.pitch_floor_hz) / 2.0).round() as usize;
        let window: Vec<f32> =
            (0..length).map(|n| (0.5 - 0.5 * (2.0 * PI * (n as f64 + 0.5) / length as f64).cos()) as f32).collect();
        let longest_lag = (RATE / f64::from(settings.pitch_floor_hz)).floor() as usize;
        let lags = longest_lag + REACH + 1;
        // Long enough that lags do not wrap around; a multiple of 128 transforms fast.
        let fft = (length + lags).next_multiple_of(128);
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(fft);
        let spectrum = forward.make_output_vec();
        let mut finder = CandidateFinder {
            inverse: planner.plan_fft_inverse(fft),
            forward,
            correction: vec![1.0; lags],
            shortest_lag: (RATE / f64::from(settings.pitch_ceiling_hz)).floor().max(2.0) as usize,
            longest_lag,
            floor_hz: settings.pitch_floor_hz,
            ceiling_hz: settings.pitch_ceiling_hz,
            weakest: 0.5 * settings.voicing_threshold,
            refiner: PeakRefiner::new(),
            padded: vec![0.0; fft],
            power: vec![0.0; spectrum.len()],
            spectrum,
            correlation: vec![0.0; REACH + lags],
            window,
        };
        finder.padded[..length].copy_from_slice(&finder.window);
        finder.correlate();
        finder.correction = finder.correlation[REACH..].iter().map(|r| 1.0 / r).collect();
        finder
    }

    /// Adds the frame's voiced candidates, fewer than [`MAX_CANDIDATES`]; returns the highest amplitude of the period
    /// around its centre, so that a loud neighbour does not hide a pause.
    pub(crate) fn find(&mut self, samples: &[f32], frame: usize, found: &mut Vec<Candidate>) -> f32 {
        let length = self.window.len();
        let start = (frame * HOP) as isize - length as isize / 2;
        let segment = &mut self.padded[..length];
        copy_samples(samples, start, segment);
        remove_mean(segment);
        let middle = length / 2 - self.longest_lag / 2..length / 2 + self.longest_lag / 2;
        let peak = segment[middle].iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
        for (x, w) in segment.iter_mut().zip(&self.window) {
            *x *= w;
        }
        self.padded[length..].fill(0.0);
        if peak > 0.0 && self.correlate() {
            self.collect(found);
        }
        peak
    }

    /// Normalised, window-corrected autocorrelation of `padded`; false where there is no energy.
    fn correlate(&mut self) -> bool {
        // The buffers have the plans' own lengths, so neither transform can fail.
        if self.forward.process(&mut self.padded, &mut self.spectrum).is_err() {
            return false;
        }
        for (bin, power) in self.spectrum.iter_mut().zip(&mut self.power) {
            *power = bin.norm_sqr();
            *bin = Complex32::new(*power, 0.0);
        }
        if self.inverse.process(&mut self.spectrum, &mut self.padded).is_err() || self.padded[0] <= f32::MIN_POSITIVE {
            return false;
        }
        let scale = 1.0 / self.padded[0];
        for (lag, correction) in self.correction.iter().enumerate() {
            self.correlation[REACH + lag] = self.padded[lag] * scale * correction;
        }
        for lag in 1..=REACH {
            self.correlation[REACH - lag] = self.correlation[REACH + lag];
        }
        true
    }

    fn collect(&self, found: &mut Vec<Candidate>) {
        for lag in self.shortest_lag..=self.longest_lag {
            let at = REACH + lag;
            let [before, here, after] = [self.correlation[at - 1], self.correlation[at], self.correlation[at + 1]];
            if here < self.weakest || here < before || here <= after {
                continue;
            }
            let (position, height) = self.refiner.refine(&self.correlation, at);
            let period = position - REACH as f64;
            let f0_hz = (RATE / period) as f32;
            if f0_hz < self.floor_hz || f0_hz > self.ceiling_hz {
                continue;
            }
            // Interpolation can overshoot 1: such a peak is as far from perfect as its inverse (Boersma 1993).
            let height = if height > 1.0 { 1.0 / height } else { height } as f32;
            let octaves = (f0_hz.min(OCTAVE_COST_CEILING_HZ) / OCTAVE_COST_ORIGIN_HZ).log2();
            found.push(Candidate { f0_hz, strength: height + OCTAVE_COST * octaves });
        }
        for low in 0..found.len() {
            let octave = 2.0 * found[low].f0_hz;
            let above = found.iter().any(|high| (high.f0_hz / octave - 1.0).abs() < OCTAVE_TOLERANCE);
            if above && self.is_subharmonic(found[low].f0_hz) {
                found[low].strength -= SUBHARMONIC_COST;
            }
        }
        if found.len() >= MAX_CANDIDATES {
            found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
            found.truncate(MAX_CANDIDATES - 1);
        }
    }

    /// Whether the odd ones among the lowest harmonics of a pitch are missing.
    fn is_subharmonic(&self, f0_hz: f32) -> bool {
        let bins_a_harmonic = f0_hz * self.padded.len() as f32 / RATE as f32;
        let level = |number: u8| {
            let bin = (f32::from(number) * bins_a_harmonic).round() as usize;
            self.power[bin].max(f32::MIN_POSITIVE).ln()
        };
        let over_neighbours = ODD_HARMONICS.map(|number| {
            let below = if number > 1 { level(number - 1) } else { level(2) };
            level(number) - f32::midpoint(below, level(number + 1))
        });
        over_neighbours.iter().sum::<f32>() / (ODD_HARMONICS.len() as f32) < ODD_LEVEL
    }
}
