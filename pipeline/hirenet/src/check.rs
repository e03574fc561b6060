//! What a graph promises beyond its signature, tried on random tracks: every subset of modalities, several lengths.

use std::collections::BTreeSet;

use hirenet_core::Modality;
use ndarray::{Array1, Array3, ArrayView1, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::interview::{Packed, PackedModality, Padded};
use crate::run::{BranchOutputs, Outputs};
use crate::{Bundle, contract};

/// How far sums of attention may be from 1, and absent logits from 0.
const SUM_TOLERANCE: f32 = 1e-3;
/// How far padding may move an output.
const PADDING_TOLERANCE: f32 = 1e-4;
/// Weight that a masked place may have.
const ZERO_TOLERANCE: f32 = 1e-6;
/// Rows of padding that the second run adds, filled with numbers far from any feature's.
const EXTRA_PADDING: usize = 3;
const PADDING_RANGE: f32 = 50.0;

/// For each shape: the longest sequence of words, and each answer's rows (shifted by one answer for each modality, so that
/// modalities lack different answers).
const SHAPES: [(usize, &[usize]); 5] =
    [(1, &[1]), (1, &[1, 0]), (3, &[5, 1, 0]), (8, &[17, 0, 60, 1, 33, 2]), (4, &[9; 12])];

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// How often the graph was run.
    pub runs: usize,
    /// One sentence for each promise that was broken, with the first case that broke it; empty: all were kept.
    pub findings: Vec<String>,
}

impl CheckReport {
    /// True where every promise was kept.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Runs a bundle, whose card and signature were checked by loading it, on seeded random tracks: each subset of its
/// modalities, answers without rows, single rows, long ones. Attention must sum to 1 over what is in use and be 0 elsewhere,
/// an absent modality must answer 0, no output may hold NaN, and neither the content nor the amount of padding may change
/// an output.
pub fn check(bundle: &mut Bundle) -> CheckReport {
    let modalities: Vec<Modality> = bundle.modalities().collect();
    let mut checker = Checker { report: CheckReport::default(), broken: BTreeSet::new() };
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for subset in 0..1_usize << modalities.len() {
        let there: Vec<Modality> =
            modalities.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1).map(|(_, m)| *m).collect();
        for (words, rows) in SHAPES {
            let packed = random(&mut rng, bundle, &there, words, rows);
            checker.case(bundle, &packed, &there, &mut rng);
        }
    }
    checker.report
}

/// What the outputs of one run break of the promises about attention and absent modalities, one sentence each.
pub(crate) fn breaches(packed: &Packed, outputs: &Outputs) -> Vec<String> {
    let mut checker = Checker { report: CheckReport::default(), broken: BTreeSet::new() };
    checker.promises(packed, outputs, &format!("A = {}", packed.answers()));
    checker.report.findings
}

/// A random interview where only the modalities in `there` have rows.
fn random(rng: &mut ChaCha8Rng, bundle: &Bundle, there: &[Modality], words: usize, rows: &[usize]) -> Packed {
    let schemas = bundle.schemas();
    let modalities = schemas.iter().map(|(modality, schema)| {
        let shift = modality as usize % rows.len();
        let length = |answer: usize| {
            let rows = rows[(answer + shift) % rows.len()];
            // Modalities differ in length, as words and windows do.
            if there.contains(&modality) { rows + rows * modality as usize / 2 } else { 0 }
        };
        let lengths: Vec<usize> = (0..rows.len()).map(length).collect();
        let kept = lengths.iter().map(|length| (0..*length).collect()).collect();
        PackedModality { modality, rows: sequences(rng, &lengths, schema.dim()), kept }
    });
    let modalities: Vec<PackedModality> = modalities.collect();
    let width = bundle.context_schema().dim();
    let lengths: Vec<usize> = (0..rows.len()).map(|answer| (words + answer) % (words + 1)).collect();
    let question = sequences(rng, &lengths, width);
    let title = sequences(rng, &[words / 2], width);
    Packed { modalities, question, title }
}

fn sequences(rng: &mut ChaCha8Rng, lengths: &[usize], width: usize) -> Padded {
    let longest = lengths.iter().copied().max().unwrap_or(0).max(1);
    let mut values = Array3::zeros((lengths.len(), longest, width));
    for (sequence, length) in lengths.iter().enumerate() {
        values.slice_mut(s![sequence, ..*length, ..]).mapv_inplace(|_: f32| rng.random_range(-1.0..1.0));
    }
    Padded { values, lengths: lengths.iter().map(|length| *length as i64).collect() }
}

/// The same sequences with more padding, and with noise in all of it.
fn with_noise(rng: &mut ChaCha8Rng, padded: &Padded) -> Padded {
    let (count, longest, width) = padded.values.dim();
    let mut noise = |shape| Array3::from_shape_simple_fn(shape, || rng.random_range(-PADDING_RANGE..PADDING_RANGE));
    let mut values = noise((count, longest + EXTRA_PADDING, width));
    for (sequence, length) in padded.lengths.iter().enumerate() {
        let rows = s![sequence, ..*length as usize, ..];
        values.slice_mut(rows).assign(&padded.values.slice(rows));
    }
    Padded { values, lengths: padded.lengths.clone() }
}

