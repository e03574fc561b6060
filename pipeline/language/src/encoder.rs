use std::path::Path;
use std::sync::Arc;

use hirenet_core::{Schema, Track, Transcript, context_hash256, verbal_hash256};
use hirenet_onnx::{ModelFile, Runtime};
use ndarray::{Array2, ArrayView1, Axis, concatenate};

use crate::pretrained::Pretrained;
use crate::{HASH_DIM, LanguageError, hash_word};

/// Turns words into vectors. One encoder serves answers, questions and titles.
#[derive(Debug)]
pub struct Encoder {
    vectors: Vectors,
    verbal: Arc<Schema>,
    context: Arc<Schema>,
}

#[derive(Debug)]
enum Vectors {
    Hash,
    Pretrained(Box<Pretrained>),
}

impl Encoder {
    /// Hashed character n-grams, [`HASH_DIM`] numbers a word: no file, any language. See [`hash_word`].
    #[must_use]
    pub fn hash256() -> Self {
        Encoder { vectors: Vectors::Hash, verbal: verbal_hash256(), context: context_hash256() }
    }

    /// A pretrained encoder: inputs `input_ids`, `attention_mask` and, where it has it, `token_type_ids` (i64
    /// `[1, S]`), output `last_hidden_state` (f32 `[1, S, D]`). Its schemas are `verbal/NAME/1` and `context/NAME/1`.
    ///
    /// # Errors
    /// [`LanguageError::Name`] for a name that cannot be in an id; [`LanguageError::Onnx`],
    /// [`LanguageError::TokenizerMissing`] and [`LanguageError::TokenizerCorrupt`] for the files;
    /// [`LanguageError::Contract`] where the graph has other inputs or outputs.
    pub fn onnx(runtime: &Runtime, model: &ModelFile, tokenizer: &Path, name: &str) -> Result<Self, LanguageError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if name.is_empty() || name == "hash256" || !name.chars().all(plain) {
            return Err(LanguageError::Name(name.to_owned()));
        }
        let pretrained = Pretrained::open(runtime, model, tokenizer)?;
        let schema = |room: &str| Arc::new(Schema::word_vectors(&format!("{room}/{name}/1"), pretrained.dim()));
        let (verbal, context) = (schema("verbal"), schema("context"));
        Ok(Encoder { vectors: Vectors::Pretrained(Box::new(pretrained)), verbal, context })
    }

    /// Schema of the verbal track.
    #[must_use]
    pub fn verbal_schema(&self) -> Arc<Schema> {
        self.verbal.clone()
    }

    /// Schema of question and title words.
    #[must_use]
    pub fn context_schema(&self) -> Arc<Schema> {
        self.context.clone()
    }

    /// Vectors `[words, D]` of words that stand in one segment, and whether each word has one; zeros where not.
    ///
    /// # Errors
    /// [`LanguageError::Failed`] and [`LanguageError::Onnx`] where a pretrained encoder fails; hashing cannot fail.
    pub fn encode(&mut self, words: &[&str]) -> Result<(Array2<f32>, Vec<bool>), LanguageError> {
        match &mut self.vectors {
            Vectors::Pretrained(pretrained) => pretrained.encode(words),
            Vectors::Hash => {
                let mut vectors = Array2::zeros((words.len(), HASH_DIM));
                let mut valid = vec![false; words.len()];
                for (row, word) in words.iter().enumerate() {
                    if let Some(vector) = hash_word(word) {
                        vectors.row_mut(row).assign(&ArrayView1::from(&vector));
                        valid[row] = true;
                    }
                }
                Ok((vectors, valid))
            }
        }
    }

    /// The verbal track of a transcript: row `k` is `words[k]`, in the context of its segment.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn verbal_track(&mut self, transcript: &Transcript) -> Result<Track, LanguageError> {
        let words: Vec<&str> = transcript.words.iter().map(|word| word.text.as_str()).collect();
        // Segments end where a sentence or a stretch of speech ends; words outside any belong to the one before.
        let mut edges: Vec<usize> =
            transcript.segments.iter().map(|segment| segment.word_first).filter(|first| *first < words.len()).collect();
        edges.extend([0, words.len()]);
        edges.sort_unstable();
        edges.dedup();
        let mut parts = vec![Array2::zeros((0, self.verbal.dim()))];
        let mut valid = Vec::with_capacity(words.len());
        for edge in edges.windows(2) {
            let (vectors, has_vector) = self.encode(&words[edge[0]..edge[1]])?;
            parts.push(vectors);
            valid.extend(has_vector);
        }
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        let values = concatenate(Axis(0), &views).map_err(|error| LanguageError::Failed(error.to_string()))?;
        Ok(Track { schema: self.verbal_schema(), values, valid })
    }

    /// The words of a question or a title, split at white space.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn context(&mut self, text: &str) -> Result<Track, LanguageError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (values, valid) = self.encode(&words)?;
        Ok(Track { schema: self.context_schema(), values, valid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::{Segment, Source, Word};

    #[test]
    fn rows_of_the_verbal_track_are_the_words() {
        let mut transcript = Transcript::empty(Source::Given, None);
        for text in ["Hello", "-", "world."] {
            transcript.words.push(Word { text: text.to_owned(), start: None, end: None, confidence: None });
        }
        let segment =
            |first, last| Segment { start: None, end: None, word_first: first, word_last: last, text: String::new() };
        transcript.segments = vec![segment(0, 1), segment(2, 2)];
        let track = Encoder::hash256().verbal_track(&transcript).unwrap();
        assert_eq!(track.values.dim(), (3, HASH_DIM));
        assert_eq!(track.valid, [true, false, true]);
        assert!(track.values.row(1).iter().all(|v| *v == 0.0));
        assert_eq!(track.values.row(2).to_vec(), hash_word("World").unwrap());
        assert_eq!(track.schema.id, "verbal/hash256/1");
    }

    #[test]
    fn a_question_is_split_at_blanks_and_none_is_no_row() {
        let mut encoder = Encoder::hash256();
        let track = encoder.context("  Why do\nyou apply? ").unwrap();
        assert_eq!((track.rows(), track.valid_rows()), (4, 4));
        assert_eq!(track.schema.id, "context/hash256/1");
        assert_eq!(encoder.context("").unwrap().values.dim(), (0, HASH_DIM));
        assert_eq!(encoder.verbal_track(&Transcript::empty(Source::Given, None)).unwrap().rows(), 0);
    }
}
