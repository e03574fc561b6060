//! `synth`'s part of the command line.

use std::path::PathBuf;

use clap::Args;
use hirenet_core::Modality;

use super::values::{amplitude, count, modality, seconds, share, topics, weight};
use crate::synth::{Context, Evidence, SynthOptions};

/// `synth`
#[derive(Debug, Args)]
pub struct Synth {
    /// Folder to make
    pub folder: PathBuf,
    /// Interviews
    #[arg(long, default_value_t = 8000, value_parser = count())]
    pub interviews: usize,
    /// Positions
    #[arg(long, default_value_t = 475, value_parser = count())]
    pub positions: usize,
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Mean number of questions
    #[arg(long, default_value_t = 5, value_parser = count())]
    pub questions: usize,
    /// Mean length of an answer in seconds
    #[arg(long, default_value_t = 52.0, value_parser = seconds)]
    pub seconds: f64,
    /// Topics, 2 to 4: moments planted in each answer and modality
    #[arg(long, default_value_t = 4, value_parser = topics())]
    pub topics: usize,
    /// Whether question and title say which moments count
    #[arg(long, value_enum, default_value_t = Context::Full)]
    pub context: Context,
    /// Whether the modalities say the same
    #[arg(long, value_enum, default_value_t = Evidence::Same)]
    pub evidence: Evidence,
    /// Weight of the evidence in the label's log-odds
    #[arg(long, default_value_t = 3.0, value_parser = weight)]
    pub gain: f64,
    /// How far a moment stands out of the noise, in standard deviations
    #[arg(long, default_value_t = 2.0, value_parser = amplitude)]
    pub amplitude: f32,
    /// Share of interviews without voice; twice as many lack the face
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    pub missing: f64,
    /// Put each position into one split only
    #[arg(long)]
    pub grouped: bool,
    /// Modalities that are written
    #[arg(long, value_delimiter = ',', default_value = "verbal,vocal,visual", value_parser = modality)]
    pub modalities: Vec<Modality>,
}

impl Synth {
    /// As the generator wants it.
    #[must_use]
    pub fn options(&self) -> SynthOptions {
        SynthOptions {
            interviews: self.interviews,
            positions: self.positions,
            seed: self.seed,
            questions: self.questions,
            seconds: self.seconds,
            topics: self.topics,
            context: self.context,
            evidence: self.evidence,
            gain: self.gain,
            amplitude: self.amplitude,
            missing: self.missing,
            grouped: self.grouped,
            modalities: self.modalities.clone(),
        }
    }
}
