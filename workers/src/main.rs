//! The program `hirenet`: asynchronous video interviews in, assessments with their evidence out.

mod cli;
mod commands;
mod config;
mod daemon;
mod failure;
mod locate;
mod logging;
mod media_address;
mod models;
mod progress;
mod report;
mod setup;
mod telemetry;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser;
use hirenet_core::Code;

fn main() -> ExitCode {
    // The decoder's child is this same program. It must not read configuration, start threads or load a model.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == hirenet_media::CHILD_COMMAND) {
        return hirenet_media::child_main(arguments);
    }
    hirenet_onnx::forbid_telemetry();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap answers --help and --version here too, on stdout and with status 0.
            let status = if error.use_stderr() { failure::WRONG_USAGE } else { 0 };
            // Nothing is left to do where the terminal is gone.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    // Where it was is in the log by then, and its own words nowhere.
    let ended = panic::catch_unwind(AssertUnwindSafe(|| commands::run(cli)));
    match ended.unwrap_or_else(|_| Err(failure::Failure::new(Code::Internal, "the program panicked"))) {
        Ok(outcome) => outcome.into(),
        Err(failure) => failure.report(),
    }
}
