//! Progress: a bar on a terminal, events in the log, nothing elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::logging;

/// What is seen of a running analysis.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    decoding: AtomicBool,
}

impl Progress {
    /// A bar where a person watches.
    pub(crate) fn new() -> Self {
        let bar = logging::is_watched().then(|| {
            let bar = ProgressBar::new(0);
            // The template is a constant that the tests render.
            let style = ProgressStyle::with_template("{prefix:<16} {bar:30} {pos:>5}/{len} s  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Progress { bar, decoding: AtomicBool::new(false) }
    }

    /// Another answer begins.
    pub(crate) fn answer(&self, index: usize, count: usize) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("answer {} of {count}", index + 1));
            bar.set_position(0);
        }
    }
}

impl hirenet_analyze::Observer for Progress {
    fn opened(&self, duration_s: Option<f64>) {
        // The first sign that work goes on: what start-up time is measured to.
        if !self.decoding.swap(true, Ordering::Relaxed) {
            tracing::info!(event = "decoding_started", "decoding started");
        }
        if let Some(bar) = &self.bar {
            bar.set_length(duration_s.unwrap_or(0.0).ceil() as u64);
        }
    }

    fn decoded(&self, seconds: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position(seconds as u64);
        }
    }

    fn finishing(&self, stage: &'static str) {
        if let Some(bar) = &self.bar {
            bar.set_message(stage);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
