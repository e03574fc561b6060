//! Tracks of a planned answer.

use std::sync::LazyLock;

use hirenet_core::{Modality, Schema, visual_face, vocal_lld51, window_count};
use hirenet_model::export::typical;
use ndarray::{Array1, Array2};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::language::{FILLERS, FOR_BETTER, FOR_WORSE, TOPICS};
use super::plan::{Moment, word_count, word_seconds};
use crate::data::TrackContent;

/// Columns that a topic or a polarity raises.
const RAISED: usize = 6;
/// Spread of a speaker's own level, in standard deviations.
const SPEAKER: f32 = 0.3;
/// Share of answers with a gap in the visual track, and its longest length in windows.
const GAPS: (f64, usize) = (0.3, 6);
/// The same topics look and sound alike in every corpus.
const BOOK_SEED: u64 = 475;

/// Which columns stand for what.
struct Book {
    topics: [Vec<usize>; TOPICS.len()],
    better: Vec<usize>,
    worse: Vec<usize>,
    mean: Array1<f32>,
    std: Array1<f32>,
    /// Lowest and highest value of each column.
    range: Vec<(f32, f32)>,
}

impl Book {
    fn new(modality: Modality, schema: &Schema) -> Book {
        let mut columns: Vec<usize> = (0..schema.dim()).collect();
        columns.shuffle(&mut ChaCha8Rng::seed_from_u64(BOOK_SEED + modality as u64));
        let mut taken = columns.chunks_exact(RAISED).map(<[usize]>::to_vec);
        let mut take = || taken.next().unwrap_or_default();
        let (mean, std) = typical(modality);
        let range = |column: &hirenet_core::Column| {
            let share = column.name == "speech_share" || modality == Modality::Visual && column.unit == "1";
            let lowest = if share || column.name.ends_with("_std") { 0.0 } else { f32::MIN };
            (lowest, if share { 1.0 } else { f32::MAX })
        };
        Book {
            topics: std::array::from_fn(|_| take()),
            better: take(),
            worse: take(),
            mean,
            std,
            range: schema.columns.iter().map(range).collect(),
        }
    }

    fn of(modality: Modality) -> &'static Book {
        static VOCAL: LazyLock<Book> = LazyLock::new(|| Book::new(Modality::Vocal, &vocal_lld51()));
        static VISUAL: LazyLock<Book> = LazyLock::new(|| Book::new(Modality::Visual, &visual_face()));
        if modality == Modality::Visual { &VISUAL } else { &VOCAL }
    }
}

/// Windows of noise around the speaker's level, with the moments on top.
pub(super) fn windows(
    modality: Modality,
    seconds: f64,
    moments: &[&Moment],
    amplitude: f32,
    level: &[f32],
    rng: &mut ChaCha8Rng,
) -> TrackContent {
    let book = Book::of(modality);
    let (rows, columns) = (window_count(seconds), book.mean.len());
    let mut values: Array2<f32> = Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(rng));
    let mut valid = vec![true; rows];
    if modality == Modality::Visual && rng.random_bool(GAPS.0) {
        let start = rng.random_range(0..rows);
        let end = (start + rng.random_range(1..=GAPS.1)).min(rows);
        let planted = |row: usize| moments.iter().any(|m| (m.rows.0..=m.rows.1).contains(&row));
        (start..end).filter(|row| !planted(*row)).for_each(|row| valid[row] = false);
    }
    for moment in moments {
        let side = if moment.polarity > 0 { &book.better } else { &book.worse };
        for row in moment.rows.0..=moment.rows.1 {
            for column in book.topics[moment.topic].iter().chain(side) {
                values[[row, *column]] += amplitude;
            }
        }
    }
    for (mut row, valid) in values.rows_mut().into_iter().zip(&valid) {
        for (column, value) in row.iter_mut().enumerate() {
            let (lowest, highest) = book.range[column];
            let raw = book.mean[column] + book.std[column] * (*value + level[column]);
            *value = if *valid { raw.clamp(lowest, highest) } else { 0.0 };
        }
    }
    TrackContent { values, valid }
}

/// A speaker's level in each column.
pub(super) fn speaker(modality: Modality, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let draw = |_| SPEAKER * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, rng);
    (0..Book::of(modality).mean.len()).map(draw).collect()
}

/// Words with the moments' phrases among them, and their times.
pub(super) fn speech(seconds: f64, moments: &[&Moment], rng: &mut ChaCha8Rng) -> (Vec<&'static str>, Vec<[f32; 2]>) {
    static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| FILLERS.split_whitespace().collect());
    let mut pick = |from: &[&'static str]| from.choose(rng).copied().unwrap_or("well");
    let mut words: Vec<&'static str> = (0..word_count(seconds)).map(|_| pick(&WORDS)).collect();
    for moment in moments {
        let verb = pick(if moment.polarity > 0 { &FOR_BETTER } else { &FOR_WORSE });
        let phrase = [verb, "the", pick(&TOPICS[moment.topic].said)];
        for (place, word) in (moment.rows.0..=moment.rows.1).zip(phrase) {
            words[place] = word;
        }
    }
    let times = (0..words.len()).map(word_seconds).map(|(start, end)| [start as f32, end as f32]).collect();
    (words, times)
}
