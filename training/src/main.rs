//! The program `hirenet-train`.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

/// Beyond `ulimit -f` a write shall fail, with a message that names the file, and not end the program by SIGXFSZ. Threads
/// inherit the mask, so this comes before the first of them.
fn outlive_the_file_size_limit() {
    let mut signals = nix::sys::signal::SigSet::empty();
    signals.add(nix::sys::signal::Signal::SIGXFSZ);
    // Where it cannot be masked, the limit ends the program as it does any other.
    let _ = signals.thread_block();
}

fn main() -> ExitCode {
    hirenet_onnx::forbid_telemetry();
    outlive_the_file_size_limit();
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
