//! What a model says of validation and test interviews: where evaluation begins.

use std::path::{Path, PathBuf};

use hirenet_model::Calibration;
use serde::{Deserialize, Serialize};

use super::calibration::platt;
use super::threshold::best_threshold;
use crate::data::Record;
use crate::files::{make_folder, read_json, write_json};
use crate::fit::Scored;
use crate::{Result, TrainError};

/// The modality's name of whatever reads all modalities.
pub const FUSED: &str = "fused";

/// A calibration and a threshold that a model brings along.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// From logits to scores.
    pub calibration: Calibration,
    /// Score above which it calls an interview positive.
    pub threshold: f64,
}

/// One model, one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// Such as `hirenet`; of a bundle its file's name.
    pub model: String,
    /// `verbal`, `vocal`, `visual`, or [`FUSED`].
    pub modality: String,
    /// Seed of the run.
    pub seed: u64,
    /// Calibration and thresholds are chosen on these, where the model has none of its own.
    pub validation: Vec<Scored>,
    /// These are reported.
    pub test: Vec<Scored>,
    /// Fingerprint of the data set that the numbers of interviews belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Share of positive labels among the training interviews, for the vote by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_positive: Option<f64>,
    /// What a bundle's card says, or a vote that is no score to be calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
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

    /// The files of predictions in a folder, in order.
    ///
    /// # Errors
    /// [`TrainError::Read`]
    pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder).map_err(|error| TrainError::read(folder, &error))?;
        let mut paths: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_named_so(path)).collect();
        paths.sort();
        Ok(paths)
    }

    /// Every one of a folder with its file, in the order of the files' names.
    ///
    /// # Errors
    /// [`TrainError::Read`], [`TrainError::Dataset`]; [`TrainError::Usage`] where there is none.
    pub fn load_all(folder: &Path) -> Result<Vec<(PathBuf, Predictions)>> {
        let paths = Self::files(folder)?;
        if paths.is_empty() {
            return Err(TrainError::Usage(format!("{} holds no predictions", folder.display())));
        }
        paths.into_iter().map(|path| read_json(&path).map(|said| (path, said))).collect()
    }

    /// Refuses predictions of other interviews than the data set's. `file` holds them, `dataset` is the fingerprint.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] with the file.
    pub fn check(&self, file: &Path, records: &[Record], dataset: &str) -> Result<()> {
        let wrong = |detail: String| Err(TrainError::dataset(file, detail));
        if self.dataset.as_deref().is_some_and(|own| own != dataset) {
            return wrong("it speaks of another data set".to_owned());
        }
        for said in self.validation.iter().chain(&self.test) {
            match records.get(said.index) {
                None => return wrong(format!("it speaks of interview number {}, of {}", said.index, records.len())),
                Some(record) if record.label != said.label => {
                    let (label, id) = (said.label, &record.id);
                    return wrong(format!("it speaks of another data set: `{id}` has label {label} in it"));
                }
                Some(_) if !said.logit.is_finite() => return wrong("it holds a number that is not finite".to_owned()),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The model's own, or Platt's scaling on the validation interviews.
    #[must_use]
    pub fn calibration(&self) -> Calibration {
        if let Some(own) = self.own {
            return own.calibration;
        }
        let (logits, labels): (Vec<f64>, Vec<u8>) = self.validation.iter().map(|s| (s.logit, s.label)).unzip();
        platt(&logits, &labels)
    }

    /// The model's own, or the one with the best F1 on calibrated validation interviews.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.own.map_or_else(
            || {
                let (scores, labels) = self.calibrated(&self.validation);
                best_threshold(&scores, &labels)
            },
            |own| own.threshold,
        )
    }

    /// Calibrated scores of some of the interviews, and their labels.
    #[must_use]
    pub fn calibrated(&self, scored: &[Scored]) -> (Vec<f64>, Vec<u8>) {
        let calibration = self.calibration();
        scored.iter().map(|s| (calibration.score(s.logit as f32), s.label)).unzip()
    }
}

/// Whether a file's name is MODEL.MODALITY.SEED.json: a folder of predictions holds its settings and a report too.
fn is_named_so(path: &Path) -> bool {
    let parts: Vec<&str> = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().split('.').collect();
    matches!(parts[..], [_, _, seed, "json"] if seed.parse::<u64>().is_ok())
}
