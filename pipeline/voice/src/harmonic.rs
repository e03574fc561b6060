//! Levels of the harmonics of a voiced frame, on 60 ms.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use crate::formant::{FORMANTS, Formants};
use crate::frame::{HOP, RATE, copy_samples, remove_mean};
use crate::hnr::gaussian;
use crate::interpolation::parabola;

/// Samples of a frame: 60 ms.
const FRAME: usize = 960;
/// Standard deviation of the window as a share of its half length.
const SIGMA: f64 = 0.4;
/// Length of the transform: 513 bins of 15.625 Hz.
const FFT: usize = 1024;
const BIN_HZ: f64 = RATE / FFT as f64;
/// Power that keeps the logarithm of an empty bin finite.
const POWER_FLOOR: f32 = 1e-14;

/// Levels of one voiced frame in dB; `None` where the harmonic or the formant is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct HarmonicLevels {
    /// Level of the first harmonic over the second.
    pub(crate) h1_over_h2: Option<f64>,
    /// Level of the first harmonic over the highest one near the third formant.
    pub(crate) h1_over_a3: Option<f64>,
    /// Level of the highest harmonic near each formant over the first harmonic.
    pub(crate) formant_over_h1: [Option<f64>; FORMANTS],
}

/// What a frame is seen through.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Window {
    /// That of the definition.
    Gaussian,
    /// One whose side lobes fall off: weak harmonics far from strong ones keep their level, where the sound is steady.
    Blackman,
}

/// Measures the harmonic levels of frames.
pub(crate) struct HarmonicMeter {
    forward: Arc<dyn RealToComplex<f32>>,
    gaussian: Vec<f32>,
    blackman: Vec<f32>,
    padded: Vec<f32>,
    frame: Vec<f32>,
    spectrum: Vec<Complex32>,
    /// Level of each bin in dB.
    level: Vec<f32>,
}

impl std::fmt::Debug for HarmonicMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HarmonicMeter").finish_non_exhaustive()
    }
}

impl HarmonicMeter {
    pub(crate) fn new() -> Self {
        let forward = RealFftPlanner::new().plan_fft_forward(FFT);
        HarmonicMeter {
            gaussian: gaussian(FRAME, SIGMA),
            blackman: blackman(FRAME),
            padded: forward.make_input_vec(),
            frame: vec![0.0; FRAME],
            spectrum: forward.make_output_vec(),
            level: vec![0.0; FFT / 2 + 1],
            forward,
        }
    }

    /// Takes the spectrum of the frame around time stamp `frame`.
    pub(crate) fn listen(&mut self, samples: &[f32], frame: usize, window: Window) {
        copy_samples(samples, (frame * HOP) as isize - (FRAME / 2) as isize, &mut self.frame);
        remove_mean(&mut self.frame);
        self.transform(window);
    }

    /// Levels in the frame that was taken last, whose pitch is `f0_hz`.
    pub(crate) fn levels(&self, f0_hz: f64, formants: &Formants) -> HarmonicLevels {
        let h1 = self.harmonic_level(f0_hz, 1);
        let over_h1 = |level: Option<f64>| Some(level? - h1?);
        let formant_over_h1 = formants.map(|f| over_h1(f.and_then(|f| self.formant_level(f0_hz, f.hz))));
        HarmonicLevels {
            h1_over_h2: over_h1(self.harmonic_level(f0_hz, 2)).map(|level| -level),
            h1_over_a3: formant_over_h1[2].map(|level| -level),
            formant_over_h1,
        }
    }

    fn transform(&mut self, window: Window) {
        let window = match window {
            Window::Gaussian => &self.gaussian,
            Window::Blackman => &self.blackman,
        };
        for ((padded, x), w) in self.padded.iter_mut().zip(&self.frame).zip(window) {
            *padded = x * w;
        }
        self.padded[FRAME..].fill(0.0);
        // The buffers have the plan's own lengths, so the transform cannot fail.
        if self.forward.process(&mut self.padded, &mut self.spectrum).is_err() {
            self.spectrum.fill(Complex32::ZERO);
        }
        for (level, bin) in self.level.iter_mut().zip(&self.spectrum) {
            *level = 10.0 * bin.norm_sqr().max(POWER_FLOOR).log10();
        }
    }

    /// Level in dB of the interpolated peak near `number` times F0; `None` beyond 8 kHz.
    pub(crate) fn harmonic_level(&self, f0_hz: f64, number: usize) -> Option<f64> {
        let centre = number as f64 * f0_hz / BIN_HZ;
        // A quarter of F0 to each side, so that neighbours are not mistaken for it.
        let reach = 0.25 * f0_hz / BIN_HZ;
        let first = ((centre - reach).ceil() as usize).max(1);
        let last = ((centre + reach).floor() as usize).min(FFT / 2 - 1);
        let peak = (first..=last).max_by(|a, b| self.level[*a].total_cmp(&self.level[*b]))?;
        let [left, here, right] = [peak - 1, peak, peak + 1].map(|bin| f64::from(self.level[bin]));
        Some(parabola(left, here, right).1.max(here))
    }

    /// Level in dB of the highest of the harmonics on both sides of a formant.
    fn formant_level(&self, f0_hz: f64, formant_hz: f64) -> Option<f64> {
        let below = (formant_hz / f0_hz).floor() as usize;
        [below, below + 1]
            .into_iter()
            .filter(|number| *number > 0)
            .filter_map(|number| self.harmonic_level(f0_hz, number))
            .max_by(f64::total_cmp)
    }
}

fn blackman(length: usize) -> Vec<f32> {
    let turn = std::f64::consts::TAU / length as f64;
    (0..length)
        .map(|n| (n as f64 + 0.5) * turn)
        .map(|phase| (0.42 - 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos()) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formant::Resonance;

    /// A parabola follows the window's truncated main lobe this closely.
    const TOLERANCE_DB: f64 = 0.2;

    #[test]
    fn the_levels_of_known_partials_are_found() {
        // Levels in dB of the first 20 harmonics of 150 Hz.
        let level = |number: u32| -6.0 * f64::from(number - 1) + if number == 17 { 70.0 } else { 0.0 };
        let samples: Vec<f32> = (0..8000)
            .map(|n| {
                let partial = |k: u32| {
                    let phase = std::f64::consts::TAU * 150.0 * f64::from(k) * f64::from(n) / RATE;
                    0.01 * 10_f64.powf(level(k) / 20.0) * phase.cos()
                };
                (1..=20).map(partial).sum::<f64>() as f32
            })
            .collect();
        // The third formant lies between harmonics 16 and 17 (2550 Hz).
        let formants = [None, None, Some(Resonance { hz: 2500.0, bandwidth_hz: 100.0 })];
        let mut meter = HarmonicMeter::new();
        meter.listen(&samples, 25, Window::Gaussian);
        let levels = meter.levels(150.0, &formants);
        assert!((levels.h1_over_h2.unwrap() - 6.0).abs() < TOLERANCE_DB, "{levels:?}");
        assert!((levels.h1_over_a3.unwrap() + level(17)).abs() < TOLERANCE_DB, "{levels:?}");
        assert!(levels.formant_over_h1[0].is_none());
        assert!((levels.formant_over_h1[2].unwrap() - level(17)).abs() < TOLERANCE_DB, "{levels:?}");
    }
}
