//! One file a command. A command prints its result on stdout, once it is whole.

mod analyze;
mod bundle;
mod daemon;
mod doctor;
mod example;
mod features;
mod models;
mod needs;
mod pipeline;
mod probe;
mod records;
mod report;
mod transcribe;

use std::io::Write;
use std::path::Path;

use hirenet_core::Code;

use crate::cli::{Cli, Command, PipelineCommand};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::{logging, telemetry};

/// Runs the command.
pub(crate) fn run(cli: Cli) -> Result<Outcome, Failure> {
    let Cli { common, command } = cli;
    logging::speak(common.log_format, common.quiet);
    // The example is what a first configuration is written from: it needs none.
    if let Command::Pipeline(PipelineCommand::Example { plain }) = command {
        return example::run(plain);
    }
    let config = Config::load(&common)?;
    let (traces, _flush) = telemetry::start(&config.telemetry)?;
    logging::start(traces);
    match command {
        Command::Pipeline(command) => pipeline::run(&config, &common, command),
        Command::Daemon(command) => daemon::run(config, command),
        Command::Records(command) => records::run(&config, command),
    }
}

/// A file that the command line names is an input: a missing one is refused as such.
fn exists(file: &Path) -> Result<(), Failure> {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(Failure::new(Code::FileUnreadable, format!("{} is not a file", file.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::new(Code::FileMissing, format!("{} does not exist", file.display())))
        }
        Err(error) => Err(Failure::new(Code::FileUnreadable, format!("{}: {error}", file.display()))),
    }
}

/// Prints a whole result on stdout. A reader that has gone (`hirenet ... | head`) is no failure.
fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::OutputFailed, format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a value as indented JSON.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| Failure::internal(&error.into()))?;
    text.push(b'\n');
    print(&text)
}
