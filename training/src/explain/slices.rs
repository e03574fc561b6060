//! The slices test (after Hemamou et al., ACII 2019): do the attended slices say more of the label than random ones?
//!
//! Per answer, features are averaged inside its attention slices, inside random slices of the same lengths, and inside
//! slices that lie where another answer's attention slices lie. The same classifier is trained on each, on one half of the
//! interviews, and judged on the other; answers are compared in pairs by their log loss.

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::Attended;
use crate::Result;
use crate::data::{Corpus, Normalisation};
use crate::eval::metrics::{auc, log_loss, sigmoid};
use crate::fit::Single;
use crate::models::linear::{Classifier, Learner};

/// Random slices are drawn anew this often.
const SEEDS: u64 = 5;
const PENALTY: f64 = 1e-2;

/// Attention slices against one kind of control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// Mean AUC of the control.
    pub auc: f64,
    /// Mean over pairs of log loss of the control minus that of attention; positive: attention says more.
    pub gain: f64,
    /// That mean by its standard error.
    pub t: f64,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SlicesTest {
    /// Answers in the half that is judged.
    pub answers: usize,
    /// AUC of the classifier on attention slices.
    pub attention_auc: f64,
    /// Against slices anywhere.
    pub random: Paired,
    /// Against slices at the places of other answers' slices.
    pub position_matched: Paired,
}

/// Rows `first..=last` of some slices.
type Slices = Vec<(usize, usize)>;

fn anywhere(a: &Attended, rng: &mut ChaCha8Rng) -> Slices {
    let place = |length: usize| {
        let first = rng.random_range(0..=a.weights.len() - length);
        (first, first + length - 1)
    };
    a.slices.iter().map(|slice| slice.last - slice.first + 1).map(place).collect()
}

/// The slices' lengths, at the relative places of another answer's slices.
fn matched(a: &Attended, other: &Attended, rng: &mut ChaCha8Rng) -> Slices {
    let rows = a.weights.len();
    let place = |length: usize| {
        let slice = other.slices[rng.random_range(0..other.slices.len())];
        let centre = (slice.first + slice.last) as f64 / 2.0 / other.weights.len() as f64;
        let first = ((centre * rows as f64 - length as f64 / 2.0).max(0.0) as usize).min(rows - length);
        (first, first + length - 1)
    };
    a.slices.iter().map(|slice| slice.last - slice.first + 1).map(place).collect()
}

/// Runs the test over answers that have a slice; `None` where they are too few.
///
/// # Errors
/// Those of reading.
pub fn slices_test(single: &Single<'_>, attended: &[Attended]) -> Result<Option<SlicesTest>> {
    let with: Vec<&Attended> = attended.iter().filter(|a| !a.slices.is_empty()).collect();
    let half = with.partition_point(|a| a.interview < with[with.len() / 2].interview.max(1)).min(with.len());
    if with.is_empty() || half < 50 || with.len() - half < 50 {
        return Ok(None);
    }
    let judge = |slices: &[Slices]| judge(single.corpus, single.normalisation, single.modality, &with, slices, half);
    let own: Vec<Slices> = with.iter().map(|a| a.slices.iter().map(|s| (s.first, s.last)).collect()).collect();
    let (attention, labels) = judge(&own)?;
    let mut controls = [Vec::new(), Vec::new()];
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let random: Vec<Slices> = with.iter().map(|a| anywhere(a, &mut rng)).collect();
        let same_places: Vec<Slices> =
            with.iter().map(|a| matched(a, with[rng.random_range(0..with.len())], &mut rng)).collect();
        controls[0].push(judge(&random)?.0);
        controls[1].push(judge(&same_places)?.0);
    }
    let [random, position_matched] = controls.map(|scores| paired(&attention, &scores, &labels));
    Ok(Some(SlicesTest { answers: labels.len(), attention_auc: auc(&attention, &labels), random, position_matched }))
}

/// Probabilities and labels of the second half under a classifier trained on the first.
fn judge(
    corpus: &Corpus,
    normalisation: &Normalisation,
    modality: hirenet_core::Modality,
    answers: &[&Attended],
    slices: &[Slices],
    half: usize,
) -> Result<(Vec<f64>, Vec<u8>)> {
    let mut x = Array2::zeros((answers.len(), normalisation.mean.len()));
    for ((mut to, a), slices) in x.rows_mut().into_iter().zip(answers).zip(slices) {
        let sample = corpus.sample(a.interview)?;
        let Some(rows) = sample.answers[a.answer].tracks.get(modality) else { continue };
        let taken: Vec<usize> = slices.iter().flat_map(|(first, last)| *first..=*last).collect();
        for row in &taken {
            let normal =
                normalisation.apply(rows.values.row(*row).to_slice().unwrap_or_default()).collect::<Vec<f32>>();
            to.iter_mut().zip(normal).for_each(|(sum, value)| *sum += value / taken.len() as f32);
        }
    }
    let labels: Vec<u8> = answers.iter().map(|a| corpus.records()[a.interview].label).collect();
    let train = x.slice(ndarray::s![..half, ..]).to_owned();
    let classifier = Classifier::fit(Learner::Logistic, &train, &labels[..half], PENALTY)?;
    let judged = x.rows().into_iter().skip(half).map(|row| sigmoid(classifier.logit(&row.to_vec())));
    Ok((judged.collect(), labels[half..].to_vec()))
}

fn paired(attention: &[f64], controls: &[Vec<f64>], labels: &[u8]) -> Paired {
    let loss = |p: f64, y: u8| log_loss(&[p], &[y]);
    // Averaged over the draws first, so that an answer counts once.
    let differences: Vec<f64> = labels
        .iter()
        .enumerate()
        .map(|(i, y)| {
            let control: f64 = controls.iter().map(|scores| loss(scores[i], *y)).sum::<f64>() / controls.len() as f64;
            control - loss(attention[i], *y)
        })
        .collect();
    let [gain, deviation] = crate::eval::report::mean_and_deviation(&differences);
    let auc = controls.iter().map(|scores| auc(scores, labels)).sum::<f64>() / controls.len() as f64;
    Paired { auc, gain, t: gain / (deviation / (differences.len() as f64).sqrt()).max(1e-12) }
}
