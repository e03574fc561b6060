//! Held to vowels of our own making, at many pitches and of many colours: see [`crate::synthesis`].

use hirenet_voice::Llds;

use crate::bars::{
    CLEAN_JITTER, CLEAN_SHIMMER_DB, F0_TOLERANCE, FORMANT_TOLERANCES, SHIMMER_RANGE_DB, SPARSE, SPARSE_TOLERANCE,
};
use crate::spectral::measure;
use crate::synthesis::{Pulse, SILENCE, Vowel};

/// Formants of men's vowels (Peterson and Barney 1952), and of women's.
const LOW: [[f64; 3]; 10] = [
    [270.0, 2290.0, 3010.0],
    [390.0, 1990.0, 2550.0],
    [530.0, 1840.0, 2480.0],
    [660.0, 1720.0, 2410.0],
    [730.0, 1090.0, 2440.0],
    [570.0, 840.0, 2410.0],
    [440.0, 1020.0, 2240.0],
    [300.0, 870.0, 2240.0],
    [640.0, 1190.0, 2390.0],
    [490.0, 1350.0, 1690.0],
];
const LOW_HZ: [f64; 4] = [85.0, 115.0, 140.0, 170.0];
const HIGH: [[f64; 3]; 10] = [
    [310.0, 2790.0, 3310.0],
    [430.0, 2480.0, 3070.0],
    [610.0, 2330.0, 2990.0],
    [860.0, 2050.0, 2850.0],
    [850.0, 1220.0, 2810.0],
    [590.0, 920.0, 2710.0],
    [470.0, 1160.0, 2680.0],
    [370.0, 950.0, 2670.0],
    [760.0, 1400.0, 2780.0],
    [500.0, 1640.0, 1960.0],
];
const HIGH_HZ: [f64; 4] = [180.0, 210.0, 235.0, 260.0];
const JITTER_RANGE: (f64, f64) = (0.018, 0.022);
/// Rows at each end that are left out: 100 ms.
const EDGE: usize = 10;

fn clean() -> impl Iterator<Item = Vowel> {
    let all = |vowels: &'static [[f64; 3]], pitches: &'static [f64]| {
        vowels.iter().flat_map(|vowel| pitches.iter().map(|f0| Vowel::clean(*f0, *vowel)))
    };
    all(&LOW, &LOW_HZ).chain(all(&HIGH, &HIGH_HZ))
}

/// The rows inside the vowel.
fn rows(llds: &Llds) -> std::ops::Range<usize> {
    SILENCE / 160 + EDGE..llds.times_s.len() - SILENCE / 160 - EDGE
}

fn mean(llds: &Llds, column: usize) -> f64 {
    rows(llds).map(|k| f64::from(llds.values[[k, column]])).sum::<f64>() / rows(llds).len() as f64
}

fn median(llds: &Llds, column: usize) -> f64 {
    let mut values: Vec<f64> = rows(llds).map(|k| f64::from(llds.values[[k, column]])).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn assert_pitch(vowel: &Vowel, llds: &Llds) {
    for k in rows(llds) {
        let f0 = 27.5 * (f64::from(llds.values[[k, 10]]) / 12.0).exp2();
        assert!((f0 / vowel.f0_hz - 1.0).abs() <= F0_TOLERANCE, "{vowel:?}, row {k}: {f0} Hz");
    }
}

#[test]
fn alternating_periods_are_as_long_as_they_were_made() {
    for vowel in clean().map(|vowel| Vowel { jitter: 0.02, ..vowel }) {
        let llds = measure(&vowel.samples());
        assert_pitch(&vowel, &llds);
        assert_formants(&vowel, &llds);
        let jitter = mean(&llds, 11);
        assert!(jitter >= JITTER_RANGE.0 && jitter <= JITTER_RANGE.1, "{vowel:?}: jitter {jitter}");
    }
}

#[test]
fn alternating_amplitudes_are_as_large_as_they_were_made() {
    for vowel in clean().map(|vowel| Vowel { shimmer_db: 0.8, ..vowel }) {
        let llds = measure(&vowel.samples());
        assert_pitch(&vowel, &llds);
        assert_formants(&vowel, &llds);
        let shimmer = mean(&llds, 12);
        assert!(shimmer >= SHIMMER_RANGE_DB.0 && shimmer <= SHIMMER_RANGE_DB.1, "{vowel:?}: shimmer {shimmer}");
    }
}

fn assert_formants(vowel: &Vowel, llds: &Llds) {
    for (n, (truth, tolerance)) in vowel.formants_hz.into_iter().zip(FORMANT_TOLERANCES).enumerate() {
        let tolerance = if truth >= SPARSE * vowel.f0_hz { tolerance } else { SPARSE_TOLERANCE };
        let found = median(llds, 16 + 3 * n);
        assert!((found / truth - 1.0).abs() <= tolerance, "{vowel:?}: F{} at {found} Hz", n + 1);
    }
}

#[test]
fn a_clean_vowel_is_clean_and_its_formants_are_found() {
    for vowel in clean() {
        let llds = measure(&vowel.samples());
        assert_pitch(&vowel, &llds);
        let (jitter, shimmer) = (mean(&llds, 11), mean(&llds, 12));
        assert!(jitter < CLEAN_JITTER && shimmer < CLEAN_SHIMMER_DB, "{vowel:?}: {jitter}, {shimmer} dB");
        assert_formants(&vowel, &llds);
    }
}

#[test]
fn formants_are_found_whatever_the_pulse_and_the_upper_formants() {
    let pulses = [
        Pulse::Cosine { opening: 0.33, closing: 0.10 },
        Pulse::Cosine { opening: 0.6, closing: 0.2 },
        Pulse::Polynomial { open: 0.4 },
    ];
    for (vowel, pulse) in clean().zip(pulses.into_iter().cycle()) {
        let [.., third] = vowel.formants_hz;
        let upper_hz = [third.max(2500.0) + 850.0, third.max(2500.0) + 1800.0];
        let vowel = Vowel { pulse, upper_hz, seconds: 0.4, ..vowel };
        assert_formants(&vowel, &measure(&vowel.samples()));
    }
}

#[test]
fn a_first_formant_at_twice_the_pitch_is_no_octave() {
    for formants in [[610.0, 2330.0, 2990.0], [560.0, 2320.0, 2950.0], [590.0, 920.0, 2710.0], [660.0, 1700.0, 2500.0]]
    {
        for f0_hz in [260.0, 280.0, 290.0, 300.0, 310.0, 330.0, 400.0] {
            let vowel = Vowel { seconds: 0.4, ..Vowel::clean(f0_hz, formants) };
            assert_pitch(&vowel, &measure(&vowel.samples()));
        }
    }
}
