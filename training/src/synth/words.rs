//! Word vectors, computed once a word.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hirenet_core::{HASH_DIM, hash_word};
use ndarray::Array2;

/// Vectors of the words met so far.
#[derive(Default)]
pub(super) struct Vectors(Mutex<HashMap<String, [f32; HASH_DIM]>>);

impl Vectors {
    /// `[L, 256]`: a row a word; zeros where nothing is left of it.
    pub(super) fn rows<S: AsRef<str>>(&self, words: &[S]) -> Array2<f32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Array2::zeros((words.len(), HASH_DIM));
        for (mut row, word) in rows.rows_mut().into_iter().zip(words) {
            let word = word.as_ref();
            if !known.contains_key(word) {
                known.insert(word.to_owned(), hash_word(word).unwrap_or([0.0; HASH_DIM]));
            }
            row.iter_mut().zip(&known[word]).for_each(|(to, from)| *to = *from);
        }
        rows
    }
}
