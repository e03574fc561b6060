//! Bag of words: every row is put to the nearest of k means, and an answer is its TF-IDF over them (after Chen et al. 2017).

use hirenet_core::Modality;
use ndarray::{Array1, Array2, ArrayView1, Axis};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Fitted;
use super::non_sequential::{by_interview, table};
use crate::Result;
use crate::data::split::Splits;
use crate::data::{Corpus, Normalisation, Split};
use crate::fit::Scored;
use crate::models::linear::{Classifier, Learner};

/// Words of the book.
const WORDS: usize = 64;
/// Rows that the means are found on.
const ROWS: usize = 8000;
/// Rounds of Lloyd's algorithm.
const ROUNDS: usize = 12;

pub(super) struct BagOfWords {
    modality: Modality,
    normalisation: Normalisation,
    means: Array2<f32>,
    /// Logarithm of answers by answers with the word.
    rarity: Array1<f32>,
    classifier: Classifier,
}

impl BagOfWords {
    pub(super) fn fit(
        corpus: &Corpus,
        modality: Modality,
        normalisation: &Normalisation,
        splits: &Splits,
        seed: u64,
    ) -> Result<BagOfWords> {
        let means = k_means(&some_rows(corpus, splits.of(Split::Train), modality, normalisation)?, seed);
        let counts =
            |split| table(corpus, splits.of(split), modality, WORDS, |rows| frequencies(rows, normalisation, &means));
        let (mut train, mut validation) = (counts(Split::Train)?, counts(Split::Validation)?);
        let answers = train.x.nrows() as f32;
        let with = train.x.mapv(|f| f32::from(u8::from(f > 0.0))).sum_axis(Axis(0));
        let rarity = with.mapv(|n| ((1.0 + answers) / (1.0 + n)).ln());
        train.x *= &rarity;
        validation.x *= &rarity;
        let classifier =
            Classifier::best(&Learner::ALL, (&train.x, &train.labels), (&validation.x, &validation.labels))?;
        Ok(BagOfWords { modality, normalisation: normalisation.clone(), means, rarity, classifier })
    }
}

impl Fitted for BagOfWords {
    fn score(&self, corpus: &Corpus, interviews: &[usize]) -> Result<Vec<Scored>> {
        let describe = |rows: &Array2<f32>| frequencies(rows, &self.normalisation, &self.means);
        let mut answers = table(corpus, interviews, self.modality, WORDS, describe)?;
        answers.x *= &self.rarity;
        Ok(by_interview(&answers, &self.classifier))
    }
}

/// Normalised rows of the first interviews.
fn some_rows(
    corpus: &Corpus,
    train: &[usize],
    modality: Modality,
    normalisation: &Normalisation,
) -> Result<Array2<f32>> {
    let columns = normalisation.mean.len();
    let mut values = Vec::new();
    for index in train {
        let sample = corpus.sample(*index)?;
        for rows in sample.answers.iter().filter_map(|answer| answer.tracks.get(modality)) {
            rows.values.rows().into_iter().for_each(|row| values.extend(normalisation.apply(row)));
        }
        if values.len() >= ROWS * columns {
            break;
        }
    }
    let rows = (values.len() / columns).min(ROWS);
    values.truncate(rows * columns);
    Array2::from_shape_vec((rows, columns), values).map_err(|error| crate::TrainError::Compute(error.to_string()))
}

fn nearest(row: &ArrayView1<'_, f32>, means: &Array2<f32>) -> usize {
    let distance = |mean: ArrayView1<'_, f32>| -> f32 { row.iter().zip(mean).map(|(a, b)| (a - b) * (a - b)).sum() };
    let distances: Vec<f32> = means.rows().into_iter().map(distance).collect();
    (0..distances.len()).min_by(|a, b| distances[*a].total_cmp(&distances[*b])).unwrap_or(0)
}

fn k_means(rows: &Array2<f32>, seed: u64) -> Array2<f32> {
    let all: Vec<usize> = (0..rows.nrows()).collect();
    let chosen: Vec<usize> = all.choose_multiple(&mut ChaCha8Rng::seed_from_u64(seed), WORDS).copied().collect();
    let mut means = rows.select(Axis(0), &chosen);
    for _ in 0..ROUNDS {
        let nearest: Vec<usize> = all.par_iter().map(|row| nearest(&rows.row(*row), &means)).collect();
        let mut sums = Array2::<f32>::zeros(means.dim());
        let mut counts = vec![0.0_f32; means.nrows()];
        for (row, mean) in nearest.into_iter().enumerate() {
            sums.row_mut(mean).scaled_add(1.0, &rows.row(row));
            counts[mean] += 1.0;
        }
        for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            means.row_mut(place).assign(&(&sums.row(place) / *count));
        }
    }
    means
}

/// Share of an answer's rows that go to each mean.
fn frequencies(rows: &Array2<f32>, normalisation: &Normalisation, means: &Array2<f32>) -> Vec<f32> {
    let mut counts = vec![0.0; WORDS];
    let share = 1.0 / rows.nrows().max(1) as f32;
    for row in rows.rows() {
        let normal: Array1<f32> = normalisation.apply(row).collect();
        counts[nearest(&normal.view(), means)] += share;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_find_the_clusters() {
        let rows = Array2::from_shape_fn((300, 2), |(i, j)| (i % 3) as f32 * 10.0 + ((i * 7 + j * 3) % 5) as f32 * 0.1);
        let means = k_means(&rows, 4);
        for row in rows.rows() {
            let mean = means.row(nearest(&row, &means));
            assert!(row.iter().zip(mean).all(|(a, b)| (a - b).abs() < 1.0));
        }
    }
}
