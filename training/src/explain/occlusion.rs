//! Influence is measured, not assumed: the logit with all rows minus the logit without a slice's rows.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use hirenet_core::Modality;
use ndarray::Axis;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::Attended;
use crate::Result;
use crate::data::{Rows, Sample};
use crate::fit::{PREDICT_BATCH, Single, Task};

/// Interviews that are laid out at once.
const CHUNK: usize = PREDICT_BATCH;
/// Below this rank correlation attention is called not influential.
const INFLUENTIAL: f64 = 0.2;
/// With fewer slices, of the network or of its control, nothing is said of attention.
const FEWEST_SLICES: usize = 20;
/// Bootstrap draws of the rank correlation's interval.
const DRAWS: u64 = 400;

/// Attention against influence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Influence {
    /// Slices looked at, random ones included.
    pub slices: usize,
    /// Spearman's rank correlation of attention mass (answer weight times rows' weights) and |influence|.
    pub rank_correlation: f64,
    /// Its 95 % bootstrap interval over interviews: the slices of one interview are no independent witnesses.
    pub interval: [f64; 2],
    /// Mean |influence| of attention slices.
    pub attention: f64,
    /// Mean |influence| of random slices of the same lengths.
    pub random: f64,
}

impl Influence {
    /// Whether attention goes with influence more than chance gives: the correlation is above 0.2, its whole interval above
    /// 0 and above the correlation that the same network has when it was trained on shuffled labels. `None` where one of the
    /// two has too few slices to tell.
    #[must_use]
    pub fn exceeds(&self, control: &Influence) -> Option<bool> {
        let can_tell = self.slices.min(control.slices) >= FEWEST_SLICES;
        can_tell.then(|| self.rank_correlation >= INFLUENTIAL && self.interval[0] > control.rank_correlation.max(0.0))
    }
}

/// An interview without some rows (among those in use) of one answer.
fn without(sample: &Sample, modality: Modality, answer: usize, rows: RangeInclusive<usize>) -> Sample {
    let mut sample = sample.clone();
    let tracks = &mut sample.answers[answer].tracks;
    if let Some(track) = tracks.get(modality) {
        let left: Vec<usize> = (0..track.kept.len()).filter(|row| !rows.contains(row)).collect();
        let kept: Vec<u32> = left.iter().map(|row| track.kept[*row]).collect();
        let cut = Rows { values: track.values.select(Axis(0), &left), kept };
        tracks.set(modality, (!left.is_empty()).then_some(cut));
    }
    sample
}

fn logits(single: &Single<'_>, samples: &[Arc<Sample>]) -> Result<Vec<f64>> {
    let mut logits = Vec::with_capacity(samples.len());
    for chunk in samples.chunks(CHUNK) {
        // An interview that has nothing left answers 0, as in the graph.
        let has = |sample: &Arc<Sample>| sample.answers.iter().any(|a| a.tracks.get(single.modality).is_some());
        let batch = single.lay_out(chunk.iter().filter(|s| has(s)).cloned())?;
        let mut found = match &batch {
            Some(batch) => single.logits(batch)?.into_iter(),
            None => Vec::new().into_iter(),
        };
        for sample in chunk {
            logits.push(if has(sample) { found.next().map_or(0.0, |s| s.logit) } else { 0.0 });
        }
    }
    Ok(logits)
}

/// Leaves out each attention slice, and a random slice of the same length beside each.
///
/// # Errors
/// Those of reading and of the device.
pub fn influence(single: &Single<'_>, attended: &[Attended], seed: u64) -> Result<Influence> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut masses, mut whole, mut cut, mut is_random) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut interviews = Vec::new();
    for a in attended {
        let sample = single.corpus.sample(a.interview)?;
        for slice in &a.slices {
            let length = slice.last - slice.first + 1;
            let random = rng.random_range(0..=a.weights.len() - length);
            for (first, chance) in [(slice.first, false), (random, true)] {
                let rows = first..=first + length - 1;
                let mass: f32 = a.weights[rows.clone()].iter().sum();
                masses.push(f64::from(a.answer_weight * mass));
                cut.push(Arc::new(without(&sample, single.modality, a.answer, rows)));
                whole.push(sample.clone());
                is_random.push(chance);
                interviews.push(a.interview);
            }
        }
    }
    let (before, after) = (logits(single, &whole)?, logits(single, &cut)?);
    let influences: Vec<f64> = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).collect();
    let mean = |chance: bool| {
        let of: Vec<f64> = influences.iter().zip(&is_random).filter(|(_, c)| **c == chance).map(|(i, _)| *i).collect();
        of.iter().sum::<f64>() / of.len().max(1) as f64
    };
    let rank_correlation = spearman(&masses, &influences);
    Ok(Influence {
        slices: masses.len(),
        rank_correlation,
        interval: interval(&masses, &influences, &interviews, seed),
        attention: mean(false),
        random: mean(true),
    })
}

