//! The assessment of one interview under one bundle, as it is written to `assessment.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MessageError, Modality, Reason, Transcript, form};

/// How an interview ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every piece of evidence that the bundle asks for was there.
    Scored,
    /// There is a score, and reasons say what it lacks.
    Partial,
    /// There is no score; reasons say why.
    Refused,
}

/// What a bundle's weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BundleKind {
    /// Seeded random weights: the numbers mean nothing.
    Untrained,
    /// Trained on synthetic data, for demonstration.
    Demo,
    /// Trained on recruiters' decisions.
    Trained,
}

impl BundleKind {
    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            BundleKind::Untrained => "untrained",
            BundleKind::Demo => "demo",
            BundleKind::Trained => "trained",
        }
    }
}

/// Which bundle made a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleInfo {
    /// Name from the metadata.
    pub name: String,
    /// Version from the metadata.
    pub version: String,
    /// What its weights come from.
    pub kind: BundleKind,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// One value for each modality; `None` where the modality is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ByModality<T> {
    /// The words.
    pub verbal: Option<T>,
    /// The voice.
    pub vocal: Option<T>,
    /// The face.
    pub visual: Option<T>,
}

// Derived, it would ask for `T: Default`.
impl<T> Default for ByModality<T> {
    fn default() -> Self {
        ByModality { verbal: None, vocal: None, visual: None }
    }
}

impl<T> ByModality<T> {
    /// The value of one modality.
    pub fn get(&self, modality: Modality) -> Option<&T> {
        match modality {
            Modality::Verbal => self.verbal.as_ref(),
            Modality::Vocal => self.vocal.as_ref(),
            Modality::Visual => self.visual.as_ref(),
        }
    }

    /// Sets the value of one modality.
    pub fn set(&mut self, modality: Modality, value: Option<T>) {
        match modality {
            Modality::Verbal => self.verbal = value,
            Modality::Vocal => self.vocal = value,
            Modality::Visual => self.visual = value,
        }
    }

    /// The modalities that are there, with their values, in the contract's order.
    pub fn iter(&self) -> impl Iterator<Item = (Modality, &T)> {
        Modality::ALL.into_iter().filter_map(|m| self.get(m).map(|value| (m, value)))
    }
}

/// Attention of one modality inside one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerAttention {
    /// Weight of this answer among the answers that have the modality; they sum to 1.
    pub answer: f32,
    /// Weight of each row of the track; valid rows sum to 1, others are 0.
    pub rows: Vec<f32>,
}

/// A track as the assessment speaks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackInfo {
    /// Number of rows.
    pub rows: usize,
    /// Number of rows with evidence.
    pub valid_rows: usize,
    /// Schema id.
    pub schema: String,
    /// File of the track, relative to the assessment.
    pub file: String,
}

/// One answer with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerResult {
    /// The answer's id.
    pub id: String,
    /// The question's text.
    pub question: String,
    /// Duration of the recording in seconds; `None` where it could not be read.
    pub duration_s: Option<f64>,
    /// The address as given.
    pub media: String,
    /// SHA-256 of the recording; `None` where it could not be read.
    pub media_sha256: Option<String>,
    /// What was said; `None` where the words were not consented to or could not be had.
    pub transcript: Option<Transcript>,
    /// Attention in this answer.
    pub attention: ByModality<AnswerAttention>,
    /// Tracks of this answer.
    pub tracks: ByModality<TrackInfo>,
}

/// A moment that mattered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The answer's id.
    pub answer: String,
    /// Which modality's attention it is.
    pub modality: Modality,
    /// Start in seconds since media time zero; `None` for words without times.
    pub start: Option<f64>,
    /// End in seconds since media time zero.
    pub end: Option<f64>,
    /// Index of the first word said in it.
    pub word_first: Option<usize>,
    /// Index of the last word said in it, inclusive.
    pub word_last: Option<usize>,
    /// Answer weight times attention mass.
    pub weight: f32,
    /// Fused, uncalibrated logit of all rows minus that without the span's rows; positive: the span raised the score.
    pub influence: f32,
    /// The words said in it; empty where there are none.
    pub text: String,
}

/// What computed the assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// Program name.
    pub name: String,
    /// Program version.
    pub version: String,
    /// SHA-256 of each model file that was used, by its role.
    pub models: BTreeMap<String, String>,
    /// SHA-256 of the settings that can change a result.
    pub settings_sha256: String,
}

/// Score, evidence and reasons of one interview under one bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The interview's id.
    pub interview_id: String,
    /// How it ended.
    pub status: Status,
    /// Calibrated score, 0..1: advice, never a decision. `None` where there is no evidence.
    pub score: Option<f64>,
    /// Sensitivity: lowest and highest score with one answer left out. `None` with fewer than two answers.
    pub score_range: Option<[f64; 2]>,
    /// Calibrated single-modality scores.
    pub scores: ByModality<f64>,
    /// The fusion's weights; 0 where absent.
    pub modality_weights: BTreeMap<Modality, f32>,
    /// What is missing, refused, or to be read with care.
    pub reasons: Vec<Reason>,
    /// Which bundle made the score.
    pub bundle: BundleInfo,
    /// What computed it.
    pub software: Software,
    /// The answers in order.
    pub answers: Vec<AnswerResult>,
    /// The moments that mattered, strongest first.
    pub spans: Vec<Span>,
    /// Wall seconds of each stage; the only part that differs between two runs on the same input.
    pub timings: BTreeMap<String, f64>,
}

impl Assessment {
    /// Reads what was written to `assessment.json`.
    ///
    /// # Errors
    /// [`MessageError`] with the path of the first thing that does not fit.
    pub fn from_json(text: &str) -> Result<Self, MessageError> {
        form::read(serde_json::Deserializer::from_str(text), "document")
    }
}
