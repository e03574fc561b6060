//! Logs: structured events on stderr, never a transcript, a candidate or a path with a name.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging. `HIRENET_LOG` takes a filter such as `info` or `hirenet_media=debug`.
///
/// Text logs are for a person at a terminal and speak up from `warn`; JSON logs are for a collector and from `info`.
pub(crate) fn start(format: LogFormat, quiet: bool) {
    let default = match (quiet, format) {
        (true, _) => "error",
        (false, LogFormat::Text) => "warn,ort=error",
        (false, LogFormat::Json) => "info,ort=warn",
    };
    let filter = EnvFilter::try_from_env("HIRENET_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_target(false).without_time().with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