/// 95 % interval of the rank correlation, whole interviews drawn with replacement; `interviews` names each pair's.
fn interval(a: &[f64], b: &[f64], interviews: &[usize], seed: u64) -> [f64; 2] {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, interview) in interviews.iter().enumerate() {
        members.entry(*interview).or_default().push(place);
    }
    let members: Vec<Vec<usize>> = members.into_values().collect();
    if members.is_empty() {
        return [0.0; 2];
    }
    let mut found: Vec<f64> = (0..DRAWS)
        .into_par_iter()
        .map(|draw| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(draw);
            let drawn = (0..members.len()).flat_map(|_| members[rng.random_range(0..members.len())].iter());
            let (a, b): (Vec<f64>, Vec<f64>) = drawn.map(|place| (a[*place], b[*place])).unzip();
            spearman(&a, &b)
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let at = |share: f64| found[((DRAWS - 1) as f64 * share).round() as usize];
    [at(0.025), at(0.975)]
}

/// Ranks with ties averaged.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let end = order[at..].iter().position(|i| values[*i] != values[order[at]]).map_or(order.len(), |n| at + n);
        order[at..end].iter().for_each(|i| ranks[*i] = (at + end - 1) as f64 / 2.0);
        at = end;
    }
    ranks
}

/// Spearman's rank correlation; 0 where one side does not move.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    if scale > 0.0 { product(&a, &b) / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn influence(rank_correlation: f64, low: f64) -> Influence {
        Influence { slices: 100, rank_correlation, interval: [low, 1.0], attention: 1.0, random: 1.0 }
    }

    #[test]
    fn attention_is_influential_only_beyond_chance_and_the_control() {
        let control = influence(0.3, 0.1);
        assert_eq!(influence(0.6, 0.5).exceeds(&control), Some(true));
        // Not above the control with certainty, not above 0, and too small a correlation.
        assert_eq!(influence(0.6, 0.25).exceeds(&control), Some(false));
        assert_eq!(influence(0.3, -0.1).exceeds(&influence(-0.2, -0.5)), Some(false));
        assert_eq!(influence(0.1, 0.05).exceeds(&influence(0.0, -0.1)), Some(false));
        // A control in which nothing stands out is no control.
        assert_eq!(influence(0.6, 0.5).exceeds(&Influence { slices: 0, ..control }), None);
    }

    #[test]
    fn the_interval_draws_whole_interviews() {
        let a: Vec<f64> = (0..200).map(f64::from).collect();
        let b: Vec<f64> = (0..200).map(|i| f64::from(i) + f64::from(i * 7919 % 160)).collect();
        let width = |interviews: &[usize]| {
            let [low, high] = interval(&a, &b, interviews, 1);
            assert!(low < spearman(&a, &b) && spearman(&a, &b) < high);
            high - low
        };
        let (alone, grouped): (Vec<usize>, Vec<usize>) = (0..200).map(|i| (i, i / 40)).unzip();
        // Five interviews tell less than two hundred.
        assert!(width(&grouped) > width(&alone));
    }

    #[test]
    fn rank_correlation_is_spearmans() {
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[1.0, 8.0, 27.0, 64.0]) - 1.0).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        // Worked by hand: ranks 0, 1.5, 1.5, 3 against 1, 0, 2, 3.
        let expected = 3.0 / (4.5_f64 * 5.0).sqrt();
        assert!((spearman(&[1.0, 2.0, 2.0, 5.0], &[2.0, 1.0, 3.0, 4.0]) - expected).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
    }
}
