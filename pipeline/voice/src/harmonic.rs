//! Harmonics-to-noise ratio and harmonic levels of a voiced frame, on 60 ms under a Gaussian window.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use crate::formant::{FORMANTS, Formants};
use crate::frame::{HOP, RATE, copy_samples, dot, remove_mean};
use crate::interpolation::{PeakRefiner, REACH, parabola};

/// Samples of a frame: 60 ms.
const FRAME: usize = 960;
/// Standard deviation of the window as a share of its half length.
const SIGMA: f64 = 0.4;
/// Length of the transform: 513 bins of 15.625 Hz.
const FFT: usize = 1024;
const BIN_HZ: f64 = RATE / FFT as f64;
/// Power that keeps the logarithm of an empty bin finite.
const POWER_FLOOR: f32 = 1e-14;
/// Correlations are kept inside these bounds: -30 dB, and 60 dB, which is what `f32` resolves.
const CORRELATION_RANGE: (f64, f64) = (1e-3, 1.0 - 1e-6);

/// Voice quality of one voiced frame, in dB; a level is `None` where its harmonic or formant is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Quality {
    pub(crate) hnr_db: f64,
    /// Level of the first harmonic over the second.
    pub(crate) h1_h2_db: Option<f64>,
    /// Level of the first harmonic over the highest one near the third formant.
    pub(crate) h1_a3_db: Option<f64>,
    /// Level of the highest harmonic near each formant over the first harmonic.
    pub(crate) formant_db: [Option<f64>; FORMANTS],
}

/// Measures the voice quality of frames.
pub(crate) struct QualityMeter {
    forward: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// The window's own normalised autocorrelation.
    window_correlation: Vec<f32>,
    refiner: PeakRefiner,
    padded: Vec<f32>,
    frame: Vec<f32>,
    spectrum: Vec<Complex32>,
    /// Level of each bin in dB.
    level: Vec<f32>,
}

impl std::fmt::Debug for QualityMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QualityMeter").finish_non_exhaustive()
    }
}

impl QualityMeter {
    pub(crate) fn new() -> Self {
        let half = FRAME as f64 / 2.0;
        let window: Vec<f32> =
            (0..FRAME).map(|n| (-0.5 * ((n as f64 + 0.5 - half) / (SIGMA * half)).powi(2)).exp() as f32).collect();
        let energy = dot(&window, &window);
        let forward = RealFftPlanner::new().plan_fft_forward(FFT);
        QualityMeter {
            window_correlation: (0..FRAME).map(|lag| dot(&window, &window[lag..]) / energy).collect(),
            window,
            refiner: PeakRefiner::new(),
            padded: forward.make_input_vec(),
            frame: vec![0.0; FRAME],
            spectrum: forward.make_output_vec(),
            level: vec![0.0; FFT / 2 + 1],
            forward,
        }
    }

    /// Quality of the frame around time stamp `frame`, whose pitch is `f0_hz`.
    pub(crate) fn measure(&mut self, samples: &[f32], frame: usize, f0_hz: f64, formants: &Formants) -> Quality {
        copy_samples(samples, (frame * HOP) as isize - (FRAME / 2) as isize, &mut self.frame);
        remove_mean(&mut self.frame);
        for (x, w) in self.frame.iter_mut().zip(&self.window) {
            *x *= w;
        }
        let hnr_db = self.hnr(f0_hz);
        self.transform();
        let h1 = self.harmonic_level(f0_hz, 1);
        let over_h1 = |level: Option<f64>| Some(level? - h1?);
        let formant_db = formants.map(|f| over_h1(f.and_then(|f| self.formant_level(f0_hz, f.hz))));
        Quality {
            hnr_db,
            h1_h2_db: over_h1(self.harmonic_level(f0_hz, 2)).map(|level| -level),
            h1_a3_db: formant_db[2].map(|level| -level),
            formant_db,
        }
    }

    /// Boersma (1993): `10 log10(r / (1 - r))` with r the autocorrelation of the windowed frame, divided by that of the
    /// window, at the period.
    fn hnr(&self, f0_hz: f64) -> f64 {
        let energy = dot(&self.frame, &self.frame);
        if energy <= f32::MIN_POSITIVE {
            return ratio_db(0.0);
        }
        let period = (RATE / f0_hz).round() as usize;
        // The period's neighbours, so that the curve can be interpolated at its peak.
        let first = period as isize - REACH as isize - 1;
        let mut curve = [0.0_f32; 2 * REACH + 4];
        for (offset, r) in curve.iter_mut().enumerate() {
            let lag = (first + offset as isize).unsigned_abs().min(FRAME / 2);
            *r = dot(&self.frame, &self.frame[lag..]) / energy / self.window_correlation[lag];
        }
        let middle = REACH + 1;
        let peak = if curve[middle + 1] > curve[middle] {
            middle + 1
        } else if curve[middle - 1] > curve[middle] {
            middle - 1
        } else {
            middle
        };
        let height = self.refiner.refine(&curve, peak).1;
        ratio_db(if height > 1.0 { 1.0 / height } else { height })
    }

    fn transform(&mut self) {
        self.padded[..FRAME].copy_from_slice(&self.frame);
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
    fn harmonic_level(&self, f0_hz: f64, number: usize) -> Option<f64> {
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

fn ratio_db(correlation: f64) -> f64 {
    let r = correlation.clamp(CORRELATION_RANGE.0, CORRELATION_RANGE.1);
    10.0 * (r / (1.0 - r)).log10()
}
