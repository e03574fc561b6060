//! The chain of glottal periods of a voiced run, and what it says of jitter and shimmer.

use crate::frame::{HOP, RATE, copy_samples, dot};
use crate::interpolation::parabola;

/// The next period begins between these shares of the expected period away.
const SEARCH: (f64, f64) = (0.8, 1.25);
/// Adjacent periods that are less alike than this end the chain.
const LEAST_CORRELATION: f32 = 0.3;
/// Adjacent periods that differ more in length are not neighbours (a period was missed, or the voice broke).
const LARGEST_PERIOD_RATIO: f64 = 1.3;
/// Adjacent periods that differ more in amplitude are an onset or an end, not shimmer.
const LARGEST_AMPLITUDE_RATIO: f64 = 1.6;
/// Standard deviation in samples of a difference of two periods that is due to sampling alone.
const RESOLUTION: f64 = 0.1;
/// Least jitter and shimmer that are reported: 0 would read as missing.
const LEAST: f64 = 1e-6;
/// Half of the frame that jitter and shimmer are taken from: 30 ms.
const HALF_FRAME: f64 = 480.0;

/// Standard deviation in dB of a difference of two levels that is due to sampling alone.
const RESOLUTION_DB: f64 = 0.05;
/// A cycle's amplitude is taken this share of the period to each side, as Praat does: so near to where the voice is
/// struck that the last cycle's ringing counts little.
const AMPLITUDE_REACH: f64 = 0.2;

/// A glottal cycle: its position in samples, and the root mean square of the sound around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cycle {
    pub(crate) at: f64,
    pub(crate) amplitude: f64,
}

/// Jitter and shimmer of a frame; `None` where too few periods lie in it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Perturbation {
    /// Mean difference of adjacent periods over the mean period.
    pub(crate) jitter: Option<f64>,
    /// Mean level difference of adjacent periods in dB.
    pub(crate) shimmer_db: Option<f64>,
}

/// Follows the periods of a voiced run through its waveform: the extremum nearest the run's middle starts the chain,
/// and each neighbour lies where the waveform around the last one is found again (normalised cross-correlation).
pub(crate) struct Chain<'a> {
    /// Samples of the run and a margin on both sides.
    wave: Vec<f32>,
    /// Position of the first of them in the recording.
    origin: f64,
    /// Pitch of each frame of the run.
    f0_hz: &'a [f32],
    first_frame: usize,
}

impl<'a> Chain<'a> {
    /// A chain over the frames `first_frame..first_frame + f0_hz.len()`, all voiced.
    pub(crate) fn new(samples: &[f32], first_frame: usize, f0_hz: &'a [f32]) -> Self {
        // Half a hop belongs to the outer frames; the rest is room for windows around the outermost periods.
        let lowest = f0_hz.iter().copied().fold(f32::INFINITY, f32::min);
        let margin = HOP + (2.0 * RATE / f64::from(lowest)) as usize;
        let start = (first_frame * HOP) as isize - margin as isize;
        let mut wave = vec![0.0; f0_hz.len() * HOP + 2 * margin];
        copy_samples(samples, start, &mut wave);
        Chain { wave, origin: start as f64, f0_hz, first_frame }
    }

    /// All cycles of the run in order.
    pub(crate) fn cycles(&self) -> Vec<Cycle> {
        let begin = (self.first_frame * HOP) as f64 - HOP as f64 / 2.0 - self.origin;
        let end = begin + (self.f0_hz.len() * HOP) as f64;
        let start = self.extremum(f64::midpoint(begin, end));
        let mut backward = Vec::new();
        let mut at = start;
        while let Some(next) = self.neighbour(at, -1.0).filter(|next| *next >= begin) {
            backward.push(next);
            at = next;
        }
        backward.reverse();
        backward.push(start);
        at = start;
        while let Some(next) = self.neighbour(at, 1.0).filter(|next| *next <= end) {
            backward.push(next);
            at = next;
        }
        backward.into_iter().map(|at| Cycle { at: at + self.origin, amplitude: self.amplitude(at) }).collect()
    }

    /// Expected period in samples around a position: the pitch track, linear between frames.
    fn period(&self, at: f64) -> f64 {
        let last = self.f0_hz.len() - 1;
        let frame = ((at + self.origin) / HOP as f64 - self.first_frame as f64).clamp(0.0, last as f64);
        let (before, fraction) = (frame as usize, frame.fract());
        let after = (before + 1).min(last);
        let f0 = f64::from(self.f0_hz[before]) * (1.0 - fraction) + f64::from(self.f0_hz[after]) * fraction;
        RATE / f0
    }

    /// The largest sample, of either sign, within half a period.
    fn extremum(&self, middle: f64) -> f64 {
        let half = self.period(middle) / 2.0;
        let first = (middle - half).max(0.0) as usize;
        let last = ((middle + half) as usize).min(self.wave.len() - 1);
        let mut best = first;
        for n in first..=last {
            if self.wave[n].abs() > self.wave[best].abs() {
                best = n;
            }
        }
        best as f64
    }

