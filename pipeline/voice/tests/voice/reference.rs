//! The spectral definitions once more, in `f64` and as plainly as they are written; shared by no line with the graph.

use std::f64::consts::PI;

/// Unsmoothed columns 1 to 10 of every frame.
pub(crate) fn spectral(samples: &[f32]) -> Vec<[f64; 10]> {
    let frames = samples.len().div_ceil(160);
    let powers: Vec<Vec<f64>> = (0..frames).map(|k| power(samples, k)).collect();
    (0..frames).map(|k| columns(&powers[k], k.checked_sub(1).map(|before| powers[before].as_slice()))).collect()
}

/// `sma3` of each column.
pub(crate) fn smoothed(rows: &[[f64; 10]]) -> Vec<[f64; 10]> {
    let last = rows.len() - 1;
    (0..rows.len())
        .map(|k| {
            std::array::from_fn(|c| (rows[k.saturating_sub(1)][c] + rows[k][c] + rows[(k + 1).min(last)][c]) / 3.0)
        })
        .collect()
}

fn hz(bin: usize) -> f64 {
    bin as f64 * 31.25
}

fn power(samples: &[f32], k: usize) -> Vec<f64> {
    let frame: Vec<f64> = (0..320)
        .map(|n| {
            let at = (k * 160 + n).checked_sub(160);
            let x = at.and_then(|at| samples.get(at)).map_or(0.0, |x| f64::from(*x));
            x * (0.54 - 0.46 * (2.0 * PI * n as f64 / 319.0).cos())
        })
        .collect();
    let table: Vec<(f64, f64)> = (0..512).map(|i| (2.0 * PI * f64::from(i) / 512.0).sin_cos()).collect();
    (0..257)
        .map(|bin| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, x) in frame.iter().enumerate() {
                let (sin, cos) = table[n * bin % 512];
                re += x * cos;
                im -= x * sin;
            }
            re * re + im * im
        })
        .collect()
}

fn columns(p: &[f64], before: Option<&[f64]>) -> [f64; 10] {
    let level: Vec<f64> = p.iter().map(|p| 10.0 * p.max(1e-14).log10()).collect();
    let energy = |from: f64, to: f64| (0..257).filter(|b| hz(*b) >= from && hz(*b) < to).map(|b| p[b]).sum::<f64>();
    let highest = |from: f64, to: f64| {
        (0..257).filter(|b| hz(*b) >= from && hz(*b) < to).map(|b| level[b]).fold(f64::NEG_INFINITY, f64::max)
    };
    let flux = before.map_or(0.0, |q| {
        let change: f64 = (0..=160).map(|b| (p[b].sqrt() - q[b].sqrt()).powi(2)).sum();
        (change / 161.0).sqrt()
    });
    let mel = mel_bands(p);
    let loudness = mel.iter().enumerate().map(|(j, m)| (m * ear(centre_hz(j + 1))).powf(0.33)).sum::<f64>() / 26.0;
    let alpha = 10.0 * (energy(1000.0, 5000.1).max(1e-14) / energy(50.0, 1000.0).max(1e-14)).log10();
    let hammarberg = highest(0.0, 2000.0) - highest(2000.0, 5000.1);
    let cepstrum = |i: usize| {
        let sum: f64 = mel
            .iter()
            .enumerate()
            .map(|(j, m)| (32767.0 * 32767.0 * m).max(1.0).ln() * (PI * i as f64 * (j as f64 + 0.5) / 26.0).cos())
            .sum();
        (2.0_f64 / 26.0).sqrt() * sum * (1.0 + 11.0 * (PI * i as f64 / 22.0).sin())
    };
    let (low, middle) = (slope(&level, 0.0, 500.0), slope(&level, 500.0, 1500.0));
    [loudness, alpha, hammarberg, low, middle, flux, cepstrum(1), cepstrum(2), cepstrum(3), cepstrum(4)]
}

fn slope(level: &[f64], from: f64, to: f64) -> f64 {
    let bins: Vec<usize> = (0..257).filter(|b| hz(*b) >= from && hz(*b) <= to).collect();
    let n = bins.len() as f64;
    let (sx, sy) = bins.iter().fold((0.0, 0.0), |(sx, sy), b| (sx + hz(*b), sy + level[*b]));
    let sxy: f64 = bins.iter().map(|b| hz(*b) * level[*b]).sum();
    let sxx: f64 = bins.iter().map(|b| hz(*b) * hz(*b)).sum();
    (n * sxy - sx * sy) / (n * sxx - sx * sx)
}

fn mel(hz: f64) -> f64 {
    1127.0 * (1.0 + hz / 700.0).ln()
}

fn edge(j: usize) -> f64 {
    mel(20.0) + (mel(8000.0) - mel(20.0)) * j as f64 / 27.0
}

fn centre_hz(j: usize) -> f64 {
    700.0 * ((edge(j) / 1127.0).exp() - 1.0)
}

fn mel_bands(p: &[f64]) -> Vec<f64> {
    (1..=26)
        .map(|j| {
            let weight = |m: f64| {
                let rise = (m - edge(j - 1)) / (edge(j) - edge(j - 1));
                let fall = (edge(j + 1) - m) / (edge(j + 1) - edge(j));
                rise.min(fall).max(0.0)
            };
            (0..257).map(|b| p[b] * weight(mel(hz(b)))).sum()
        })
        .collect()
}

/// Hermansky (1990), equal-loudness pre-emphasis.
fn ear(hz: f64) -> f64 {
    let w = 2.0 * PI * hz;
    (w.powi(2) + 56.8e6) * w.powi(4) / ((w.powi(2) + 6.3e6).powi(2) * (w.powi(2) + 0.38e9))
}
