//! Mean and standard deviation of each feature over the training rows.

use std::collections::BTreeMap;

use hirenet_core::Modality;
use ndarray::Array1;
use rayon::prelude::*;

use super::Corpus;
use crate::{Result, TrainError};

/// A feature that never moves gets this deviation.
const MIN_STD: f32 = 1e-4;

/// Statistics of one modality's features.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalisation {
    /// `[D]`
    pub mean: Array1<f32>,
    /// `[D]`, positive.
    pub std: Array1<f32>,
}

impl Normalisation {
    /// Writes `(x - mean) / std` of one row.
    pub fn apply<'a>(&'a self, row: impl IntoIterator<Item = &'a f32> + 'a) -> impl Iterator<Item = f32> + 'a {
        row.into_iter().zip(&self.mean).zip(&self.std).map(|((x, mean), std)| (x - mean) / std)
    }
}

/// The statistics of each of the corpus's modalities over the interviews with these numbers.
///
/// # Errors
/// Those of reading the interviews; [`TrainError::Dataset`] where none of them has a row of a modality.
pub fn normalisation(corpus: &Corpus, train: &[usize]) -> Result<BTreeMap<Modality, Normalisation>> {
    let widths: Vec<(Modality, usize)> = corpus
        .modalities()
        .iter()
        .map(|m| (*m, corpus.header().schemas.get(*m).map_or(0, |schema| schema.columns)))
        .collect();
    let empty = || widths.iter().map(|(_, width)| Sums::new(*width)).collect::<Vec<_>>();
    // Summed in the interviews' order, so that any number of cores gives the same.
    let parts: Vec<Vec<Sums>> = train
        .par_iter()
        .map(|index| {
            let sample = corpus.sample(*index)?;
            let mut sums = empty();
            for answer in &sample.answers {
                for ((modality, _), sums) in widths.iter().zip(&mut sums) {
                    if let Some(rows) = answer.tracks.get(*modality) {
                        rows.values.rows().into_iter().for_each(|row| sums.add(&row));
                    }
                }
            }
            Ok(sums)
        })
        .collect::<Result<_>>()?;
    let mut total = empty();
    for part in &parts {
        total.iter_mut().zip(part).for_each(|(total, part)| total.join(part));
    }
    if let Some(((modality, _), _)) = widths.iter().zip(&total).find(|(_, sums)| sums.count == 0.0) {
        let detail = format!("no training interview has a valid {modality} row; leave it out of --modalities");
        return Err(TrainError::dataset(corpus.records_file(), detail));
    }
    Ok(widths.iter().zip(total).map(|((modality, _), sums)| (*modality, sums.finish())).collect())
}

struct Sums {
    count: f64,
    sum: Array1<f64>,
    squares: Array1<f64>,
}

impl Sums {
    fn new(width: usize) -> Sums {
        Sums { count: 0.0, sum: Array1::zeros(width), squares: Array1::zeros(width) }
    }

    fn add(&mut self, row: &ndarray::ArrayView1<'_, f32>) {
        self.count += 1.0;
        for ((sum, square), x) in self.sum.iter_mut().zip(&mut self.squares).zip(row) {
            *sum += f64::from(*x);
            *square += f64::from(*x).powi(2);
        }
    }

    fn join(&mut self, other: &Sums) {
        self.count += other.count;
        self.sum += &other.sum;
        self.squares += &other.squares;
    }

    fn finish(self) -> Normalisation {
        let count = self.count.max(1.0);
        let mean = self.sum / count;
        let variance = self.squares / count - &mean * &mean;
        Normalisation { std: variance.mapv(|v| (v.max(0.0).sqrt() as f32).max(MIN_STD)), mean: mean.mapv(|v| v as f32) }
    }
}
