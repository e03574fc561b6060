//! `hirenet-train synth`

use indicatif::ProgressBar;

use super::print;
use crate::cli::Synth;
use crate::synth::generate;
use crate::{Result, TrainError};

pub(super) fn run(arguments: &Synth, quiet: bool) -> Result<()> {
    if arguments.folder.join("dataset.json").exists() {
        return Err(TrainError::Usage(format!("{} is a data set already", arguments.folder.display())));
    }
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(arguments.interviews as u64) };
    let summary = generate(&arguments.options(), &arguments.folder, &|done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    print(&serde_json::json!(summary).to_string())
}
