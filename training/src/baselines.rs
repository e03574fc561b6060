//! What needs no network.

mod bag_of_words;
mod non_sequential;
mod votes;

use std::collections::BTreeMap;

use hirenet_core::Modality;

use crate::Result;
use crate::data::split::Splits;
use crate::data::{Corpus, Normalisation};
use crate::fit::Scored;

pub use votes::{RandomVote, random_vote};

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Statistics over an answer's rows, ridge or logistic regression answer by answer.
    NonSequential,
    /// TF-IDF of words over k-means of rows, ridge or logistic regression answer by answer.
    BagOfWords,
    /// The share of positives of the position among the training interviews.
    Majority,
    /// Chance.
    Random,
}

impl Baseline {
    /// Name and modality of each of its parts.
    #[must_use]
    pub fn parts(self, modalities: &[Modality]) -> Vec<(String, Option<Modality>)> {
        let each = |name: &str| modalities.iter().map(|m| (name.to_owned(), Some(*m))).collect();
        match self {
            Baseline::NonSequential => each("non_sequential"),
            Baseline::BagOfWords => each("bag_of_words"),
            Baseline::Majority => vec![("majority".to_owned(), None)],
            Baseline::Random => vec![("random".to_owned(), None)],
        }
    }
}

/// A fitted baseline.
pub trait Fitted {
    /// Logits of interviews; those that lack the modality are left out.
    ///
    /// # Errors
    /// Those of reading.
    fn score(&self, corpus: &Corpus, interviews: &[usize]) -> Result<Vec<Scored>>;
}

/// Fits a baseline.
///
/// # Errors
/// Those of reading, and of equations that cannot be solved.
pub fn fit(
    baseline: Baseline,
    corpus: &Corpus,
    modality: Option<Modality>,
    splits: &Splits,
    normalisations: &BTreeMap<Modality, Normalisation>,
    seed: u64,
) -> Result<Box<dyn Fitted>> {
    let of = || modality.and_then(|m| Some((m, normalisations.get(&m)?)));
    Ok(match (baseline, of()) {
        (Baseline::NonSequential, Some((m, normalisation))) => {
            Box::new(non_sequential::NonSequential::fit(corpus, m, normalisation, splits)?)
        }
        (Baseline::BagOfWords, Some((m, normalisation))) => {
            Box::new(bag_of_words::BagOfWords::fit(corpus, m, normalisation, splits, seed)?)
        }
        (Baseline::Random, _) => Box::new(votes::Random::new(seed)),
        _ => Box::new(votes::Majority::fit(corpus, splits)),
    })
}
