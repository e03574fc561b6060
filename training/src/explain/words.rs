//! Attention in the paper's relative form: `p_w = alpha x words of the answer`, `p_q = beta x questions`; the importance of
//! a word is `sqrt(p_q) p_w` (after Yang et al. 2016).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Attended;
use crate::Result;
use crate::data::Corpus;

/// A word said less often is left out: its mean would be chance.
const MIN_COUNT: usize = 5;

/// Importance of a word.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WordWeight {
    /// The word, in lower case.
    pub word: String,
    /// How often it was said.
    pub count: usize,
    /// Mean importance; 1 where attention is even.
    pub importance: f64,
}

/// Relative weight of a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuestionWeight {
    /// Its text.
    pub question: String,
    /// Answers.
    pub count: usize,
    /// Mean of `beta x questions`; 1 where attention is even.
    pub weight: f64,
}

/// Words by mean importance, the highest first. Empty where the files hold no words.
///
/// # Errors
/// Those of reading.
pub fn word_weights(attended: &[Attended], corpus: &Corpus) -> Result<Vec<WordWeight>> {
    let mut sums: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    for a in attended {
        let sample = corpus.sample(a.interview)?;
        let answer = &sample.answers[a.answer];
        let Some(rows) = answer.tracks.verbal.as_ref() else { continue };
        let p_q = f64::from(a.answer_weight) * a.answers as f64;
        for (weight, row) in a.weights.iter().zip(&rows.kept) {
            let Some(word) = answer.words.get(*row as usize) else { continue };
            let sum = sums.entry(word.to_lowercase()).or_default();
            sum.0 += 1;
            sum.1 += p_q.sqrt() * f64::from(*weight) * a.weights.len() as f64;
        }
    }
    let mut weights: Vec<WordWeight> = sums
        .into_iter()
        .filter(|(_, (count, _))| *count >= MIN_COUNT)
        .map(|(word, (count, sum))| WordWeight { word, count, importance: sum / count as f64 })
        .collect();
    weights.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    Ok(weights)
}

/// Questions by mean relative weight, the highest first.
#[must_use]
pub fn question_weights(attended: &[Attended], corpus: &Corpus) -> Vec<QuestionWeight> {
    let mut sums: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for a in attended {
        let question = corpus.records()[a.interview].answers[a.answer].question.as_str();
        let sum = sums.entry(question).or_default();
        sum.0 += 1;
        sum.1 += f64::from(a.answer_weight) * a.answers as f64;
    }
    let mut weights: Vec<QuestionWeight> = sums
        .into_iter()
        .map(|(question, (count, sum))| QuestionWeight {
            question: question.to_owned(),
            count,
            weight: sum / count as f64,
        })
        .collect();
    weights.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    weights
}
