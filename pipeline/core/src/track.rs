use std::sync::Arc;

use ndarray::{Array2, Axis};

use crate::Schema;

/// One modality of one answer: rows of named columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// What the rows and columns are.
    pub schema: Arc<Schema>,
    /// `[T, D]`; zeros where a row is not valid. Always finite.
    pub values: Array2<f32>,
    /// `[T]`; false where a row carries no evidence.
    pub valid: Vec<bool>,
}

impl Track {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.valid.len()
    }

    /// Number of rows with evidence.
    #[must_use]
    pub fn valid_rows(&self) -> usize {
        self.valid.iter().filter(|v| **v).count()
    }

    /// The valid rows `[valid_rows, D]`, and the index each had before.
    #[must_use]
    pub fn compact(&self) -> (Array2<f32>, Vec<usize>) {
        let kept: Vec<usize> = (0..self.rows()).filter(|row| self.valid[*row]).collect();
        (self.values.select(Axis(0), &kept), kept)
    }
}
