//! One file a command.

mod bench;
mod compare;
mod evaluate;
mod explain;
mod fit;
mod inspect;
mod synth;

use std::io::Write;
use std::path::Path;

use candle_core::Device;

use crate::cli::{Cli, Command};
use crate::{Result, TrainError};

/// Runs the command.
///
/// # Errors
/// What it fails with.
pub fn run(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Synth(arguments) => synth::run(arguments, cli.quiet),
        Command::Fit(arguments) => fit::run(arguments, cli.quiet),
        Command::Compare(arguments) => compare::run(arguments, cli.quiet),
        Command::Import(arguments) => inspect::import(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Explain(arguments) => explain::run(arguments, cli.quiet),
        Command::Bench(arguments) => bench::run(arguments),
    }
}

/// Prints a result on stdout. A reader that has gone is no failure.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(TrainError::write(Path::new("stdout"), &error))
        }
        _ => Ok(()),
    }
}

/// Says something beside the result, on stderr.
fn tell(line: &str) {
    // Nobody is left to tell where stderr is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The device of a name.
fn device(name: &str) -> Result<Device> {
    match name.strip_prefix("cuda:") {
        Some(number) => {
            let wrong = |detail: String| TrainError::Usage(format!("device {name} cannot be used: {detail}"));
            let number = number.parse().map_err(|_| wrong("N is no number".to_owned()))?;
            Device::new_cuda(number).map_err(|error| wrong(error.to_string()))
        }
        None if name == "cpu" => Ok(Device::Cpu),
        None => Err(TrainError::Usage(format!("`{name}` is no device: use cpu or cuda:N"))),
    }
}
