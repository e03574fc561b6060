//! The program `hirenet-train`.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    hirenet_onnx::forbid_telemetry();
    let cli = match hirenet_training::cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            // Nothing is left to do where the terminal is gone.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    match hirenet_training::commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", error.code());
            ExitCode::from(error.status())
        }
    }
}
