use std::f64::consts::TAU;

use hirenet_tests::{runtime, shared};
use hirenet_voice::{Llds, VoiceMeter, VoiceSettings};
use proptest::prelude::*;

use crate::reference;
use crate::support::read_wav;

/// Largest deviation from the `f64` implementation, relative to the value or a tenth of the column's usual size.
const GRAPH_TOLERANCE: f64 = 1e-4;
/// Columns that must not depend on the level, and those of the cepstrum.
const LEVEL_FREE: [usize; 8] = [1, 2, 3, 4, 6, 7, 8, 9];

pub(crate) fn measure(samples: &[f32]) -> Llds {
    VoiceMeter::new(runtime(), &VoiceSettings::default()).unwrap().measure(samples).unwrap()
}

pub(crate) fn tone(hz: f64, amplitude: f64, samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (amplitude * (TAU * hz * n as f64 / 16_000.0).sin()) as f32).collect()
}

pub(crate) fn white_noise(amplitude: f32, samples: usize) -> Vec<f32> {
    let mut state = 0x2545_f491_u32;
    (0..samples)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            amplitude * (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32
        })
        .collect()
}

fn mean(llds: &Llds, column: usize) -> f64 {
    let inside = 5..llds.valid.len() - 5;
    inside.clone().map(|k| f64::from(llds.values[[k, column]])).sum::<f64>() / inside.len() as f64
}

fn worst_deviation(samples: &[f32]) -> [f64; 10] {
    let llds = measure(samples);
    let expected = reference::smoothed(&reference::spectral(samples));
    std::array::from_fn(|c| {
        let usual = (expected.iter().map(|row| row[c] * row[c]).sum::<f64>() / expected.len() as f64).sqrt();
        let deviation = |(k, row): (usize, &[f64; 10])| {
            (f64::from(llds.values[[k, c]]) - row[c]).abs() / row[c].abs().max(0.1 * usual)
        };
        expected.iter().enumerate().map(deviation).fold(0.0, f64::max)
    })
}

#[test]
fn the_graph_is_the_definition_on_noise() {
    // Longer than two runs of the graph, so that their edges are in it.
    let worst = worst_deviation(&white_noise(0.3, 45_000));
    assert!(worst.iter().all(|w| *w <= GRAPH_TOLERANCE), "{worst:?}");
}

#[test]
fn the_graph_is_the_definition_on_speech() {
    for name in ["real_jfk", "real_librivox_a"] {
        let Some(path) = shared(&format!("reference/voice/{name}.wav")) else { return };
        let worst = worst_deviation(&read_wav(&path)[..60_000]);
        assert!(worst.iter().all(|w| *w <= GRAPH_TOLERANCE), "{name}: {worst:?}");
    }
}

#[test]
fn a_tone_lies_in_its_band_and_does_not_change() {
    let low = measure(&tone(500.0, 0.5, 16_000));
    let high = measure(&tone(3000.0, 0.5, 16_000));
    assert!(mean(&low, 1) < -35.0 && mean(&high, 1) > 35.0, "alpha ratio {} {}", mean(&low, 1), mean(&high, 1));
    assert!(mean(&low, 2) > 40.0 && mean(&high, 2) < -40.0, "Hammarberg {} {}", mean(&low, 2), mean(&high, 2));
    // The tone's magnitude is about 40; a hop is a whole number of its periods.
    assert!(mean(&low, 5) < 1e-4, "flux {}", mean(&low, 5));
}

#[test]
fn white_noise_is_flat() {
    let llds = measure(&white_noise(0.3, 160_000));
    // Alpha ratio: 129 bins over 31.
    let expected = 10.0 * (129.0_f64 / 31.0).log10();
    assert!((mean(&llds, 1) - expected).abs() < 0.3, "alpha ratio {}", mean(&llds, 1));
    assert!(mean(&llds, 4).abs() * 1000.0 < 0.5, "slope500-1500 {}", mean(&llds, 4));
    // The bin at 0 Hz is real: the mean of its level is 3 dB below the others', which tilts the lowest band by
    // 12 * 3 dB * 250 Hz / (16 * 17 * 18 * (31.25 Hz)^2) = 0.0019 dB/Hz, and leaks into the next bin.
    assert!((mean(&llds, 3) - 0.0025).abs() * 500.0 < 0.5, "slope0-500 {}", mean(&llds, 3));
}

#[test]
fn a_known_slope_is_measured() {
    // Partials every 10 Hz with scattered phases, 0.02 dB softer a Hz.
    let slope = -0.02;
    let samples: Vec<f32> = (0..64_000)
        .map(|n| {
            let partial = |k: u32| {
                let hz = 10.0 * f64::from(k);
                10_f64.powf(slope * hz / 20.0) * (TAU * hz * f64::from(n) / 16_000.0 + f64::from(k * k) * 1.7).sin()
            };
            (0.01 * (1..=300).map(partial).sum::<f64>()) as f32
        })
        .collect();
    let llds = measure(&samples);
    assert!((mean(&llds, 4) / slope - 1.0).abs() < 0.1, "slope500-1500 {}", mean(&llds, 4));
    assert!((mean(&llds, 3) / slope - 1.0).abs() < 0.25, "slope0-500 {}", mean(&llds, 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn amplitude_scales_loudness_and_flux_alone(gain in 0.2_f32..4.0) {
        let samples = white_noise(0.2, 8000);
        let scaled: Vec<f32> = samples.iter().map(|x| x * gain).collect();
        let (one, other) = (measure(&samples), measure(&scaled));
        for k in 0..one.valid.len() {
            let loudness = other.values[[k, 0]] / one.values[[k, 0]];
            prop_assert!((loudness / gain.powf(0.66) - 1.0).abs() < 1e-4, "loudness {loudness}");
            if k > 2 {
                let flux = other.values[[k, 5]] / one.values[[k, 5]];
                prop_assert!((flux / gain - 1.0).abs() < 1e-3, "flux {flux}");
            }
            for c in LEVEL_FREE {
                let (a, b) = (one.values[[k, c]], other.values[[k, c]]);
                prop_assert!((a - b).abs() < 2e-3 * a.abs().max(0.1), "column {c}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_delay_of_whole_hops_moves_the_rows(hops in 1_usize..200) {
        let samples: Vec<f32> = tone(150.0, 0.3, 9600).iter().zip(white_noise(0.1, 9600)).map(|(a, b)| a + b).collect();
        let mut delayed = vec![0.0; hops * 160];
        delayed.extend_from_slice(&samples);
        let (one, other) = (measure(&samples), measure(&delayed));
        // The first frame's flux is 0 by definition, which smoothing carries to the second.
        for k in 2..one.valid.len() {
            prop_assert_eq!(one.valid[k], other.valid[k + hops]);
            // A recording that begins voiced has no onset to pay for: its first frames may differ.
            for c in 0..if k < 10 { 10 } else { 25 } {
                let (a, b) = (one.values[[k, c]], other.values[[k + hops, c]]);
                prop_assert!((a - b).abs() <= 1e-5 * a.abs().max(1e-3), "row {k}, column {c}: {a} {b}");
            }
        }
    }
}
