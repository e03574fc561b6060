//! Does attention find what matters? Attention alone is no evidence: it is held against what a classifier finds in the
//! attended slices, against what leaving them out does to the score, and against a network trained on shuffled labels.

mod moments;
mod occlusion;
mod slices;
mod words;

use hirenet_core::{Modality, window_span};
use hirenet_model::{Run, salient_runs};
use serde::Serialize;

pub use moments::{MomentsHit, moments_hit};
pub use occlusion::{Influence, influence, spearman};
pub use slices::{SlicesTest, slices_test};
pub use words::{QuestionWeight, WordWeight, question_weights, word_weights};

use crate::Result;
use crate::data::AnswerSample;
use crate::fit::{PREDICT_BATCH, Single, for_batches};
use crate::nn::Dropout;

/// Moments of one answer that are looked at, at most.
const MAX_SLICES: usize = 3;

/// What a network attends to in one answer.
#[derive(Debug, Clone)]
pub struct Attended {
    /// The interview's number.
    pub interview: usize,
    /// The answer's place.
    pub answer: usize,
    /// Attention of each row in use.
    pub weights: Vec<f32>,
    /// Weight of the answer in its interview.
    pub answer_weight: f32,
    /// Answers with the modality in the interview.
    pub answers: usize,
    /// Moments that stand out, the strongest first, three at most.
    pub slices: Vec<Run>,
    /// Seconds of each row; `None` for a word without times.
    pub seconds: Vec<Option<(f64, f64)>>,
}

/// Times of the rows in use.
fn seconds(modality: Modality, answer: &AnswerSample, kept: &[u32]) -> Vec<Option<(f64, f64)>> {
    let time = |row: &u32| match modality {
        Modality::Verbal => {
            let [start, end] = answer.word_times.get(*row as usize)?;
            (start.is_finite() && end.is_finite()).then(|| (f64::from(*start), f64::from(*end)))
        }
        Modality::Vocal | Modality::Visual => Some(window_span(*row as usize)),
    };
    kept.iter().map(time).collect()
}

/// Attention of a network over interviews.
///
/// # Errors
/// Those of reading and of the device.
pub fn attended(single: &Single<'_>, interviews: &[usize]) -> Result<Vec<Attended>> {
    let mut all = Vec::new();
    for_batches(single, interviews, PREDICT_BATCH, None, |batch| {
        let output = single.network.forward(&batch, &mut Dropout::off())?;
        let packed = batch.packed_answers();
        for (sequence, (interview, answer)) in batch.origin.iter().enumerate() {
            let sample = &batch.samples[*interview];
            let Some(rows) = sample.answers[*answer].tracks.get(single.modality) else { continue };
            let (start, length) = (batch.layout.start(sequence), batch.layout.len(sequence));
            let places =
                batch.answers.start(*interview)..batch.answers.start(*interview) + batch.answers.len(*interview);
            let place = places.clone().find(|place| packed[*place] == *answer);
            let kept: Vec<usize> = rows.kept.iter().map(|row| *row as usize).collect();
            let seconds = seconds(single.modality, &sample.answers[*answer], &rows.kept);
            let weights = output.alpha[start..start + length].to_vec();
            let mut slices = salient_runs(&weights, &kept, &seconds);
            slices.sort_by(|a, b| b.mass.total_cmp(&a.mass));
            slices.truncate(MAX_SLICES);
            all.push(Attended {
                interview: sample.index,
                answer: *answer,
                weights,
                answer_weight: place.and_then(|place| output.beta.get(place)).copied().unwrap_or(0.0),
                answers: places.len(),
                slices,
                seconds,
            });
        }
        Ok(())
    })?;
    all.sort_by_key(|a| (a.interview, a.answer));
    Ok(all)
}

/// How uneven attention is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Unevenness {
    /// Answers looked at.
    pub answers: usize,
    /// Share with a moment that stands out.
    pub with_a_moment: f64,
    /// Mean of the strongest row's attention relative to uniform.
    pub mean_peak: f64,
}

/// How uneven attention is.
#[must_use]
pub fn unevenness(attended: &[Attended]) -> Unevenness {
    let n = attended.len().max(1) as f64;
    let peak = |a: &Attended| f64::from(a.weights.iter().copied().fold(0.0, f32::max)) * a.weights.len() as f64;
    Unevenness {
        answers: attended.len(),
        with_a_moment: attended.iter().filter(|a| !a.slices.is_empty()).count() as f64 / n,
        mean_peak: attended.iter().map(peak).sum::<f64>() / n,
    }
}
