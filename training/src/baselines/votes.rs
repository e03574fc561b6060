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

/// F1 of a vote that says hirable with probability `share`, the mean of 1,000 draws.
#[must_use]
pub fn random_vote_f1(labels: &[u8], share: f64, seed: u64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sum = 0.0;
    for _ in 0..DRAWS {
        let (mut hits, mut votes, mut positives) = (0.0, 0.0, 0.0);
        for label in labels {
            let vote = rng.random_bool(share.clamp(0.0, 1.0));
            votes += f64::from(u8::from(vote));
            positives += f64::from(*label);
            hits += if vote { f64::from(*label) } else { 0.0 };
        }
        sum += if votes + positives > 0.0 { 2.0 * hits / (votes + positives) } else { 0.0 };
    }
    sum / DRAWS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_votes_f1_is_about_the_share() {
        let labels: Vec<u8> = (0..800).map(|i| u8::from(i % 20 < 9)).collect();
        assert!((random_vote_f1(&labels, 0.45, 1) - 0.45).abs() < 0.01);
    }
}
