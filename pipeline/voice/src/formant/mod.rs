//! Formants: resonances of the all-pole model of a frame (Markel and Gray 1976).

mod assignment;
mod fit;
mod harmonic_model;
mod pole;
mod prediction;
mod resample;
mod source;
mod source_filter;

use realfft::num_complex::Complex64;

pub(crate) use assignment::{FORMANTS, Formants, assign};
pub(crate) use fit::Harmonics;
pub(crate) use harmonic_model::{Correction, HarmonicModel};
pub(crate) use prediction::levinson;
use prediction::{ORDER, find_roots, predict, starting_roots};
use resample::{FORMANT_RATE, FrameResampler};
pub(crate) use source_filter::fit_run;

/// Half of a 25 ms frame at 11 kHz.
const HALF: usize = 137;
const PRE_EMPHASIS: f64 = 0.97;
/// Highest harmonic that a formant is corrected by: the resampler's edge.
const HIGHEST_HZ: f64 = 5_400.0;
/// Resonances that are wider or lower are the spectrum's tilt, not formants...
const WIDEST_HZ: f64 = 700.0;
const LOWEST_HZ: f64 = 90.0;
/// ...but for a third formant that is damped: dropped, it would leave its place to the fourth. Resonances up to this wide
/// count where they lie high enough to be one, at this many times their bandwidth; the tilt lies lower.
const WIDEST_DAMPED_HZ: f64 = 1200.0;
const LEAST_QUALITY: f64 = 2.0;

/// A resonance of the vocal tract.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Resonance {
    pub(crate) hz: f64,
    pub(crate) bandwidth_hz: f64,
}

/// Measures the resonances of frames.
#[derive(Debug)]
pub(crate) struct FormantFinder {
    resampler: FrameResampler,
    window: Vec<f64>,
    resampled: Vec<f32>,
    frame: Vec<f64>,
    roots: [Complex64; ORDER],
}

impl FormantFinder {
    pub(crate) fn new() -> Self {
        let length = 2 * HALF + 1;
        let window =
            (0..length).map(|n| 0.54 - 0.46 * (std::f64::consts::TAU * n as f64 / (length - 1) as f64).cos()).collect();
        FormantFinder {
            // One sample more on each side: pre-emphasis needs the one before the first.
            resampler: FrameResampler::new(HALF + 1),
            window,
            resampled: vec![0.0; length + 2],
            frame: vec![0.0; length],
            roots: starting_roots(),
        }
    }

    /// Replaces `found` by the frame's resonances in order of frequency.
    pub(crate) fn find(&mut self, samples: &[f32], frame: usize, found: &mut Vec<Resonance>) {
        found.clear();
        self.resampler.resample(samples, frame, &mut self.resampled);
        for ((x, pair), w) in self.frame.iter_mut().zip(self.resampled.windows(2)).zip(&self.window) {
            *x = w * (f64::from(pair[1]) - PRE_EMPHASIS * f64::from(pair[0]));
        }
        let Some(coefficients) = predict(&self.frame) else { return };
        // The neighbouring frame's roots are a good start; where they are not, a neutral one is.
        if !find_roots(&coefficients, &mut self.roots) {
            self.roots = starting_roots();
            if !find_roots(&coefficients, &mut self.roots) {
                self.roots = starting_roots();
                return;
            }
        }
        found.extend(self.roots.iter().filter_map(|root| candidate(*root)));
        found.sort_by(|a, b| a.hz.total_cmp(&b.hz));
    }

    /// Forgets the previous frame, so that a run's result does not depend on what came before it.
    pub(crate) fn restart(&mut self) {
        self.roots = starting_roots();
    }
}

/// The resonance that a root of the model stands for; `None` for the lower half of a pair and for the spectrum's tilt.
fn resonance(root: Complex64) -> Option<Resonance> {
    candidate(root).filter(|found| found.bandwidth_hz <= WIDEST_HZ)
}

/// The same, with damped formants among them.
fn candidate(root: Complex64) -> Option<Resonance> {
    let hz = root.arg() * FORMANT_RATE / std::f64::consts::TAU;
    let bandwidth_hz = -root.norm().ln() * FORMANT_RATE / std::f64::consts::PI;
    let widest = WIDEST_DAMPED_HZ.min(hz / LEAST_QUALITY).max(WIDEST_HZ);
    let is_formant = hz >= LOWEST_HZ && (0.0..=widest).contains(&bandwidth_hz);
    is_formant.then_some(Resonance { hz, bandwidth_hz })
}
