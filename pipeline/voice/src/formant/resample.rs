use std::f64::consts::PI;

use crate::frame::{HOP, copy_samples, dot};

/// Sampling rate of formant analysis in Hz: formants up to 5.5 kHz.
pub(crate) const FORMANT_RATE: f64 = 11_000.0;
/// 11 kHz to 16 kHz is 11 to 16.
const UP: isize = 11;
const DOWN: isize = 16;
/// Samples on each side that a resampled value is made of.
const REACH: usize = 32;
/// Edge of the low-pass as a share of the old rate: a little below half the new one, so that nothing folds back.
const CUTOFF: f64 = 0.5 * 0.94 * UP as f64 / DOWN as f64;
/// Stop band of about 70 dB.
const KAISER_BETA: f64 = 7.0;

/// Resamples the neighbourhood of a frame from 16 to 11 kHz with a Kaiser-windowed sinc.
///
/// A hop is 110 new samples, so every frame starts at the same phase and is resampled by itself.
#[derive(Debug)]
pub(crate) struct FrameResampler {
    /// Low-pass taps of each of the 11 phases.
    phases: Vec<[f32; 2 * REACH]>,
    /// Input samples around the frame.
    input: Vec<f32>,
    /// New samples on each side of the centre.
    half: usize,
}

impl FrameResampler {
    /// A resampler of frames of `2 * half + 1` new samples.
    pub(crate) fn new(half: usize) -> Self {
        let phases = (0..UP)
            .map(|phase| {
                let fraction = phase as f64 / UP as f64;
                let taps: [f64; 2 * REACH] = std::array::from_fn(|tap| {
                    let x = fraction - (tap as f64 - (REACH as f64 - 1.0));
                    let sinc = if x == 0.0 { 1.0 } else { (2.0 * PI * CUTOFF * x).sin() / (2.0 * PI * CUTOFF * x) };
                    2.0 * CUTOFF * sinc * kaiser(x / REACH as f64)
                });
                // Unit gain at 0 Hz in every phase.
                let gain: f64 = taps.iter().sum();
                taps.map(|tap| (tap / gain) as f32)
            })
            .collect();
        let reach = input_reach(half);
        FrameResampler { phases, input: vec![0.0; 2 * reach], half }
    }

    /// Writes the frame around time stamp `frame`, `[2 * half + 1]`.
    pub(crate) fn resample(&mut self, samples: &[f32], frame: usize, out: &mut [f32]) {
        let reach = input_reach(self.half) as isize;
        copy_samples(samples, (frame * HOP) as isize - reach, &mut self.input);
        for (o, j) in out.iter_mut().zip(-(self.half as isize)..) {
            let position = j * DOWN;
            let base = reach + position.div_euclid(UP) + 1 - REACH as isize;
            let taps = &self.phases[position.rem_euclid(UP) as usize];
            *o = dot(&self.input[base as usize..base as usize + 2 * REACH], taps);
        }
    }
}

fn input_reach(half: usize) -> usize {
    half * DOWN as usize / UP as usize + REACH + 2
}

/// Kaiser window on -1..1.
fn kaiser(x: f64) -> f64 {
    if x.abs() >= 1.0 { 0.0 } else { bessel_i0(KAISER_BETA * (1.0 - x * x).sqrt()) / bessel_i0(KAISER_BETA) }
}

/// Modified Bessel function of the first kind and order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::RATE;

    fn resampled(hz: f64, half: usize) -> Vec<f32> {
        let samples: Vec<f32> = (0..3200).map(|n| (2.0 * PI * hz * f64::from(n) / RATE).cos() as f32).collect();
        let mut out = vec![0.0; 2 * half + 1];
        FrameResampler::new(half).resample(&samples, 10, &mut out);
        out
    }

    #[test]
    fn a_tone_below_the_edge_keeps_its_phase_and_level() {
        for hz in [0.0, 440.0, 3000.0, 4500.0] {
            for (j, value) in resampled(hz, 137).iter().enumerate() {
                let t = 0.1 + (j as f64 - 137.0) / FORMANT_RATE;
                assert!((f64::from(*value) - (2.0 * PI * hz * t).cos()).abs() < 2e-3, "{hz} Hz at {j}");
            }
        }
    }

    #[test]
    fn a_tone_above_half_the_new_rate_is_gone() {
        for hz in [5800.0, 6500.0, 7900.0] {
            assert!(resampled(hz, 137).iter().all(|v| v.abs() < 2e-3), "{hz} Hz");
        }
    }
}
