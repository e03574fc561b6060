//! A bundle's own scores of a split, through ONNX Runtime, as the pipeline computes them.

use hirenet_core::{ByModality, Modality, Schema, Track, context_hash256, verbal_hash256, visual_face, vocal_lld51};
use hirenet_model::{AnswerTracks, Bundle, BundleError, InterviewTracks};
use hirenet_onnx::{Device, OnnxSettings, Runtime};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Result;
use crate::data::{Corpus, Rows, Sample};

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
    Ok(Bundle::load(runtime, path, &known)?)
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

/// Number, label, fused score and scores by modality of one interview.
pub type InterviewScore = (usize, u8, f64, ByModality<f64>);

/// Number, label, and calibrated score (fused, then by modality) of interviews; those without evidence are left out.
///
/// # Errors
/// Those of reading and of the bundle.
pub fn score(bundle: &mut Bundle, corpus: &Corpus, interviews: &[usize]) -> Result<Vec<InterviewScore>> {
    let mut scored = Vec::new();
    for index in interviews {
        let sample = corpus.sample(*index)?;
        match bundle.score(&tracks(&sample)) {
            Ok(said) => scored.push((*index, u8::from(sample.label > 0.5), said.score, said.scores)),
            Err(BundleError::NothingToScore) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(scored)
}
