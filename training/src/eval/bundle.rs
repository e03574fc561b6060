//! A bundle's own scores of a split, through ONNX Runtime, as the pipeline computes them.

use hirenet_core::{ByModality, Modality, Schema, Track, context_hash256, verbal_hash256, visual_face, vocal_lld51};
use hirenet_model::{AnswerTracks, Bundle, BundleError, Calibration, Card, InterviewTracks};
use hirenet_onnx::{Device, OnnxSettings, Runtime};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::data::split::Splitting;
use crate::data::{Corpus, Rows, Sample};
use crate::fit::config::Read;
use crate::{Result, TrainError};

/// Key of [`TrainedOn`] in a card.
pub const SPLIT_KEY: &str = "split";

/// The schema of a modality's track.
#[must_use]
pub fn schema(modality: Modality) -> Arc<Schema> {
    match modality {
        Modality::Verbal => verbal_hash256(),
        Modality::Vocal => vocal_lld51(),
        Modality::Visual => visual_face(),
    }
}

/// ONNX Runtime on the CPU: `ORT_DYLIB_PATH`, or where `make setup` puts it.
///
/// # Errors
/// Where the library cannot be loaded.
pub fn runtime() -> Result<Runtime> {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.runtime/libonnxruntime.so"));
    let library = std::env::var_os("ORT_DYLIB_PATH").map_or_else(|| source.to_owned(), PathBuf::from);
    Ok(Runtime::start(&OnnxSettings { library, device: Device::Cpu, ..OnnxSettings::default() })?)
}

/// Opens a bundle of this program's schemas.
///
/// # Errors
/// Those of the bundle, which name the file.
pub fn open(runtime: &Runtime, path: &Path) -> Result<Bundle> {
    let known = [verbal_hash256(), vocal_lld51(), visual_face(), context_hash256()];
    Bundle::load(runtime, path, &known).map_err(|source| TrainError::BundleFile { file: path.to_owned(), source })
}

/// A sample as the pipeline has it.
#[must_use]
pub fn tracks(sample: &Sample) -> InterviewTracks {
    let whole = |schema: Arc<Schema>, values: &ndarray::Array2<f32>| Track {
        schema,
        valid: vec![true; values.nrows()],
        values: values.clone(),
    };
    let answer = |(number, answer): (usize, &crate::data::AnswerSample)| {
        let mut tracks = ByModality::default();
        for (modality, rows) in answer.tracks.iter() {
            let Rows { values, .. } = rows;
            tracks.set(modality, Some(whole(schema(modality), values)));
        }
        AnswerTracks { id: format!("a{}", number + 1), question: whole(context_hash256(), &answer.question), tracks }
    };
    InterviewTracks {
        title: whole(context_hash256(), &sample.title),
        answers: sample.answers.iter().enumerate().map(answer).collect(),
    }
}

/// Which interviews a bundle learned from, as its card keeps it: whoever measures it must not measure it on these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// How they were chosen.
    pub how: Splitting,
    /// Seed of that choice.
    pub seed: u64,
    /// How much of each answer was read.
    pub read: Read,
    /// Fingerprint of the data set.
    pub dataset: String,
}

impl TrainedOn {
    /// What a card says; `None` where it was written by another program or an earlier version.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] with the bundle's file where it cannot be understood.
    pub fn of(card: &Card, file: &Path) -> Result<Option<TrainedOn>> {
        let read = |value: &serde_json::Value| serde_json::from_value(value.clone());
        let said = card.more.get(SPLIT_KEY).map(read).transpose();
        said.map_err(|error| TrainError::dataset(file, format!("its card's `{SPLIT_KEY}` cannot be read: {error}")))
    }
}

/// What a bundle says of one interview.
#[derive(Debug, Clone, PartialEq)]
pub struct InterviewScore {
    /// Number in the corpus.
    pub index: usize,
    /// 1 hirable, 0 not.
    pub label: u8,
    /// Uncalibrated fused logit.
    pub logit: f64,
    /// Uncalibrated logits of the modalities that are there.
    pub logits: ByModality<f64>,
}

/// The logit behind a calibrated score. A slope of 0 hides it; then the score is the same for any, and 0 stands in.
fn uncalibrated(calibration: Calibration, score: f64) -> f64 {
    let score = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    let logit = ((score / (1.0 - score)).ln() - calibration.b) / calibration.a;
    if logit.is_finite() { logit } else { 0.0 }
}

/// Uncalibrated logits of interviews; those without evidence are left out.
///
/// # Errors
/// Those of reading and of the bundle.
pub fn score(bundle: &mut Bundle, corpus: &Corpus, interviews: &[usize]) -> Result<Vec<InterviewScore>> {
    let calibrations = bundle.card().calibration;
    let mut scored = Vec::new();
    for index in interviews {
        let sample = corpus.sample(*index)?;
        match bundle.score(&tracks(&sample)) {
            Ok(said) => {
                let mut logits = ByModality::default();
                for (modality, score) in said.scores.iter() {
                    logits.set(modality, calibrations.get(modality).map(|of| uncalibrated(of, *score)));
                }
                let label = u8::from(sample.label > 0.5);
                scored.push(InterviewScore { index: *index, label, logit: f64::from(said.logit), logits });
            }
            Err(BundleError::NothingToScore) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(scored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibrated_score_leads_back_to_its_logit() {
        let calibration = Calibration { a: 0.7, b: -0.4 };
        for logit in [-20.0_f32, -1.5, 0.0, 3.25] {
            assert!((uncalibrated(calibration, calibration.score(logit)) - f64::from(logit)).abs() < 1e-6);
        }
        assert_eq!(uncalibrated(Calibration { a: 0.0, b: 1.0 }, 0.73), 0.0);
        assert!(uncalibrated(calibration, 1.0).is_finite());
    }
}
