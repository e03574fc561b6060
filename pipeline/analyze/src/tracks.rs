//! The tracks of one answer as a safetensors file: what the trainer imports.
//!
//! Tensors: for each modality that is there, `MODALITY` f32 `[T, D]` and `MODALITY_valid` u8 `[T]`; `verbal_times_s`
//! f32 `[T, 2]` (NaN where a word has no times); `question` and `title` f32 `[L, E]` with `question_valid` and
//! `title_valid`. The metadata entry `hirenet` is one JSON object: `format`, `interview_id`, `answer`, `duration_s`, and
//! under `tracks` for each track its `schema` and its `columns` with their units.

use std::collections::HashMap;
use std::path::Path;

use hirenet_core::{ByModality, Modality, Track, Transcript};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use crate::AnalyzeError;

/// Version of the layout above.
const FORMAT: &str = "hirenet-tracks/1";

/// What a track file holds.
#[derive(Debug, Clone, Copy)]
pub struct TrackFile<'a> {
    /// The interview's id.
    pub interview_id: &'a str,
    /// The answer's id.
    pub answer: &'a str,
    /// Duration of the recording in seconds.
    pub duration_s: Option<f64>,
    /// The tracks that are there.
    pub tracks: &'a ByModality<Track>,
    /// The words that the verbal track's rows stand for.
    pub transcript: Option<&'a Transcript>,
    /// Vectors of the question's words.
    pub question: &'a Track,
    /// Vectors of the title's words.
    pub title: &'a Track,
}

struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    fn f32(name: String, shape: Vec<usize>, values: impl Iterator<Item = f32>) -> Self {
        Tensor { name, dtype: Dtype::F32, shape, bytes: values.flat_map(f32::to_le_bytes).collect() }
    }

    fn valid(name: String, valid: &[bool]) -> Self {
        Tensor { name, dtype: Dtype::U8, shape: vec![valid.len()], bytes: valid.iter().map(|v| u8::from(*v)).collect() }
    }
}

impl TrackFile<'_> {
    /// Writes the file whole or not at all. The same tracks give the same bytes.
    ///
    /// # Errors
    /// [`AnalyzeError::Output`] where the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), AnalyzeError> {
        crate::output::write_whole(path, &self.serialised()?)
    }

    fn serialised(&self) -> Result<Vec<u8>, AnalyzeError> {
        let mut tensors = Vec::new();
        let mut described = serde_json::Map::new();
        let named = self.tracks.iter().map(|(modality, track)| (modality.as_str(), track));
        for (name, track) in named.chain([("question", self.question), ("title", self.title)]) {
            tensors.push(Tensor::f32(
                name.to_owned(),
                vec![track.rows(), track.schema.dim()],
                track.values.iter().copied(),
            ));
            tensors.push(Tensor::valid(format!("{name}_valid"), &track.valid));
            described.insert(name.to_owned(), json!({"schema": track.schema.id, "columns": track.schema.columns}));
        }
        if let (Some(words), Some(_)) = (self.transcript.map(|t| &t.words), self.tracks.get(Modality::Verbal)) {
            let times = words.iter().flat_map(|w| [w.start, w.end]).map(|t| t.map_or(f32::NAN, |t| t as f32));
            tensors.push(Tensor::f32("verbal_times_s".to_owned(), vec![words.len(), 2], times));
        }
        let about = json!({
            "format": FORMAT, "interview_id": self.interview_id, "answer": self.answer,
            "duration_s": self.duration_s, "tracks": described,
        });
        // One entry: the header's map has no order of its own, and the same input must give the same file.
        let metadata = HashMap::from([("hirenet".to_owned(), about.to_string())]);
        let views = tensors
            .iter()
            .map(|t| Ok((t.name.as_str(), TensorView::new(t.dtype, t.shape.clone(), &t.bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        let bytes = views
            .and_then(|views| safetensors::serialize(views, Some(metadata)))
            .map_err(|error| AnalyzeError::Internal(format!("tracks cannot be serialised: {error}")))?;
        Ok(bytes)
    }
}
