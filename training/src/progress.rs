//! What a person sees of a run.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

use crate::fit::{Epoch, Observer};

/// A bar a part on a terminal; elsewhere a line an epoch.
pub struct Bar {
    name: String,
    progress: ProgressBar,
    lines: bool,
}

impl Bar {
    /// For the part with this name.
    #[must_use]
    pub fn new(name: &str, quiet: bool) -> Bar {
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let bar = if terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let template = "{prefix} [{bar:30}] {pos}/{len} {msg} {eta}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(name.to_owned());
        Bar { name: name.to_owned(), progress: bar, lines: !terminal && !quiet }
    }
}

impl Observer for Bar {
    fn batch(&self, epoch: usize, done: usize, of: usize, loss: f64) {
        self.progress.set_length(of as u64);
        self.progress.set_position(done as u64);
        self.progress.set_message(format!("epoch {epoch} loss {loss:.4}"));
    }

    fn epoch(&self, epoch: &Epoch) {
        let Epoch { epoch, train_loss, validation_loss, validation_auc } = epoch;
        let when = train_loss.map_or("start:".to_owned(), |loss| format!("epoch {epoch}: loss {loss:.4},"));
        let line = format!("{} {when} validation loss {validation_loss:.4}, AUC {validation_auc:.4}", self.name);
        if self.lines {
            // Nobody is left to tell where stderr is gone.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
        self.progress.println(line);
    }
}
