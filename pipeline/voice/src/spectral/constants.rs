//! The constant matrices of the spectral graph, computed in `f64`.
//!
//! Frames are 320 samples under a symmetric Hamming window, zero-padded to 512: 257 bins of 31.25 Hz.

use std::f64::consts::PI;

use crate::frame::{HOP, RATE};

/// Samples of a frame: 20 ms.
pub(crate) const FRAME: usize = 2 * HOP;
/// Length of the transform.
pub(crate) const FFT: usize = 512;
/// Bins from 0 to 8 kHz.
pub(crate) const BINS: usize = FFT / 2 + 1;
/// Bands of the mel bank.
pub(crate) const BANDS: usize = 26;
/// Cepstral coefficients that are kept, from the first on.
pub(crate) const CEPSTRA: usize = 4;

/// Frequency in Hz of a bin.
pub(crate) fn bin_hz(bin: usize) -> f64 {
    bin as f64 * RATE / FFT as f64
}

/// The first bin at or above a frequency.
pub(crate) fn bin_at(hz: f64) -> usize {
    (hz * FFT as f64 / RATE).ceil() as usize
}

/// Cosine and sine halves of the windowed transform, each `[HOP, BINS]`.
///
/// The window is symmetric around the frame's centre, so with the phase taken from there the cosines see only
/// `x[n] + x[319 - n]` and the sines only `x[n] - x[319 - n]`: half the products.
pub(crate) fn half_transforms() -> (Vec<f64>, Vec<f64>) {
    let mut cosines = Vec::with_capacity(HOP * BINS);
    let mut sines = Vec::with_capacity(HOP * BINS);
    for n in 0..HOP {
        let window = 0.54 - 0.46 * (2.0 * PI * n as f64 / (FRAME - 1) as f64).cos();
        let from_centre = n as f64 - (FRAME - 1) as f64 / 2.0;
        for bin in 0..BINS {
            let phase = 2.0 * PI * bin as f64 * from_centre / FFT as f64;
            cosines.push(window * phase.cos());
            sines.push(window * phase.sin());
        }
    }
    (cosines, sines)
}

fn mel(hz: f64) -> f64 {
    1127.0 * (hz / 700.0).ln_1p()
}

fn mel_edge(index: usize) -> f64 {
    let (low, high) = (mel(20.0), mel(8000.0));
    low + (high - low) * index as f64 / (BANDS + 1) as f64
}

/// `[BINS, BANDS]`: triangles equally spaced in mel from 20 to 8000 Hz, linear in mel, peak 1.
pub(crate) fn mel_bank() -> Vec<f64> {
    let spacing = mel_edge(1) - mel_edge(0);
    let mut bank = Vec::with_capacity(BINS * BANDS);
    for bin in 0..BINS {
        let position = mel(bin_hz(bin));
        bank.extend((1..=BANDS).map(|b| (1.0 - (position - mel_edge(b)).abs() / spacing).max(0.0)));
    }
    bank
}

/// `[BANDS]`: Hermansky's equal-loudness curve (1990, eq. 7) at the centre of each band.
pub(crate) fn equal_loudness() -> Vec<f64> {
    (1..=BANDS)
        .map(|b| {
            let hz = 700.0 * (mel_edge(b) / 1127.0).exp_m1();
            let w2 = (2.0 * PI * hz).powi(2);
            (w2 + 56.8e6) * w2 * w2 / ((w2 + 6.3e6).powi(2) * (w2 + 0.38e9))
        })
        .collect()
}

/// `[BANDS, CEPSTRA]`: orthonormal cosine transform with the lifter `1 + 11 sin(pi i / 22)` folded in.
pub(crate) fn cepstral_transform() -> Vec<f64> {
    let mut matrix = Vec::with_capacity(BANDS * CEPSTRA);
    for j in 0..BANDS {
        for i in 1..=CEPSTRA {
            let cosine = (PI * i as f64 * (j as f64 + 0.5) / BANDS as f64).cos();
            let lifter = 1.0 + 11.0 * (PI * i as f64 / 22.0).sin();
            matrix.push((2.0 / BANDS as f64).sqrt() * cosine * lifter);
        }
    }
    matrix
}

/// `[BINS, 2]`: selects the energies of 50 Hz to 1 kHz and of 1 to 5 kHz, each band without its upper edge, but 5 kHz
/// included.
pub(crate) fn alpha_bands() -> Vec<f64> {
    (0..BINS)
        .flat_map(|bin| {
            let hz = bin_hz(bin);
            let low = (50.0..1000.0).contains(&hz);
            let high = (1000.0..=5000.0).contains(&hz);
            [f64::from(u8::from(low)), f64::from(u8::from(high))]
        })
        .collect()
}

/// Bands of the two spectral slopes in Hz, edges included.
pub(crate) const SLOPE_BANDS: [(f64, f64); 2] = [(0.0, 500.0), (500.0, 1500.0)];

/// `[bins up to 1500 Hz, 2]`: weights of the least-squares slope over frequency, in 1/Hz.
pub(crate) fn slope_weights() -> Vec<f64> {
    let rows = bin_at(SLOPE_BANDS[1].1) + 1;
    let mut weights = vec![0.0; rows * 2];
    for (column, (low, high)) in SLOPE_BANDS.into_iter().enumerate() {
        let band = bin_at(low)..=bin_at(high);
        let mean = f64::midpoint(bin_hz(*band.start()), bin_hz(*band.end()));
        let spread: f64 = band.clone().map(|bin| (bin_hz(bin) - mean).powi(2)).sum();
        for bin in band {
            weights[bin * 2 + column] = (bin_hz(bin) - mean) / spread;
        }
    }
    weights
}
