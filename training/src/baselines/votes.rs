//! Majority vote of the position, and chance.

use std::collections::HashMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Fitted;
use crate::Result;
use crate::data::split::Splits;
use crate::data::{Corpus, Split};
use crate::fit::Scored;

/// Draws of the random vote.
const DRAWS: usize = 1000;

/// The share of positives of each position among the training interviews; 0.5 and more votes hirable, as a draw does.
pub(super) struct Majority {
    shares: HashMap<String, f64>,
    overall: f64,
}

impl Majority {
    pub(super) fn fit(corpus: &Corpus, splits: &Splits) -> Majority {
        let mut counts: HashMap<String, (f64, f64)> = HashMap::new();
        let (mut positives, mut all) = (0.0, 0.0);
        for index in splits.of(Split::Train) {
            let record = &corpus.records()[*index];
            let count = counts.entry(record.position.id.clone()).or_default();
            count.0 += f64::from(record.label);
            count.1 += 1.0;
            positives += f64::from(record.label);
            all += 1.0;
        }
        let shares = counts.into_iter().map(|(position, (positives, all))| (position, positives / all)).collect();
        Majority { shares, overall: positives / all }
    }
}

impl Fitted for Majority {
    fn score(&self, corpus: &Corpus, interviews: &[usize]) -> Result<Vec<Scored>> {
        let score = |index: &usize| {
            let record = &corpus.records()[*index];
            let share = self.shares.get(&record.position.id).copied().unwrap_or(self.overall);
            let share = share.clamp(1e-6, 1.0 - 1e-6);
            Scored { index: *index, label: record.label, logit: (share / (1.0 - share)).ln() }
        };
        Ok(interviews.iter().map(score).collect())
    }
}

/// One draw of chance.
pub(super) struct Random {
    seed: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random { seed }
    }
}

impl Fitted for Random {
    fn score(&self, corpus: &Corpus, interviews: &[usize]) -> Result<Vec<Scored>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let score = |index: &usize| Scored {
            index: *index,
            label: corpus.records()[*index].label,
            logit: rng.random_range(-1.0..1.0),
        };
        Ok(interviews.iter().map(score).collect())
    }
}

/// Measures of a vote by chance, each the mean of 1,000 draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomVote {
    /// Of those called hirable, the share that is.
    pub precision: f64,
    /// Of the hirable, the share called so.
    pub recall: f64,
    /// Harmonic mean of the two, draw by draw.
    pub f1: f64,
    /// Mean of the recalls of both classes; `None` where a class is missing.
    pub balanced_accuracy: Option<f64>,
}

/// A vote that says hirable with probability `share`.
#[must_use]
pub fn random_vote(labels: &[u8], share: f64, seed: u64) -> RandomVote {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let positives = labels.iter().map(|y| f64::from(*y)).sum::<f64>();
    let negatives = labels.len() as f64 - positives;
    let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    let mut sums = [0.0; 4];
    for _ in 0..DRAWS {
        let (mut hits, mut votes) = (0.0, 0.0);
        for label in labels {
            if rng.random_bool(share.clamp(0.0, 1.0)) {
                votes += 1.0;
                hits += f64::from(*label);
            }
        }
        let recall = ratio(hits, positives);
        let balanced = f64::midpoint(recall, 1.0 - ratio(votes - hits, negatives));
        for (sum, value) in
            sums.iter_mut().zip([ratio(hits, votes), recall, ratio(2.0 * hits, votes + positives), balanced])
        {
            *sum += value / DRAWS as f64;
        }
    }
    let [precision, recall, f1, balanced] = sums;
    RandomVote { precision, recall, f1, balanced_accuracy: (positives > 0.0 && negatives > 0.0).then_some(balanced) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_vote_measures_what_chance_gives() {
        // Of 45 % positives a vote of 60 % finds 60 %, is right in 45 %, and F1 lies between.
        let labels: Vec<u8> = (0..800).map(|i| u8::from(i % 20 < 9)).collect();
        let vote = random_vote(&labels, 0.6, 1);
        let near = |found: f64, expected: f64| (found - expected).abs() < 0.01;
        assert!(near(vote.precision, 0.45) && near(vote.recall, 0.6) && near(vote.f1, 2.0 * 0.27 / 1.05), "{vote:?}");
        assert!(vote.balanced_accuracy.is_some_and(|found| near(found, 0.5)));
        assert_eq!(random_vote(&[1, 1], 0.5, 1).balanced_accuracy, None);
    }
}
