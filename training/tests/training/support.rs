//! Small corpora, and the program.

use std::path::Path;
use std::process::{Command, Output};

use hirenet_core::Modality;
use hirenet_training::data::split::Splitting;
use hirenet_training::fit::{Settings, TrainOptions};
use hirenet_training::models::Sizes;
use hirenet_training::synth::{Summary, SynthOptions, generate};

/// A corpus of short answers.
pub(crate) fn small(folder: &Path, change: impl FnOnce(&mut SynthOptions)) -> Summary {
    let mut options = SynthOptions {
        interviews: 120,
        positions: 20,
        questions: 2,
        seconds: 5.0,
        topics: 2,
        amplitude: 3.0,
        gain: 4.0,
        ..SynthOptions::default()
    };
    change(&mut options);
    generate(&options, folder, &|_| {}).unwrap()
}

/// Settings of a run of seconds.
pub(crate) fn settings(modalities: &[Modality], epochs: usize) -> Settings {
    Settings {
        train: TrainOptions { rate: 3e-3, epochs, patience: epochs, ..TrainOptions::default() },
        sizes: Sizes::uniform(8),
        modalities: modalities.to_vec(),
        split: Splitting::Given,
        modality_dropout: 0.3,
    }
}

/// Runs the program.
pub(crate) fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hirenet-train")).args(arguments).output().unwrap()
}

/// What it said on stderr, after it ended with this status.
pub(crate) fn refused(arguments: &[&str], status: i32) -> String {
    let output = program(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{said}");
    said
}