struct Checker {
    report: CheckReport,
    /// Output and promise, so that each broken promise is told once.
    broken: BTreeSet<(String, &'static str)>,
}

impl Checker {
    fn case(&mut self, bundle: &mut Bundle, packed: &Packed, there: &[Modality], rng: &mut ChaCha8Rng) {
        let case = describe(packed, there);
        let Some(outputs) = self.run(bundle, packed, &case) else { return };
        self.promises(packed, &outputs, &case);
        let noisy = Packed {
            modalities: packed
                .modalities
                .iter()
                .map(|m| PackedModality { rows: with_noise(rng, &m.rows), ..m.clone() })
                .collect(),
            question: with_noise(rng, &packed.question),
            title: with_noise(rng, &packed.title),
        };
        if let Some(other) = self.run(bundle, &noisy, &case) {
            self.padding(packed, &outputs, &other, &case);
        }
    }

    fn promises(&mut self, packed: &Packed, outputs: &Outputs, case: &str) {
        self.modality_attention(outputs, packed, case);
        for (m, branch) in packed.modalities.iter().zip(&outputs.branches) {
            self.branch(m, branch, case);
        }
    }

    fn run(&mut self, bundle: &mut Bundle, packed: &Packed, case: &str) -> Option<Outputs> {
        self.report.runs += 1;
        let tell = |error| {
            let advice = "where a shape is at fault, the export fixed an axis: A, T and L must be dynamic";
            self.tell("graph", "runs", &format!("{error}; {advice}"), case);
        };
        bundle.run(packed).map_err(tell).ok()
    }

    fn tell(&mut self, output: &str, promise: &'static str, sentence: &str, case: &str) {
        if self.broken.insert((output.to_owned(), promise)) {
            self.report.findings.push(format!("{output}: {sentence} ({case})"));
        }
    }

    /// Weights are 0 or more, sum to 1 over the `used` places (to 0 where there is none), and are 0 elsewhere.
    fn weights(&mut self, output: &str, weights: &ArrayView1<'_, f32>, used: impl Fn(usize) -> bool, case: &str) {
        let sum: f32 = weights.iter().enumerate().filter(|(place, _)| used(*place)).map(|(_, w)| w).sum();
        let any = (0..weights.len()).any(&used);
        if any && (sum - 1.0).abs() > SUM_TOLERANCE {
            self.tell(
                output,
                "sum",
                &format!("the weights in use sum to {sum}, not to 1; apply the softmax to them alone"),
                case,
            );
        }
        if weights.iter().any(|weight| *weight < -ZERO_TOLERANCE) {
            self.tell(output, "sign", "a weight is negative", case);
        }
        if weights.iter().enumerate().any(|(place, weight)| !used(place) && weight.abs() > ZERO_TOLERANCE) {
            self.tell(
                output,
                "mask",
                "a place that is not in use has a weight; multiply the weights by the mask",
                case,
            );
        }
    }

    fn modality_attention(&mut self, outputs: &Outputs, packed: &Packed, case: &str) {
        let used = |place: usize| {
            let there = |m: &&PackedModality| m.modality as usize == place;
            packed.modalities.iter().find(there).is_some_and(|m| m.rows.lengths.sum() > 0)
        };
        self.weights(contract::MODALITY_ATTENTION, &outputs.modality_attention.view(), used, case);
    }

    fn branch(&mut self, m: &PackedModality, branch: &BranchOutputs, case: &str) {
        let output = contract::attention(m.modality);
        for (answer, length) in m.rows.lengths.iter().enumerate() {
            self.weights(&output, &branch.attention.row(answer), |row| (row as i64) < *length, case);
        }
        let output = contract::answer_attention(m.modality);
        self.weights(&output, &branch.answers.view(), |answer| m.rows.lengths[answer] > 0, case);
        if m.rows.lengths.sum() == 0 && branch.logit.abs() > ZERO_TOLERANCE {
            let output = contract::logit(m.modality);
            let sentence = format!("it is {} where no answer has the modality; it must be 0", branch.logit);
            self.tell(&output, "absent", &sentence, case);
        }
    }

    fn padding(&mut self, packed: &Packed, outputs: &Outputs, other: &Outputs, case: &str) {
        let mut compare = |output: &str, a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>| {
            let moved = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            if moved > PADDING_TOLERANCE {
                let sentence = format!("padding moves it by {moved}; mask every row beyond the length");
                self.tell(output, "padding", &sentence, case);
            }
        };
        let scalar = |value: f32| Array1::from_elem(1, value);
        compare(contract::LOGIT, scalar(outputs.logit).view(), scalar(other.logit).view());
        let (gates, other_gates) = (outputs.modality_attention.view(), other.modality_attention.view());
        compare(contract::MODALITY_ATTENTION, gates, other_gates);
        for ((m, a), b) in packed.modalities.iter().zip(&outputs.branches).zip(&other.branches) {
            compare(&contract::logit(m.modality), scalar(a.logit).view(), scalar(b.logit).view());
            compare(&contract::answer_attention(m.modality), a.answers.view(), b.answers.view());
            for (row, padded) in a.attention.rows().into_iter().zip(b.attention.rows()) {
                compare(&contract::attention(m.modality), row, padded.slice_move(s![..row.len()]));
            }
        }
    }
}

/// The case in an exporter's letters.
fn describe(packed: &Packed, there: &[Modality]) -> String {
    let names: Vec<&str> = there.iter().map(|m| m.as_str()).collect();
    let names = if names.is_empty() { "no modality".to_owned() } else { names.join(" + ") };
    let longest = packed.modalities.iter().map(|m| m.rows.values.dim().1).max().unwrap_or(1);
    format!("A = {}, T up to {longest}, L = {}, {names}", packed.answers(), packed.question.values.dim().1)
}