    /// Where the waveform of one period around `at` is found again, about a period on in `direction`.
    fn neighbour(&self, at: f64, direction: f64) -> Option<f64> {
        let period = self.period(at);
        let length = period.round() as usize;
        let centre = at.round();
        let here = self.segment(centre, length)?;
        let energy = dot(here, here);
        let (nearest, farthest) = ((SEARCH.0 * period) as usize, (SEARCH.1 * period).ceil() as usize);
        let correlation = |lag: usize| {
            let there = self.segment(centre + direction * lag as f64, length)?;
            let energies = energy * dot(there, there);
            (energies > f32::MIN_POSITIVE).then(|| dot(here, there) / energies.sqrt())
        };
        let mut best: Option<(usize, f32)> = None;
        for lag in nearest..=farthest {
            if let Some(r) = correlation(lag)
                && best.is_none_or(|(_, highest)| r > highest)
            {
                best = Some((lag, r));
            }
        }
        let (lag, highest) = best.filter(|(_, highest)| *highest >= LEAST_CORRELATION)?;
        let (left, right) = (correlation(lag - 1)?, correlation(lag + 1)?);
        let offset = parabola(left.into(), highest.into(), right.into()).0;
        Some(at + direction * (lag as f64 + offset))
    }

    fn segment(&self, centre: f64, length: usize) -> Option<&[f32]> {
        let first = centre - (length / 2) as f64;
        if first < 0.0 {
            return None;
        }
        self.wave.get(first as usize..first as usize + length)
    }

    /// Root mean square around a cycle's start, under a Hann window that is centred between samples too.
    fn amplitude(&self, at: f64) -> f64 {
        let reach = AMPLITUDE_REACH * self.period(at);
        let first = (at - reach).ceil().max(0.0) as usize;
        let last = ((at + reach).floor().max(0.0) as usize).min(self.wave.len() - 1);
        let (mut power, mut weights) = (0.0, 0.0);
        for n in first..=last {
            let weight = 0.5 + 0.5 * (std::f64::consts::PI * (n as f64 - at) / reach).cos();
            power += weight * f64::from(self.wave[n]).powi(2);
            weights += weight;
        }
        (power / weights.max(f64::MIN_POSITIVE)).sqrt()
    }
}

/// Jitter and shimmer of the cycles inside the 60 ms around time stamp `frame`.
///
/// Local jitter: mean |T_i - T_(i-1)| over mean T. Local shimmer: mean |20 log10(A_i / A_(i-1))|.
pub(crate) fn perturbation(cycles: &[Cycle], frame: usize) -> Perturbation {
    let centre = (frame * HOP) as f64;
    let first = cycles.partition_point(|cycle| cycle.at < centre - HALF_FRAME);
    let last = cycles.partition_point(|cycle| cycle.at <= centre + HALF_FRAME);
    let inside = &cycles[first..last];

    let periods = || inside.windows(2).map(|pair| pair[1].at - pair[0].at);
    let alike = |a: f64, b: f64, ratio: f64| a.max(b) <= ratio * a.min(b);
    let changes = periods().zip(periods().skip(1)).filter(|(before, now)| alike(*before, *now, LARGEST_PERIOD_RATIO));
    // Variances add: what sampling adds is taken away.
    let real = |change: f64, resolution: f64| (change.powi(2) - resolution.powi(2)).max(0.0).sqrt();
    let change = mean(changes.map(|(before, now)| real(now - before, RESOLUTION)));
    let jitter = change.zip(mean(periods())).map(|(change, period)| (change / period).max(LEAST));
    let shimmer_db = mean(inside.windows(2).filter_map(|pair| {
        let (before, now) = (pair[0].amplitude, pair[1].amplitude);
        let counts = before > 0.0 && now > 0.0 && alike(before, now, LARGEST_AMPLITUDE_RATIO);
        counts.then(|| real(20.0 * (now / before).log10(), RESOLUTION_DB))
    }))
    .map(|shimmer| shimmer.max(LEAST));
    Perturbation { jitter, shimmer_db }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decaying 700 Hz ringing, struck at the given positions.
    fn struck(positions: &[f64], amplitudes: &[f64]) -> Vec<f32> {
        let mut wave = vec![0.0_f32; 16_000];
        for (at, amplitude) in positions.iter().zip(amplitudes) {
            for (n, x) in wave.iter_mut().enumerate().skip(at.ceil() as usize).take(400) {
                let t = (n as f64 - at) / RATE;
                *x += (amplitude * (-900.0 * t).exp() * (std::f64::consts::TAU * 700.0 * t).sin()) as f32;
            }
        }
        wave
    }

    fn measured(wave: &[f32]) -> Perturbation {
        let f0_hz = [125.0; 80];
        perturbation(&Chain::new(wave, 10, &f0_hz).cycles(), 50)
    }

    #[test]
    fn alternating_periods_are_jitter() {
        let mut positions = vec![0.0];
        for n in 0..120 {
            let change = if n % 2 == 0 { 1.28 } else { -1.28 };
            positions.push(positions[n] + 128.0 + change);
        }
        let found = measured(&struck(&positions, &[0.5; 121]));
        assert!((found.jitter.unwrap() - 0.02).abs() < 0.003, "{found:?}");
        assert!(found.shimmer_db.unwrap() < 0.2, "{found:?}");
    }

    #[test]
    fn alternating_amplitudes_are_shimmer() {
        let positions: Vec<f64> = (0..120).map(|n| 128.0 * f64::from(n)).collect();
        let amplitudes: Vec<f64> = (0..120).map(|n| if n % 2 == 0 { 0.5 } else { 0.45 }).collect();
        let found = measured(&struck(&positions, &amplitudes));
        let expected = 20.0 * (0.5_f64 / 0.45).log10();
        assert!((found.shimmer_db.unwrap() - expected).abs() < 0.15, "{found:?}");
        assert!(found.jitter.unwrap() < 0.001, "{found:?}");
    }

    #[test]
    fn too_few_periods_say_nothing() {
        assert_eq!(perturbation(&[], 3), Perturbation::default());
        let one = [Cycle { at: 480.0, amplitude: 0.1 }];
        assert_eq!(perturbation(&one, 3), Perturbation::default());
    }
}
