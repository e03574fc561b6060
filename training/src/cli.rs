//! The command line.

mod synth;
mod training;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::compare::Compared;
use crate::fit::parse_grid_entry;
pub use synth::Synth;
pub use training::{Reading, Training};
pub use values::MeasuredOn;
use values::{count, measured_on, seeds};

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
    /// Seeds, from --seed on
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = seeds())]
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
    #[arg(long, default_value_t = 1000, value_parser = count())]
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
    #[arg(long, default_value_t = 500, value_parser = count())]
    pub interviews: usize,
    /// Leave out the control that is trained on shuffled labels
    #[arg(long)]
    pub no_control: bool,
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
        #[arg(long, default_value_t = 100, value_parser = count())]
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
        #[arg(long, default_value_t = 500, value_parser = count())]
        interviews: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn values_that_no_run_makes_sense_with_are_refused() {
        let fit = |more: &[&str]| Cli::try_parse_from([&["hirenet-train", "fit", "d", "--out", "o"], more].concat());
        let synth = |more: &[&str]| Cli::try_parse_from([&["hirenet-train", "synth", "d"], more].concat());
        assert!(fit(&[]).is_ok() && fit(&["--dropout", "0", "--modality-dropout", "1"]).is_ok());
        assert!(synth(&["--missing", "0", "--amplitude", "0"]).is_ok());
        let bad = [
            "--hidden 0",
            "--modality-dropout 1.5",
            "--dropout 2",
            "--dropout nan",
            "--clip 0",
            "--rate 1000",
            "--rate 0",
            "--epochs 0",
            "--patience 0",
            "--max-windows 0",
            "--max-words 0",
            "--batch 0",
            "--grid hidden=0",
            "--grid rate=-1",
            "--grid hidden=2.5",
            "--grid speed=1",
        ];
        for text in bad {
            let error = fit(&text.split(' ').collect::<Vec<_>>()).err();
            assert_eq!(error.map(|error| error.exit_code()), Some(2), "{text}");
        }
        for text in
            ["--amplitude nan", "--amplitude=-1", "--missing 2", "--seconds inf", "--interviews 0", "--topics 5"]
        {
            let error = synth(&text.split(' ').collect::<Vec<_>>()).err();
            assert_eq!(error.map(|error| error.exit_code()), Some(2), "{text}");
        }
        assert!(Cli::try_parse_from(["hirenet-train", "compare", "d", "--out", "o", "--seeds", "0"]).is_err());
    }
}
