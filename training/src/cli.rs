//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hirenet_core::Modality;

use crate::compare::Compared;
use crate::data::split::Splitting;
use crate::data::{Limits, Split};
use crate::fit::{Settings, TrainOptions, parse_grid_entry};
use crate::models::Sizes;
use crate::synth::{Context, Evidence, SynthOptions};

const AFTER_HELP: &str = "\
Examples:
  hirenet-train synth corpus --interviews 2000        made-up interviews with a known ceiling
  hirenet-train import results/* --decisions d.csv --out corpus
  hirenet-train inspect corpus                        counts, balance, lengths; refuses a broken folder
  hirenet-train fit corpus --out bundle.onnx          train, calibrate, export
  hirenet-train compare corpus --out comparison       HireNet beside ablations, baselines and fusions
  hirenet-train evaluate corpus comparison            measures as Markdown and JSON
  hirenet-train explain corpus bundle.run             does attention find what matters?

Exit status: 0 done, 2 wrong command line, 3 input refused, 5 failed.";

/// Trains HireNet on recruiters' decisions, compares it, explains it, and exports it for the pipeline.
#[derive(Debug, Parser)]
#[command(name = "hirenet-train", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Cli {
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make up interviews with planted moments
    Synth(Synth),
    /// Build a data set from the output folders of `hirenet analyze` and a CSV of decisions
    Import(Import),
    /// Print what a data set holds; refuse it where it is broken
    Inspect(Inspect),
    /// Train a bundle
    Fit(Fit),
    /// Train HireNet, ablations, baselines and fusions over several seeds, and keep what they say
    Compare(Compare),
    /// Measure predictions or bundles
    Evaluate(Evaluate),
    /// Hold attention against what changes the score
    Explain(Explain),
    /// Measure this trainer for `make bench-training`
    #[command(hide = true)]
    Bench(Bench),
}

/// `synth`
#[derive(Debug, Args)]
pub struct Synth {
    /// Folder to make
    pub folder: PathBuf,
    /// Interviews
    #[arg(long, default_value_t = 8000)]
    pub interviews: usize,
    /// Positions
    #[arg(long, default_value_t = 475)]
    pub positions: usize,
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Mean number of questions
    #[arg(long, default_value_t = 5)]
    pub questions: usize,
    /// Mean length of an answer in seconds
    #[arg(long, default_value_t = 52.0)]
    pub seconds: f64,
    /// Topics, 2 to 4: moments planted in each answer and modality
    #[arg(long, default_value_t = 4)]
    pub topics: usize,
    /// Whether question and title say which moments count
    #[arg(long, value_enum, default_value_t = Context::Full)]
    pub context: Context,
    /// Whether the modalities say the same
    #[arg(long, value_enum, default_value_t = Evidence::Same)]
    pub evidence: Evidence,
    /// Weight of the evidence in the label's log-odds
    #[arg(long, default_value_t = 3.0)]
    pub gain: f64,
    /// How far a moment stands out of the noise, in standard deviations
    #[arg(long, default_value_t = 2.0)]
    pub amplitude: f32,
    /// Share of interviews without voice; twice as many lack the face
    #[arg(long, default_value_t = 0.05)]
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

/// `import`
#[derive(Debug, Args)]
pub struct Import {
    /// Output folders of `hirenet analyze`
    #[arg(required = true)]
    pub results: Vec<PathBuf>,
    /// CSV with the columns interview_id, decision (1 or 0; several rows an interview are voted on, a draw is 1),
    /// position_id, title, and any number of group_NAME
    #[arg(long, value_name = "FILE.csv")]
    pub decisions: PathBuf,
    /// Folder to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// A name for people
    #[arg(long, default_value = "recruiters' decisions")]
    pub name: String,
}

/// `inspect`
#[derive(Debug, Args)]
pub struct Inspect {
    /// The data set
    pub dataset: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How a data set is read.
#[derive(Debug, Args)]
pub struct Reading {
    /// Windows of an answer that are read at most
    #[arg(long, default_value_t = 240, value_name = "N")]
    pub max_windows: usize,
    /// Words of an answer that are read at most
    #[arg(long, default_value_t = 400, value_name = "N")]
    pub max_words: usize,
    /// Interviews kept in memory, in MiB
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    pub cache_mib: usize,
}

impl Reading {
    /// As the corpus wants it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { windows: self.max_windows, words: self.max_words, cache_bytes: self.cache_mib << 20 }
    }
}

/// Settings of training.
#[derive(Debug, Args)]
pub struct Training {
    /// Modalities
    #[arg(long, value_delimiter = ',', default_value = "verbal,vocal,visual", value_parser = modality)]
    pub modalities: Vec<Modality>,
    /// How interviews are split
    #[arg(long, value_enum, default_value_t = Splitting::Given)]
    pub split: Splitting,
    /// Hidden units of each direction, and units of contexts and attention
    #[arg(long, default_value_t = 64)]
    pub hidden: usize,
    /// Let the high level read the answers forwards only
    #[arg(long)]
    pub one_way: bool,
    /// Adam's step
    #[arg(long, default_value_t = 1e-3)]
    pub rate: f64,
    /// Interviews a batch
    #[arg(long, default_value_t = 32)]
    pub batch: usize,
    /// Share of values that dropout sets to 0
    #[arg(long, default_value_t = 0.2)]
    pub dropout: f32,
    /// Epochs at most
    #[arg(long, default_value_t = 60)]
    pub epochs: usize,
    /// Epochs without a better validation AUC after which training stops
    #[arg(long, default_value_t = 10)]
    pub patience: usize,
    /// Norm of the gradients above which they are scaled down
    #[arg(long, default_value_t = 1.0)]
    pub clip: f64,
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Let the classes weigh as often as they occur
    #[arg(long)]
    pub no_balance: bool,
    /// Probability with which the fusion's training leaves out a modality
    #[arg(long, default_value_t = 0.3)]
    pub modality_dropout: f64,
    /// Where networks are trained: cpu, or cuda:N in a build with the feature `cuda`
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

impl Training {
    /// As a run wants it.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            train: TrainOptions {
                rate: self.rate,
                batch: self.batch.max(1),
                dropout: self.dropout,
                epochs: self.epochs,
                patience: self.patience,
                clip: self.clip,
                seed: self.seed,
                balance: !self.no_balance,
            },
            sizes: Sizes { both_ways: !self.one_way, ..Sizes::uniform(self.hidden) },
            modalities: self.modalities.clone(),
            split: self.split,
            modality_dropout: self.modality_dropout,
        }
    }
}

/// `fit`
#[derive(Debug, Args)]
pub struct Fit {
    /// The data set
    pub dataset: PathBuf,
    /// The bundle to write
    #[arg(long, value_name = "FILE.onnx")]
    pub out: PathBuf,
    /// Folder of the run [FILE.run beside the bundle]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Go on from the run's checkpoints
    #[arg(long)]
    pub resume: bool,
    /// Hyper-parameter and values to try, such as rate=0.001,0.0003; may be repeated
    #[arg(long, value_name = "NAME=V,V", value_parser = parse_grid_entry)]
    pub grid: Vec<(String, Vec<f64>)>,
    /// Name of the bundle
    #[arg(long, default_value = "hirenet")]
    pub name: String,
    /// Version of the bundle
    #[arg(long = "bundle-version", default_value = "1")]
    pub version: String,
    /// How to train.
    #[command(flatten)]
    pub training: Training,
    /// How to read.
    #[command(flatten)]
    pub reading: Reading,
}

/// `compare`
#[derive(Debug, Args)]
pub struct Compare {
    /// The data set
    pub dataset: PathBuf,
    /// Folder for the predictions; what is there already is not computed again
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What to compare [everything but `missing`]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub models: Vec<Compared>,
    /// Seeds 1 to N
    #[arg(long, default_value_t = 5)]
    pub seeds: u64,
    /// How to train.
    #[command(flatten)]
    pub training: Training,
    /// How to read.
    #[command(flatten)]
    pub reading: Reading,
}

/// `evaluate`
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The data set
    pub dataset: PathBuf,
    /// Folders of predictions (of `compare`, or `predictions` of a run), or bundles
    #[arg(required = true)]
    pub models: Vec<PathBuf>,
    /// Folder for evaluation.md and evaluation.json [the current one]
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// What a bundle is measured on: train, validation, test or all
    #[arg(long, value_parser = measured_on, default_value = "test")]
    pub on: MeasuredOn,
    /// Bootstrap draws of the intervals
    #[arg(long, default_value_t = 1000)]
    pub draws: usize,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The data set
    pub dataset: PathBuf,
    /// Folder of a run of `fit`
    pub run: PathBuf,
    /// Folder for explanation.md and explanation.json [the run's]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Test interviews that are looked at, at most
    #[arg(long, default_value_t = 500)]
    pub interviews: usize,
    /// Leave out the control that is trained on shuffled labels
    #[arg(long)]
    pub no_control: bool,
    /// How to read.
    #[command(flatten)]
    pub reading: Reading,
}

/// `bench`
#[derive(Debug, Args)]
pub struct Bench {
    /// What to measure
    #[command(subcommand)]
    pub what: BenchWhat,
}

/// What `bench` measures.
#[derive(Debug, Subcommand)]
pub enum BenchWhat {
    /// Seconds of each training step of the vocal network on the first 20 batches, which are kept for a peer
    Steps {
        /// The data set
        dataset: PathBuf,
        /// Folder that the batches are written to
        #[arg(long)]
        batches: PathBuf,
    },
    /// Seconds of the recurrence with its gradient, fused and out of the framework's operators, on one batch's shape
    Recurrence,
    /// Milliseconds of one 6-answer interview in ONNX Runtime on one thread
    Inference {
        /// Runs
        #[arg(long, default_value_t = 100)]
        runs: usize,
    },
    /// One epoch of the vocal modality: seconds, interviews a second, peak memory
    Epoch {
        /// The data set
        dataset: PathBuf,
    },
    /// Largest difference between the trainer and ONNX Runtime
    Parity {
        /// Random interviews
        #[arg(long, default_value_t = 500)]
        interviews: usize,
    },
}

fn modality(text: &str) -> Result<Modality, String> {
    Modality::ALL.into_iter().find(|m| m.as_str() == text).ok_or_else(|| "verbal, vocal or visual".to_owned())
}

/// Interviews that a bundle is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredOn {
    /// Those of one split.
    Split(Split),
    /// Every one.
    All,
}

fn measured_on(text: &str) -> Result<MeasuredOn, String> {
    if text == "all" {
        return Ok(MeasuredOn::All);
    }
    let split = serde_json::from_value(serde_json::json!(text));
    split.map(MeasuredOn::Split).map_err(|_| "train, validation, test or all".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
