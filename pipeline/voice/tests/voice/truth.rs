//! Held to what constructed vowels are made of (`reference/voice/vowels_a.truth.csv`).

use std::path::Path;

use hirenet_tests::shared;
use hirenet_voice::Llds;

use crate::bars::{
    CLEAN_JITTER, CLEAN_SHIMMER_DB, F0_TOLERANCE, FORMANT_TOLERANCES, SHIMMER_RANGE_DB, SPARSE, SPARSE_TOLERANCE,
};
use crate::spectral::measure;
use crate::support::read_wav;

const GLIDE_TOLERANCE: f64 = 0.01;
const JITTER_TOLERANCE: f64 = 0.002;
const HNR_TOLERANCE_DB: f64 = 2.0;
/// Left out at both ends of a vowel, in seconds: the frame reaches over the edge.
const EDGE_S: f64 = 0.05;

/// Row of the truth: see the column names in the file.
struct Vowel(Vec<Option<f64>>);

impl Vowel {
    fn number(&self, column: usize) -> f64 {
        self.0[column].unwrap()
    }

    fn is_glide(&self) -> bool {
        self.number(3) != self.number(4)
    }

    /// Exponential glide from start to end.
    fn f0(&self, time_s: f64) -> f64 {
        let share = (time_s - self.number(0)) / (self.number(1) - self.number(0));
        self.number(3) * (self.number(4) / self.number(3)).powf(share)
    }

    fn is_clean(&self) -> bool {
        self.number(11) == 0.0 && self.number(12) == 0.0 && self.0[13].is_none() && !self.is_glide()
    }

    fn rows(&self, llds: &Llds) -> Vec<usize> {
        let (start, end) = (self.number(0) + EDGE_S, self.number(1) - EDGE_S);
        (0..llds.times_s.len()).filter(|k| llds.times_s[*k] >= start && llds.times_s[*k] <= end).collect()
    }
}

fn vowels(path: &Path) -> Vec<Vowel> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| Vowel(line.split(',').map(|cell| cell.parse().ok()).collect())).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn column(llds: &Llds, rows: &[usize], column: usize) -> Vec<f64> {
    rows.iter().map(|k| f64::from(llds.values[[*k, column]])).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn constructed_vowels_show_what_they_are_made_of() {
    let (Some(sound), Some(truth)) =
        (shared("reference/voice/vowels_a.wav"), shared("reference/voice/vowels_a.truth.csv"))
    else {
        return;
    };
    let llds = measure(&read_wav(&sound));
    for (index, vowel) in vowels(&truth).iter().enumerate() {
        let rows = vowel.rows(&llds);
        check_pitch(index, vowel, &llds, &rows);
        check_perturbation(index, vowel, &llds, &rows);
        match vowel.0[13] {
            Some(hnr) => {
                let measured = median(column(&llds, &rows, 13));
                assert!((measured - hnr).abs() <= HNR_TOLERANCE_DB, "vowel {index}: HNR {measured} instead of {hnr}");
            }
            None => check_formants(index, vowel, &llds, &rows),
        }
    }
}

fn check_pitch(index: usize, vowel: &Vowel, llds: &Llds, rows: &[usize]) {
    let tolerance = if vowel.is_glide() { GLIDE_TOLERANCE } else { F0_TOLERANCE };
    for k in rows {
        let f0 = 27.5 * (f64::from(llds.values[[*k, 10]]) / 12.0).exp2();
        let truth = vowel.f0(llds.times_s[*k]);
        assert!((f0 / truth - 1.0).abs() <= tolerance, "vowel {index}, row {k}: {f0} Hz instead of {truth}");
    }
}

fn check_perturbation(index: usize, vowel: &Vowel, llds: &Llds, rows: &[usize]) {
    let (jitter, shimmer) = (mean(&column(llds, rows, 11)), mean(&column(llds, rows, 12)));
    let (true_jitter, true_shimmer) = (vowel.number(11), vowel.number(12));
    if true_jitter > 0.0 {
        assert!((jitter - true_jitter).abs() <= JITTER_TOLERANCE, "vowel {index}: jitter {jitter}");
    }
    if true_shimmer > 0.0 {
        assert!(shimmer >= SHIMMER_RANGE_DB.0 && shimmer <= SHIMMER_RANGE_DB.1, "vowel {index}: shimmer {shimmer}");
    }
    if vowel.is_clean() {
        assert!(jitter < CLEAN_JITTER, "vowel {index}: jitter {jitter}");
        assert!(shimmer < CLEAN_SHIMMER_DB, "vowel {index}: shimmer {shimmer}");
    }
}

fn check_formants(index: usize, vowel: &Vowel, llds: &Llds, rows: &[usize]) {
    for (n, tolerance) in FORMANT_TOLERANCES.into_iter().enumerate() {
        let truth = vowel.number(5 + n);
        // A glide is held to what its lower end shows.
        let sparse = n == 0 && truth < SPARSE * vowel.number(3).min(vowel.number(4));
        let tolerance = if sparse { SPARSE_TOLERANCE } else { tolerance };
        let measured = median(column(llds, rows, 16 + 3 * n));
        assert!((measured / truth - 1.0).abs() <= tolerance, "vowel {index}: F{} {measured} instead of {truth}", n + 1);
    }
}
