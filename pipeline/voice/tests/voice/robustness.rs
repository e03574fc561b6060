//! Sound that is silent, clipped, offset, band-limited, noisy or no sound at all.

use std::f64::consts::TAU;

use crate::spectral::{measure, tone, white_noise};
use hirenet_voice::Llds;

const F0_HZ: f64 = 130.0;
/// Share of frames inside the vowel that must be voiced, with the pitch within 1 %.
const PITCH_SHARE: f64 = 0.95;

/// A second of an open vowel with an amplitude of about 0.3; partials below `from_hz` or above `to_hz` are left out.
fn vowel(from_hz: f64, to_hz: f64) -> Vec<f32> {
    let resonance = |hz: f64, f: f64, b: f64| 1.0 / (((hz - f) / b).powi(2) + 1.0).sqrt();
    let partials: Vec<(f64, f64)> = (1..60)
        .map(|k| f64::from(k) * F0_HZ)
        .filter(|hz| (from_hz..to_hz).contains(hz))
        .map(|hz| {
            (hz, 0.12 * (resonance(hz, 730.0, 90.0) + resonance(hz, 1090.0, 110.0) + resonance(hz, 2440.0, 160.0)))
        })
        .collect();
    (0..16_000)
        .map(|n| partials.iter().map(|(hz, a)| a * (TAU * hz * f64::from(n) / 16_000.0).cos()).sum::<f64>() as f32)
        .collect()
}

fn assert_finite(llds: &Llds) {
    assert!(llds.values.iter().all(|v| v.is_finite()));
    assert_eq!(llds.values.nrows(), llds.valid.len());
    assert_eq!(llds.times_s.len(), llds.valid.len());
}

/// Share of the frames 10 to 90 whose pitch is that of [`vowel`].
fn pitch_share(llds: &Llds) -> f64 {
    let right = |k: &usize| {
        let f0 = 27.5 * (f64::from(llds.values[[*k, 10]]) / 12.0).exp2();
        (f0 / F0_HZ - 1.0).abs() < 0.01
    };
    (10..90).filter(right).count() as f64 / 80.0
}

#[test]
fn nothing_and_next_to_nothing_are_measured() {
    for samples in [0, 1, 159, 160, 161, 700] {
        let llds = measure(&vec![0.1; samples]);
        assert_finite(&llds);
        assert_eq!(llds.valid.len(), samples.div_ceil(160));
    }
}

#[test]
fn silence_offset_and_dither_carry_no_sound() {
    let silence = vec![0.0; 8000];
    let offset = vec![0.3; 8000];
    let dither = white_noise(1.0 / 32768.0, 8000);
    for samples in [silence, offset, dither] {
        let llds = measure(&samples);
        assert_finite(&llds);
        // The step from nothing to the offset at either end is a sound.
        assert!(llds.valid[2..48].iter().all(|v| !v));
        assert!(llds.values.column(10).iter().all(|v| *v == 0.0), "nothing is voiced");
    }
}

#[test]
fn what_is_no_number_counts_as_silence() {
    let mut samples = vowel(0.0, 8000.0);
    samples[3000] = f32::NAN;
    samples[5000] = f32::INFINITY;
    samples[7000] = -1e30;
    let llds = measure(&samples);
    assert_finite(&llds);
    assert!(pitch_share(&llds) > 0.5);
    assert_finite(&measure(&vec![f32::NAN; 4000]));
}

#[test]
fn clipping_offset_and_a_telephone_band_keep_the_pitch() {
    let whole = vowel(0.0, 8000.0);
    let clipped: Vec<f32> = whole.iter().map(|x| (x * 8.0).clamp(-1.0, 1.0)).collect();
    let offset: Vec<f32> = whole.iter().map(|x| x + 0.4).collect();
    // Sampled at 8 kHz, and without the fundamental.
    let telephone = vowel(300.0, 3400.0);
    for (name, samples) in [("whole", whole), ("clipped", clipped), ("offset", offset), ("telephone", telephone)] {
        let llds = measure(&samples);
        assert_finite(&llds);
        assert!(llds.valid[1..99].iter().all(|v| *v), "{name}");
        assert!(pitch_share(&llds) >= PITCH_SHARE, "{name}: {}", pitch_share(&llds));
    }
}

#[test]
fn noise_at_10_db_keeps_the_pitch_and_noise_alone_has_none() {
    let voice = vowel(0.0, 8000.0);
    let power = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32;
    let noise = white_noise(1.0, voice.len());
    let gain = (power(&voice) / power(&noise) / 10.0).sqrt();
    let noisy: Vec<f32> = voice.iter().zip(&noise).map(|(v, n)| v + gain * n).collect();
    let llds = measure(&noisy);
    assert_finite(&llds);
    assert!(llds.valid[1..99].iter().all(|v| *v), "a voice in noise is sound");
    assert!(pitch_share(&llds) >= PITCH_SHARE, "{}", pitch_share(&llds));

    let llds = measure(&noise);
    assert_finite(&llds);
    assert!(llds.valid.iter().all(|v| *v), "noise is sound");
    let voiced = llds.values.column(10).iter().filter(|v| **v > 0.0).count();
    assert!(voiced * 20 < llds.valid.len(), "{voiced} frames of noise are voiced");
}

#[test]
fn the_same_sound_gives_the_same_numbers() {
    let samples: Vec<f32> = vowel(0.0, 8000.0).iter().zip(white_noise(0.05, 16_000)).map(|(v, n)| v + n).collect();
    assert_eq!(measure(&samples), measure(&samples));
    let mut meter =
        hirenet_voice::VoiceMeter::new(hirenet_tests::runtime(), &hirenet_voice::VoiceSettings::default()).unwrap();
    let first = meter.measure(&samples).unwrap();
    meter.measure(&tone(300.0, 0.5, 5000)).unwrap();
    assert_eq!(meter.measure(&samples).unwrap(), first, "nothing is carried over");
}
