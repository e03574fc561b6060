//! Vowels of our own making, of which everything is known.

use std::f64::consts::{PI, TAU};

/// Rate of the synthesis in Hz: six times the recording's, so that periods need not be whole samples of it.
const RATE: f64 = 96_000.0;
const DOWN: usize = 6;
/// Bandwidths of the formants in Hz.
const BANDWIDTHS_HZ: [f64; 5] = [60.0, 90.0, 150.0, 200.0, 250.0];
/// Taps of the low-pass on each side.
const REACH: usize = 120;
const LEVEL_DBFS: f64 = -20.0;
/// Samples of silence around a vowel.
pub(crate) const SILENCE: usize = 4800;
/// Samples in which a vowel rises, and falls.
const FADE: usize = 320;

/// A pulse of the glottis, in shares of a period.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pulse {
    /// Opens along a cosine, closes along a quarter of one (Rosenberg 1971, type C).
    Cosine { opening: f64, closing: f64 },
    /// `t^2 - t^3` while it is open (Klatt and Klatt 1990).
    Polynomial { open: f64 },
}

/// What a vowel is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vowel {
    pub(crate) f0_hz: f64,
    pub(crate) formants_hz: [f64; 3],
    /// The fourth and fifth formant.
    pub(crate) upper_hz: [f64; 2],
    pub(crate) pulse: Pulse,
    /// Periods alternate between `T (1 + j / 2)` and `T (1 - j / 2)`.
    pub(crate) jitter: f64,
    /// Levels of the periods alternate by this much.
    pub(crate) shimmer_db: f64,
    pub(crate) seconds: f64,
}

impl Vowel {
    pub(crate) fn clean(f0_hz: f64, formants_hz: [f64; 3]) -> Self {
        let [.., third] = formants_hz;
        Vowel {
            f0_hz,
            formants_hz,
            upper_hz: [third + 1000.0, third + 2000.0],
            pulse: Pulse::Cosine { opening: 0.40, closing: 0.16 },
            jitter: 0.0,
            shimmer_db: 0.0,
            seconds: 0.6,
        }
    }

    /// The vowel at 16 kHz, rounded to 16 bits, with silence on both sides.
    pub(crate) fn samples(&self) -> Vec<f32> {
        let mut wave = self.source();
        let formants = self.formants_hz.into_iter().chain(self.upper_hz);
        for (hz, bandwidth_hz) in formants.zip(BANDWIDTHS_HZ) {
            resonate(&mut wave, hz, bandwidth_hz);
        }
        let mut vowel = decimate(&wave);
        let power = vowel.iter().map(|x| x * x).sum::<f64>() / vowel.len() as f64;
        let gain = 10_f64.powf(LEVEL_DBFS / 20.0) / power.sqrt();
        let length = vowel.len();
        for (n, x) in vowel.iter_mut().enumerate() {
            let from_edge = n.min(length - 1 - n).min(FADE) as f64 / FADE as f64;
            *x *= gain * (0.5 - 0.5 * (PI * from_edge).cos());
        }
        let silence = || std::iter::repeat_n(0.0, SILENCE);
        silence().chain(vowel).chain(silence()).map(|x| ((x * 32_767.0).round() / 32_768.0) as f32).collect()
    }

    /// A pulse a period; its shape does not follow the alternation of periods.
    fn source(&self) -> Vec<f64> {
        let mut source = vec![0.0; (self.seconds * RATE) as usize];
        let (mut start, mut even) = (0.0, true);
        while start < self.seconds {
            let sign = if even { 0.5 } else { -0.5 };
            let amplitude = 10_f64.powf(sign * self.shimmer_db / 20.0);
            let first = (start * RATE).ceil() as usize;
            for (n, x) in source.iter_mut().enumerate().skip(first) {
                let phase = (n as f64 / RATE - start) * self.f0_hz;
                let Some(flow) = self.pulse.slope(phase) else { break };
                *x += amplitude * flow;
            }
            start += (1.0 + sign * self.jitter) / self.f0_hz;
            even = !even;
        }
        source
    }
}

impl Pulse {
    /// Derivative of the flow at a share of the period; `None` once it has ended.
    fn slope(self, phase: f64) -> Option<f64> {
        match self {
            Pulse::Cosine { opening, .. } if phase < opening => Some(0.5 * PI / opening * (PI * phase / opening).sin()),
            Pulse::Cosine { opening, closing } => (phase < opening + closing)
                .then(|| -0.5 * PI / closing * (0.5 * PI * (phase - opening) / closing).sin()),
            Pulse::Polynomial { open } => (phase < open).then(|| (2.0 - 3.0 * phase / open) * phase / open),
        }
    }
}

/// A resonance with unit gain at 0 Hz.
fn resonate(wave: &mut [f64], hz: f64, bandwidth_hz: f64) {
    let radius = (-PI * bandwidth_hz / RATE).exp();
    let (a, b) = (2.0 * radius * (TAU * hz / RATE).cos(), -radius * radius);
    let (mut last, mut before) = (0.0, 0.0);
    for x in wave {
        let y = (1.0 - a - b) * *x + a * last + b * before;
        (*x, before, last) = (y, last, y);
    }
}

/// Every sixth sample behind a Hann-tapered low-pass at 7.6 kHz.
fn decimate(wave: &[f64]) -> Vec<f64> {
    let cutoff = 7600.0 / RATE;
    let taps: Vec<f64> = (0..=2 * REACH)
        .map(|tap| {
            let x = tap as f64 - REACH as f64;
            let sinc = if x == 0.0 { 2.0 * cutoff } else { (TAU * cutoff * x).sin() / (PI * x) };
            sinc * (0.5 + 0.5 * (PI * x / (REACH as f64 + 1.0)).cos())
        })
        .collect();
    (0..wave.len() / DOWN)
        .map(|n| {
            let at = |tap: usize| (n * DOWN + tap).checked_sub(REACH).and_then(|at| wave.get(at)).copied();
            taps.iter().enumerate().map(|(tap, weight)| weight * at(tap).unwrap_or(0.0)).sum()
        })
        .collect()
}
