//! The command line: what is common to every command here, the commands themselves in a file for each part.

mod daemon;
mod pipeline;
mod records;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hirenet_onnx::Device;

pub(crate) use daemon::{DaemonCommand, DeadCommand, Submit, SubmitPriority, Work};
pub(crate) use pipeline::{Analyze, BundleCommand, FeatureModality, ModelsCommand, PipelineCommand, TranscriptFormat};
pub(crate) use records::{BundlesCommand, Erase, RecordsCommand, Rescore, Results};

const AFTER_HELP: &str = "\
Examples:
  hirenet analyze interview.json --out result      assessment.json, report.html and tracks/ in result/
  hirenet example > interview.json                 a commented interview to fill in
  hirenet probe answer.webm                        what a recording is, as JSON
  hirenet transcribe answer.mp4 --format vtt       subtitles
  hirenet features vocal answer.mp4                25 voice descriptors every 10 ms, as CSV
  hirenet models pull ggml-base                    fetch a real recognition model
  hirenet bundle check bundle.onnx                 does a trained graph keep the contract?
  hirenet doctor                                   is this installation whole?
  hirenet report result/assessment.json --out p.html

As a daemon, with RabbitMQ in front and PostgreSQL behind:
  hirenet setup                                    queues and tables
  hirenet work                                     a worker; start as many as you like
  hirenet submit interview.json                    hand an interview over
  hirenet status                                   queues, workers, jobs that do not move
  hirenet results --position sales-1               what recruiters see
  hirenet check                                    does everything hold that must always hold?

Exit status: 0 done, 2 wrong command line or configuration, 3 input refused, 4 partial result, 5 internal error,
6 a worker was stopped and handed jobs back.
Every failure prints its stable code and a sentence on stderr.";

/// Measures asynchronous video interviews and shows the evidence.
///
/// An interview's answers go in; a score, per-modality scores, the transcript and the moments that mattered come out.
/// It advises people who decide about people: it never accepts or rejects anybody.
#[derive(Debug, Parser)]
#[command(name = "hirenet", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Configuration file; each setting can also be set as HIRENET_SECTION__KEY in the environment.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the model files [setting models.dir]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) models: Option<PathBuf>,
    /// ONNX Runtime's shared library [setting onnx.library]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// Where networks run: auto, cpu or cuda:N [setting onnx.device]
    #[arg(long, global = true, value_name = "DEVICE")]
    pub(crate) device: Option<Device>,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Form of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for a person.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do. Each part of the program brings its own commands; to a user they are one list.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Pipeline(PipelineCommand),
    #[command(flatten)]
    Daemon(DaemonCommand),
    #[command(flatten)]
    Records(RecordsCommand),
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
    fn every_command_has_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("hirenet "), "{} has no example", command.get_name());
        }
    }
}
