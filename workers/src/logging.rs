//! Logs: structured events on stderr, never a transcript, a candidate or a path with a name.

use std::io::IsTerminal;
use std::sync::OnceLock;

use hirenet_core::{Code, Modality, Reason};
use serde_json::json;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cli::LogFormat;
use crate::telemetry::TraceLayer;

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

/// Tells what a user must know of a result: a reason's code, and a sentence about it. Quiet keeps it to the result itself.
pub(crate) fn note(reason: &Reason, sentence: &str) {
    if !speaks().quiet {
        say("WARN", reason.code, reason.modality, sentence);
    }
}

/// Tells why there is no result. No filter keeps it back.
pub(crate) fn failure(code: Code, sentence: &str) {
    say("ERROR", code, None, sentence);
}

/// As [`failure`], of one modality where it is one's.
pub(crate) fn failure_of(code: Code, modality: Option<Modality>, sentence: &str) {
    say("ERROR", code, modality, sentence);
}

/// The sentence, and what to do about it.
pub(crate) fn with_advice(code: Code, sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    match code.to_do().filter(|advice| !sentence.contains(advice.trim_end_matches('.'))) {
        Some(advice) => format!("{sentence}. {advice}"),
        None => format!("{sentence}."),
    }
}

fn say(level: &str, code: Code, modality: Option<Modality>, sentence: &str) {
    let sentence = with_advice(code, sentence);
    match speaks().format {
        LogFormat::Text => eprintln!("hirenet: {code}: {sentence}"),
        LogFormat::Json => {
            let mut timestamp = String::new();
            // Writing to a String cannot fail.
            let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
            let mut line = json!({"timestamp": timestamp, "level": level, "code": code, "message": sentence});
            if let Some(modality) = modality {
                line["modality"] = json!(modality);
            }
            eprintln!("{line}");
        }
    }
}

/// Says how this module's own sentences look, and what is told of a panic; they need no configuration.
pub(crate) fn speak(format: LogFormat, quiet: bool) {
    // Once a process; a second call would keep the first.
    let _ = SPEAKS.set(Speaks { format, quiet });
    std::panic::set_hook(Box::new(panicked));
}

/// Tells where a thread panicked. Never the panic's own words: slicing a text quotes the text, which may be a candidate's.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    tracing::error!(location, thread = thread.name(), "a thread panicked");
}

/// Starts the log, and the export of traces where `traces` is given. `HIRENET_LOG` takes a filter such as `info` or
/// `hirenet_media=debug`.
///
/// Text logs are for a person at a terminal and speak up from `warn`; JSON logs are for a collector and from `info`.
pub(crate) fn start(traces: Option<TraceLayer>) {
    let Speaks { format, quiet } = speaks();
    // object_store's own words can hold addresses of recordings, and lapin shouts where we only ask whether a queue is there.
    let default = match (quiet, format) {
        (true, _) => "error,lapin=off,object_store=off",
        (false, LogFormat::Text) => "warn,ort=error,lapin=off,object_store=off",
        (false, LogFormat::Json) => "info,ort=warn,whisper_rs=warn,lapin=off,object_store=off",
    };
    let filter = EnvFilter::try_from_env("HIRENET_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            lines.with_target(false).without_time().with_ansi(colours).with_filter(filter).boxed()
        }
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(traces).with(lines).init();
}
