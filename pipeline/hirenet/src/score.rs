//! Scores and attention of one interview.

use std::collections::BTreeMap;

use hirenet_core::{AnswerAttention, ByModality, Modality};

use crate::interview::{Packed, PackedModality};
use crate::run::{BranchOutputs, Outputs};
use crate::{Bundle, BundleError, InterviewTracks, check};

/// What a bundle says about an interview.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Fused logit, uncalibrated.
    pub logit: f32,
    /// Calibrated fused score, 0..1.
    pub score: f64,
    /// Calibrated single-modality scores, where any answer has the modality.
    pub scores: ByModality<f64>,
    /// The fusion's weights; 0 where absent.
    pub modality_weights: BTreeMap<Modality, f32>,
    /// For each answer, attention at the original rows of each of its tracks; 0 at rows that are not valid.
    pub attention: Vec<ByModality<AnswerAttention>>,
}

impl Bundle {
    /// Scores an interview. Rows that are not valid are taken out first; an answer without tracks keeps its place.
    /// Modalities that the bundle leaves out are ignored.
    ///
    /// # Errors
    /// [`BundleError::NothingToScore`] where no answer has a valid row in any of the bundle's modalities;
    /// [`BundleError::Input`] for tracks of another schema; [`BundleError::Contract`] where an output has a wrong shape, holds
    /// a number that is not finite, or is no attention; [`BundleError::Failed`] where the graph fails.
    pub fn score(&mut self, interview: &InterviewTracks) -> Result<Scored, BundleError> {
        let packed = self.pack(interview)?;
        if !(0..packed.answers()).any(|answer| packed.has_evidence(answer)) {
            return Err(BundleError::NothingToScore);
        }
        let outputs = self.run(&packed)?;
        let breaches = check::breaches(&packed, &outputs);
        if !breaches.is_empty() {
            return Err(BundleError::Contract(breaches));
        }
        Ok(self.scored(interview, &packed, &outputs))
    }

    /// Lowest and highest calibrated fused score with one answer left out: how much the score hangs on single answers.
    /// `None` where fewer than two answers have evidence. Leaving out an answer without evidence changes nothing: the score
    /// itself then belongs to the range.
    ///
    /// # Errors
    /// As [`Bundle::score`].
    pub fn score_range(&mut self, interview: &InterviewTracks) -> Result<Option<[f64; 2]>, BundleError> {
        let packed = self.pack(interview)?;
        let with_evidence: Vec<usize> = (0..packed.answers()).filter(|answer| packed.has_evidence(*answer)).collect();
        if with_evidence.len() < 2 {
            return Ok(None);
        }
        let mut range = [f64::INFINITY, f64::NEG_INFINITY];
        let without = (0..packed.answers()).find(|answer| !packed.has_evidence(*answer));
        for left_out in with_evidence.into_iter().chain(without) {
            let others: Vec<usize> = (0..packed.answers()).filter(|answer| *answer != left_out).collect();
            let logit = self.run(&packed.select(&others))?.logit;
            let score = self.card().calibration.fused.score(logit);
            range = [range[0].min(score), range[1].max(score)];
        }
        Ok(Some(range))
    }

    fn scored(&self, interview: &InterviewTracks, packed: &Packed, outputs: &Outputs) -> Scored {
        let calibration = self.card().calibration;
        let mut scores = ByModality::default();
        let mut attention = vec![ByModality::default(); packed.answers()];
        for (branch, m) in outputs.branches.iter().zip(&packed.modalities) {
            if m.rows.lengths.iter().any(|length| *length > 0) {
                scores.set(m.modality, calibration.get(m.modality).map(|c| c.score(branch.logit)));
            }
            for (answer, slot) in attention.iter_mut().enumerate() {
                let rows = interview.answers[answer].tracks.get(m.modality).map(hirenet_core::Track::rows);
                slot.set(m.modality, rows.map(|rows| written_back(answer, rows, m, branch)));
            }
        }
        let modality_weights = Modality::ALL.into_iter().zip(outputs.modality_attention.iter().copied()).collect();
        let score = calibration.fused.score(outputs.logit);
        Scored { logit: outputs.logit, score, scores, modality_weights, attention }
    }
}

/// Attention of one answer at the `rows` original rows of its track.
fn written_back(answer: usize, rows: usize, m: &PackedModality, branch: &BranchOutputs) -> AnswerAttention {
    let mut weights = vec![0.0; rows];
    for (place, row) in m.kept[answer].iter().enumerate() {
        weights[*row] = branch.attention[[answer, place]];
    }
    // An answer without rows in use has no weight, whatever the graph left in its place.
    let weight = if m.kept[answer].is_empty() { 0.0 } else { branch.answers[answer] };
    AnswerAttention { answer: weight, rows: weights }
}
