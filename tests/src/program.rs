//! Running the program as a user does.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The program: `HIRENET_BIN`, else the one beside this test's own build.
///
/// # Panics
/// Where it has not been built.
#[must_use]
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("HIRENET_BIN") {
        return path.into();
    }
    let built = std::env::current_exe().ok().and_then(|test| Some(test.parent()?.parent()?.join("hirenet")));
    match built {
        Some(path) if path.exists() => path,
        _ => panic!("the program is not built: `cargo build --release -p hirenet`, or set HIRENET_BIN"),
    }
}

/// The program with its arguments, ready for more settings.
pub fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).env("HIRENET_ONNX__DEVICE", "cpu");
    command
}

/// Runs the program to its end.
///
/// # Panics
/// Where it cannot be started, or prints no UTF-8.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    finish(&mut command(arguments))
}

/// Runs a prepared command to its end.
///
/// # Panics
/// Where it cannot be started, prints no UTF-8, or ends by a signal.
pub fn finish(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{} cannot be started: {error}", program().display()));
    let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("not UTF-8: {error}"));
    let (stdout, stderr) = (text(stdout), text(stderr));
    let status = status.code().unwrap_or_else(|| panic!("ended by {status}; stderr: {stderr}"));
    Run { status, stdout, stderr }
}
