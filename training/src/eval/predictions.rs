//! What a model says of validation and test interviews: where evaluation begins.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::{make_folder, read_json, write_json};
use crate::fit::Scored;
use crate::{Result, TrainError};

/// The modality's name of whatever reads all modalities.
pub const FUSED: &str = "fused";

/// One model, one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// Such as `hirenet`.
    pub model: String,
    /// `verbal`, `vocal`, `visual`, or [`FUSED`].
    pub modality: String,
    /// Seed of the run.
    pub seed: u64,
    /// Calibration and thresholds are chosen on these.
    pub validation: Vec<Scored>,
    /// These are reported.
    pub test: Vec<Scored>,
}

impl Predictions {
    /// The file's name.
    #[must_use]
    pub fn file_name(model: &str, modality: &str, seed: u64) -> String {
        format!("{model}.{modality}.{seed}.json")
    }

    /// Writes it into a folder.
    ///
    /// # Errors
    /// [`TrainError::Write`]
    pub fn save(&self, folder: &Path) -> Result<()> {
        make_folder(folder)?;
        write_json(&folder.join(Self::file_name(&self.model, &self.modality, self.seed)), self)
    }

    /// Every one of a folder, in the order of the files' names.
    ///
    /// # Errors
    /// [`TrainError::Read`], [`TrainError::Dataset`]; [`TrainError::Usage`] where there is none.
    pub fn load_all(folder: &Path) -> Result<Vec<Predictions>> {
        let entries = std::fs::read_dir(folder).map_err(|error| TrainError::read(folder, &error))?;
        let mut paths: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        paths.sort();
        if paths.is_empty() {
            return Err(TrainError::Usage(format!("{} holds no predictions", folder.display())));
        }
        paths.iter().map(|path| read_json(path)).collect()
    }
}
