//! Interviews made up: moments are planted whose meaning depends on the question, and answers whose weight depends on the
//! title, in all three modalities, so that what a network can learn at best is known.
//!
//! Each answer holds one moment of every *topic* in each modality, each with a random polarity. Only the moment of the
//! topic that the question asks for is evidence; the others are there to mislead whoever does not read the question. Of
//! the answers, those to the topic of the position's title count most. See [`plan`] for the label.

mod language;
pub mod plan;
mod signal;
mod words;
mod write;

use hirenet_core::Modality;
use serde::{Deserialize, Serialize};

pub use plan::{Moment, Planned, Truth};
pub use write::{Summary, TRUTH_FILE, generate, read_truth};

/// What the labels depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// Which moment counts is said by the question, which answer by the title.
    Full,
    /// The moments of one topic count everywhere: neither question nor title carries anything.
    None,
}

/// How the evidence lies in the modalities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// The three say the same: each alone is enough.
    Same,
    /// Each says something of its own, and the label depends on all.
    Spread,
}

/// A corpus to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SynthOptions {
    /// Number of interviews.
    pub interviews: usize,
    /// Number of positions.
    pub positions: usize,
    /// Seed.
    pub seed: u64,
    /// Mean number of questions of a position; they have one more or one less.
    pub questions: usize,
    /// Mean length of an answer in seconds.
    pub seconds: f64,
    /// Number of topics, 2 to 4, and so of moments an answer and modality.
    pub topics: usize,
    /// What the labels depend on.
    pub context: Context,
    /// Where the evidence lies.
    pub evidence: Evidence,
    /// Weight of the evidence in the label's log-odds: how little is left to chance.
    pub gain: f64,
    /// How far a moment stands out of the noise, in its standard deviations.
    pub amplitude: f32,
    /// Share of interviews without vocal tracks; visual ones are missing twice as often.
    pub missing: f64,
    /// Whether splits are grouped by position.
    pub grouped: bool,
    /// Modalities that are written; the others are planned all the same.
    pub modalities: Vec<Modality>,
}

impl Default for SynthOptions {
    /// The shape of the paper's corpus.
    fn default() -> Self {
        SynthOptions {
            interviews: 8000,
            positions: 475,
            seed: 1,
            questions: 5,
            seconds: 52.0,
            topics: 4,
            context: Context::Full,
            evidence: Evidence::Same,
            gain: 3.0,
            amplitude: 2.0,
            missing: 0.05,
            grouped: false,
            modalities: Modality::ALL.to_vec(),
        }
    }
}
