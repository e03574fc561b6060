//! The slices test (after Hemamou et al., ACII 2019): do the attended slices say more of the label than random ones?
//!
//! Per answer, features are averaged inside its attention slices, inside random slices of the same lengths, and inside
//! slices that lie where another answer's attention slices lie. The same classifier is trained on each, on one half of the
//! interviews, and judged on the other; they are compared in pairs by their log loss, the answers of an interview taken
//! together, because they share its label.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Mean over interviews of log loss of the control minus that of attention; positive: attention says more.
    pub gain: f64,
    /// That mean by its standard error.
    pub t: f64,
    /// Probability of so large a `t` on either side where neither says more, by the normal distribution.
    pub p: f64,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SlicesTest {
    /// Answers in the half that is judged.
    pub answers: usize,
    /// Their interviews: the pairs of the test.
    pub interviews: usize,
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
    let interviews: Vec<usize> = with[half..].iter().map(|a| a.interview).collect();
    let [random, position_matched] = controls.map(|scores| paired(&attention, &scores, &labels, &interviews));
    let pairs = interviews.iter().collect::<BTreeSet<_>>().len();
    let attention_auc = auc(&attention, &labels);
    Ok(Some(SlicesTest { answers: labels.len(), interviews: pairs, attention_auc, random, position_matched }))
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

fn paired(attention: &[f64], controls: &[Vec<f64>], labels: &[u8], interviews: &[usize]) -> Paired {
    let loss = |p: f64, y: u8| log_loss(&[p], &[y]);
    // Averaged over the draws, then over an interview's answers, so that an interview counts once.
    let mut by_interview: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (i, y) in labels.iter().enumerate() {
        let control: f64 = controls.iter().map(|scores| loss(scores[i], *y)).sum::<f64>() / controls.len() as f64;
        by_interview.entry(interviews[i]).or_default().push(control - loss(attention[i], *y));
    }
    let differences: Vec<f64> = by_interview.values().map(|of| of.iter().sum::<f64>() / of.len() as f64).collect();
    let [gain, deviation] = crate::eval::report::mean_and_deviation(&differences);
    let auc = controls.iter().map(|scores| auc(scores, labels)).sum::<f64>() / controls.len() as f64;
    let t = gain / (deviation / (differences.len() as f64).sqrt()).max(1e-12);
    Paired { auc, gain, t, p: two_sided(t) }
}

/// Probability that a standard normal variable lies further from 0 than `t` (Numerical Recipes' `erfcc`, whose relative
/// error is below 1.2e-7).
fn two_sided(t: f64) -> f64 {
    /// Of the polynomial in the exponent, from the constant on.
    const COEFFICIENTS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let z = t.abs() / std::f64::consts::SQRT_2;
    let u = 1.0 / (1.0 + 0.5 * z);
    let polynomial = COEFFICIENTS.iter().rev().fold(0.0, |sum, c| sum * u + c);
    u * (polynomial - z * z).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_is_the_normal_distributions() {
        for (t, p) in [(0.0, 1.0), (1.0, 0.317_310_5), (-1.959_964, 0.05), (3.290_527, 0.001)] {
            assert!((two_sided(t) - p).abs() < 1e-6, "{t}: {}", two_sided(t));
        }
    }

    #[test]
    fn an_interview_counts_once_however_many_answers_it_has() {
        let labels: Vec<u8> = (0..60).map(|i| (i % 2) as u8).collect();
        let score = |good: f64| labels.iter().map(|y| if *y == 1 { good } else { 1.0 - good }).collect::<Vec<f64>>();
        let spread = |scores: Vec<f64>| scores.iter().enumerate().map(|(i, p)| p + (i % 7) as f64 * 0.01).collect();
        let attention: Vec<f64> = spread(score(0.7));
        let control = [score(0.6)];
        let test = |interviews: Vec<usize>| paired(&attention, &control, &labels, &interviews);
        let (alone, doubled) = (test((0..60).collect()), test((0..60).map(|i| i / 2).collect()));
        assert!(alone.gain > 0.0 && (alone.gain - doubled.gain).abs() < 1e-12);
        assert!(alone.p < 0.01 && doubled.t != alone.t);
    }
}
