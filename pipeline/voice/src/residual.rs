//! The source of a voiced run: what linear prediction leaves of its waveform, the vocal tract's ringing taken away.

use crate::formant::levinson;
use crate::frame::HOP;
use crate::interpolation::windowed_sinc;

/// Values of the residual for each sample: its pulses are a sample wide, too narrow to be placed between samples.
pub(crate) const FINENESS: usize = 4;
/// A pair of roots for each of seven resonances below 8 kHz, and one for the tilt that pre-emphasis leaves.
const ORDER: usize = 16;
const PRE_EMPHASIS: f32 = 0.97;
/// White noise that is assumed in a frame, as a share of its power: -40 dB, as in speech coding (ITU-T G.729, 3.2.1). With
/// less, bands without voice are raised until the rounding of 16-bit samples drowns the pulses.
const NOISE: f64 = 1e-4;
/// Samples of a frame of the prediction: 30 ms, two periods of 67 Hz and more.
const FRAME: usize = 480;
/// Share of the band that is kept, up to 6.8 kHz: near half the sampling rate, what a pulse between two samples looks like
/// depends on how its recording was made, and rounding is loudest.
const BAND: f64 = 0.85;
/// Samples on each side that an interpolated value is made of.
const REACH: usize = 16;

/// Takes the residual of waveforms.
#[derive(Debug)]
pub(crate) struct InverseFilter {
    /// Hann window of a frame, and of the two hops in which a frame's prediction counts: these add up to one.
    window: Vec<f64>,
    fade: Vec<f64>,
    /// Interpolation to each of the positions between two samples.
    kernels: [[f64; 2 * REACH]; FINENESS],
}

impl InverseFilter {
    pub(crate) fn new() -> Self {
        let hann = |length: usize| {
            (0..length)
                .map(|n| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / length as f64).cos())
                .collect::<Vec<f64>>()
        };
        let kernels = std::array::from_fn(|step| {
            let position = step as f64 / FINENESS as f64;
            std::array::from_fn(|tap| {
                let x = position - (tap as f64 - (REACH as f64 - 1.0));
                BAND * windowed_sinc(BAND * x, BAND * REACH as f64)
            })
        });
        InverseFilter { window: hann(FRAME), fade: hann(2 * HOP), kernels }
    }

    /// The residual of a waveform, [`FINENESS`] values a sample.
    pub(crate) fn residual(&self, wave: &[f32]) -> Vec<f32> {
        // Room for frames that reach over the ends.
        let mut padded = vec![0.0; wave.len() + FRAME];
        let mut before = 0.0;
        for (y, x) in padded[FRAME / 2..].iter_mut().zip(wave) {
            *y = f64::from(x - PRE_EMPHASIS * before);
            before = *x;
        }
        let mut residual = vec![0.0; wave.len()];
        for centre in (0..wave.len() + HOP).step_by(HOP) {
            self.add(&padded, centre, &mut residual);
        }
        self.interpolate(&residual)
    }

    /// Adds what the prediction of the frame around `centre` leaves of the two hops around it.
    fn add(&self, padded: &[f64], centre: usize, residual: &mut [f64]) {
        let end = (centre + FRAME).min(padded.len());
        let frame: Vec<f64> = padded[centre..end].iter().zip(&self.window).map(|(x, w)| x * w).collect();
        let mut r: [f64; ORDER + 1] =
            std::array::from_fn(|lag| frame.iter().zip(frame.iter().skip(lag)).map(|(x, y)| x * y).sum());
        if r[0] <= f64::MIN_POSITIVE {
            return;
        }
        let mut coefficients = [0.0; ORDER];
        levinson(&mut r, NOISE, &mut coefficients);
        for (n, fade) in (centre as isize - HOP as isize..).zip(&self.fade) {
            if let Some(sum) = usize::try_from(n).ok().and_then(|n| residual.get_mut(n)) {
                let at = n as usize + FRAME / 2;
                let predicted: f64 = coefficients.iter().enumerate().map(|(k, a)| a * padded[at - 1 - k]).sum();
                *sum += fade * (padded[at] - predicted);
            }
        }
    }

    fn interpolate(&self, values: &[f64]) -> Vec<f32> {
        let mut padded = vec![0.0; values.len() + 2 * REACH];
        padded[REACH - 1..REACH - 1 + values.len()].copy_from_slice(values);
        let at = |neighbours: &[f64], kernel: &[f64]| neighbours.iter().zip(kernel).map(|(x, w)| x * w).sum::<f64>();
        padded
            .windows(2 * REACH)
            .take(values.len())
            .flat_map(|neighbours| self.kernels.iter().map(|kernel| at(neighbours, kernel) as f32))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ringing_pulse_becomes_a_pulse() {
        // A resonance of 700 Hz, 60 Hz wide, struck every 8 ms.
        let (turn, radius) =
            (std::f64::consts::TAU * 700.0 / 16_000.0, (-std::f64::consts::PI * 60.0 / 16_000.0).exp());
        let mut wave = vec![0.0_f64; 3200];
        for n in 2..wave.len() {
            let struck = if n % 128 == 0 { 0.2 } else { 0.0 };
            wave[n] = struck + 2.0 * radius * turn.cos() * wave[n - 1] - radius * radius * wave[n - 2];
        }
        let wave: Vec<f32> = wave.into_iter().map(|x| x as f32).collect();
        let residual = InverseFilter::new().residual(&wave);
        assert_eq!(residual.len(), FINENESS * wave.len());
        let energy = |values: &[f32]| values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        // Sample 1280 is struck; its period's energy lies within 0.5 ms of it.
        let period = energy(&residual[FINENESS * 1272..FINENESS * 1400]);
        assert!(energy(&residual[FINENESS * 1272..FINENESS * 1288]) > 0.9 * period);
    }

    #[test]
    fn silence_and_nothing_stay() {
        assert!(InverseFilter::new().residual(&[0.0; 500]).iter().all(|x| *x == 0.0));
        assert!(InverseFilter::new().residual(&[]).is_empty());
    }
}
