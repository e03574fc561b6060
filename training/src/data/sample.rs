//! One interview in memory.

use hirenet_core::ByModality;
use ndarray::Array2;

/// A track without the rows that are not valid: what networks and the graph contract see.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// `[T, D]`
    pub values: Array2<f32>,
    /// The index each row had before, and so its time.
    pub kept: Vec<u32>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerSample {
    /// Question words `[L, E]`.
    pub question: Array2<f32>,
    /// What there is of it; a track without a valid row is `None`.
    pub tracks: ByModality<Rows>,
    /// Start and end of each word in seconds, NaN where unknown; empty where the file has none.
    pub word_times: Vec<[f32; 2]>,
    /// The words, where the file has them.
    pub words: Vec<String>,
}

/// One interview.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its place in the corpus.
    pub index: usize,
    /// 1 hirable, 0 not.
    pub label: f32,
    /// Title words `[L, E]`.
    pub title: Array2<f32>,
    /// The answers in order.
    pub answers: Vec<AnswerSample>,
}

impl Sample {
    /// Bytes it takes, roughly.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let rows = |rows: &Rows| rows.values.len() * 4 + rows.kept.len() * 4;
        let answer = |answer: &AnswerSample| {
            let words: usize = answer.words.iter().map(|word| word.len() + 24).sum();
            answer.question.len() * 4 + answer.tracks.iter().map(|(_, t)| rows(t)).sum::<usize>() + words
        };
        self.title.len() * 4 + self.answers.iter().map(answer).sum::<usize>()
    }
}
