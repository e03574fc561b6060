//! The decoding child as a program of its own: what `hirenet decode-child` runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    hirenet_media::child_main(std::env::args_os().skip(2))
}
