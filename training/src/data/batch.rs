//! Interviews laid out for a network of one modality: ragged, without padding.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use hirenet_core::Modality;
use ndarray::Array2;

use super::{Normalisation, Sample};
use crate::Result;
use crate::nn::Ragged;

/// Word vectors of several texts.
#[derive(Debug, Clone)]
pub struct WordRows {
    /// `[L in all, E]`
    pub rows: Tensor,
    /// One sequence a text; a text without words is empty.
    pub layout: Ragged,
}

impl WordRows {
    /// Lays out texts.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new<'a>(
        texts: impl Iterator<Item = &'a Array2<f32>> + Clone,
        width: usize,
        device: &Device,
    ) -> Result<WordRows> {
        let layout = Ragged::new(texts.clone().map(Array2::nrows));
        let values: Vec<f32> = texts.flat_map(|text| text.iter().copied()).collect();
        Ok(WordRows { rows: Tensor::from_vec(values, (layout.rows(), width), device)?, layout })
    }
}

/// Interviews of which each has at least one answer with the modality.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Normalised rows of all answers that have the modality, `[R, D]`, the longest answer first.
    pub rows: Tensor,
    /// One sequence an answer, `S` in all.
    pub layout: Ragged,
    /// Interview (place in `samples`) and answer of each sequence.
    pub origin: Vec<(usize, usize)>,
    /// The question of each sequence.
    pub questions: WordRows,
    /// One sequence an interview, over the answers that have the modality, in order.
    pub answers: Ragged,
    /// For each place of `answers` its sequence, u32 `[S]`.
    pub order: Tensor,
    /// For each sequence its interview, u32 `[S]`.
    pub interview_of: Tensor,
    /// The title of each interview.
    pub titles: WordRows,
    /// `[B]`
    pub labels: Tensor,
    /// The interviews.
    pub samples: Vec<Arc<Sample>>,
}

impl Batch {
    /// Lays out the interviews that have the modality; `None` where none has.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(
        samples: impl IntoIterator<Item = Arc<Sample>>,
        modality: Modality,
        normalisation: &Normalisation,
        device: &Device,
    ) -> Result<Option<Batch>> {
        let has = |sample: &Arc<Sample>| sample.answers.iter().any(|answer| answer.tracks.get(modality).is_some());
        let samples: Vec<Arc<Sample>> = samples.into_iter().filter(has).collect();
        let Some(first) = samples.first() else { return Ok(None) };
        let width = first.title.ncols();
        let mut packed = Vec::new();
        let mut counts = Vec::new();
        for (interview, sample) in samples.iter().enumerate() {
            let before = packed.len();
            let answers = sample.answers.iter().enumerate();
            packed.extend(answers.filter(|(_, a)| a.tracks.get(modality).is_some()).map(|(i, _)| (interview, i)));
            counts.push(packed.len() - before);
        }
        let rows_of = |(interview, answer): (usize, usize)| {
            samples[interview].answers[answer].tracks.get(modality).map(|rows| &rows.values)
        };
        let mut places: Vec<usize> = (0..packed.len()).collect();
        places.sort_by_key(|place| std::cmp::Reverse(rows_of(packed[*place]).map_or(0, Array2::nrows)));
        let mut order = vec![0_u32; packed.len()];
        for (sequence, place) in places.iter().enumerate() {
            order[*place] = sequence as u32;
        }
        let origin: Vec<(usize, usize)> = places.iter().map(|place| packed[*place]).collect();
        let layout = Ragged::new(origin.iter().map(|at| rows_of(*at).map_or(0, Array2::nrows)));
        let columns = normalisation.mean.len();
        let mut values = Vec::with_capacity(layout.rows() * columns);
        for row in origin.iter().filter_map(|at| rows_of(*at)).flat_map(|rows| rows.rows()) {
            values.extend(normalisation.apply(row));
        }
        let interview_of: Vec<u32> = origin.iter().map(|(interview, _)| *interview as u32).collect();
        let labels: Vec<f32> = samples.iter().map(|sample| sample.label).collect();
        let questions = origin.iter().map(|(interview, answer)| &samples[*interview].answers[*answer].question);
        Ok(Some(Batch {
            rows: Tensor::from_vec(values, (layout.rows(), columns), device)?,
            questions: WordRows::new(questions, width, device)?,
            answers: Ragged::new(counts),
            order: Tensor::new(order, device)?,
            interview_of: Tensor::new(interview_of, device)?,
            titles: WordRows::new(samples.iter().map(|sample| &sample.title), width, device)?,
            labels: Tensor::new(labels, device)?,
            layout,
            origin,
            samples,
        }))
    }

    /// The answer (its place in the interview) that each place of `answers` stands for.
    #[must_use]
    pub fn packed_answers(&self) -> Vec<usize> {
        let mut answers: Vec<(usize, usize)> = self.origin.clone();
        answers.sort_unstable();
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}
