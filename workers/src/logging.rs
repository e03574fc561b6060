//! Logs: structured events on stderr, never a transcript, a candidate or a path with a name.

use std::io::IsTerminal;
use std::sync::OnceLock;

use hirenet_core::Code;
use serde_json::json;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use crate::cli::LogFormat;

/// How the program speaks on stderr beside its log.
#[derive(Debug, Clone, Copy)]
struct Speaks {
    format: LogFormat,
    quiet: bool,
}

static SPEAKS: OnceLock<Speaks> = OnceLock::new();

fn speaks() -> Speaks {
    SPEAKS.get().copied().unwrap_or(Speaks { format: LogFormat::Text, quiet: false })
}

/// True where a person watches stderr: progress bars may be drawn.
pub(crate) fn is_watched() -> bool {
    speaks().format == LogFormat::Text && !speaks().quiet && std::io::stderr().is_terminal()
}

/// Tells what a user must know of a result: its code and a sentence. Quiet keeps it to the result itself.
pub(crate) fn note(code: Code, sentence: &str) {
    if !speaks().quiet {
        say("WARN", code, sentence);
    }
}

/// Tells why there is no result. No filter keeps it back.
pub(crate) fn failure(code: Code, sentence: &str) {
    say("ERROR", code, sentence);
}

fn say(level: &str, code: Code, sentence: &str) {
    match speaks().format {
        LogFormat::Text => eprintln!("hirenet: {code}: {sentence}"),
        LogFormat::Json => {
            let mut timestamp = String::new();
            // Writing to a String cannot fail.
            let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
            let line = json!({"timestamp": timestamp, "level": level, "code": code, "message": sentence});
            eprintln!("{line}");
        }
    }
}

/// Starts logging. `HIRENET_LOG` takes a filter such as `info` or `hirenet_media=debug`.
///
/// Text logs are for a person at a terminal and speak up from `warn`; JSON logs are for a collector and from `info`.
pub(crate) fn start(format: LogFormat, quiet: bool) {
    let default = match (quiet, format) {
        (true, _) => "error",
        (false, LogFormat::Text) => "warn,ort=error",
        (false, LogFormat::Json) => "info,ort=warn,whisper_rs=warn",
    };
    // Started once a process; a second start would keep the first.
    let _ = SPEAKS.set(Speaks { format, quiet });
    let filter = EnvFilter::try_from_env("HIRENET_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_target(false).without_time().with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
