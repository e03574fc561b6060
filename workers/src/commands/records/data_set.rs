//! The files of a training data set, as `hirenet-train` reads them: an answer's tensors in a safetensors file.
//!
//! Tensors: for each modality that is there `MODALITY` f32 `[T, D]` and `MODALITY_valid` u8 `[T]`; `question` and `title`
//! f32 `[L, E]` with `question_valid` and `title_valid`; where words have times `verbal_times_s` f32 `[T, 2]`. The metadata
//! entry `hirenet` is one JSON object: `format`, `interview_id`, `answer`, `duration_s`, `schemas`, and `words`.

use std::collections::HashMap;

use hirenet_core::{Modality, Track, Transcript};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use crate::failure::Failure;

/// Version of an answer's file.
const ANSWER_FORMAT: &str = "hirenet-answer/1";

/// What an answer's file holds.
pub(super) struct AnswerFile<'a> {
    pub(super) interview: &'a str,
    pub(super) answer: &'a str,
    pub(super) duration_s: Option<f64>,
    pub(super) tracks: &'a [(Modality, Track)],
    pub(super) transcript: Option<&'a Transcript>,
    pub(super) question: &'a Track,
    pub(super) title: &'a Track,
}

struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl AnswerFile<'_> {
    /// The file's bytes. The same content gives the same bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        let mut tensors = Vec::new();
        let mut schemas = serde_json::Map::new();
        for (modality, track) in self.tracks {
            tensors.extend(tensors_of(modality.as_str(), track));
            schemas.insert(modality.to_string(), json!(track.schema.id));
        }
        for (name, track) in [("question", self.question), ("title", self.title)] {
            tensors.extend(tensors_of(name, track));
        }
        schemas.insert("context".to_owned(), json!(self.title.schema.id));
        tensors.extend(self.word_times());
        let mut about = json!({
            "format": ANSWER_FORMAT, "interview_id": self.interview, "answer": self.answer, "duration_s": self.duration_s,
            "schemas": schemas,
        });
        if let Some(transcript) = self.transcript {
            about["words"] = transcript.words.iter().map(|word| word.text.as_str()).collect();
        }
        let views = tensors
            .iter()
            .map(|t| Ok((t.name.as_str(), TensorView::new(t.dtype, t.shape.clone(), &t.bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        let metadata = HashMap::from([("hirenet".to_owned(), about.to_string())]);
        let bytes = views.and_then(|views| safetensors::serialize(views, Some(metadata)));
        bytes.map_err(|error| Failure::internal(&error.into()))
    }

    /// Times of the words, where the verbal track is there and every word has them.
    fn word_times(&self) -> Option<Tensor> {
        let transcript = self.transcript?;
        self.tracks.iter().find(|(modality, _)| *modality == Modality::Verbal)?;
        let times: Option<Vec<f32>> =
            transcript.words.iter().flat_map(|word| [word.start, word.end]).map(|t| t.map(|t| t as f32)).collect();
        Some(Tensor {
            name: "verbal_times_s".to_owned(),
            dtype: Dtype::F32,
            shape: vec![transcript.words.len(), 2],
            bytes: times?.into_iter().flat_map(f32::to_le_bytes).collect(),
        })
    }
}

fn tensors_of(name: &str, track: &Track) -> [Tensor; 2] {
    let values = Tensor {
        name: name.to_owned(),
        dtype: Dtype::F32,
        shape: vec![track.rows(), track.schema.dim()],
        bytes: track.values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    };
    let valid = Tensor {
        name: format!("{name}_valid"),
        dtype: Dtype::U8,
        shape: vec![track.rows()],
        bytes: track.valid.iter().map(|v| u8::from(*v)).collect(),
    };
    [values, valid]
}
