//! One answer's safetensors file.
//!
//! Tensors: for each modality that is there `MODALITY` f32 `[T, D]` and `MODALITY_valid` u8 `[T]`; `question` and `title`
//! f32 `[L, E]` with `question_valid` and `title_valid`; where words have times `verbal_times_s` f32 `[T, 2]`. The metadata
//! entry `hirenet` is one JSON object: `format`, `interview_id`, `answer`, `duration_s`, `schemas` (`verbal`, `vocal`,
//! `visual`, `context`), and `words` where the words are known.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use hirenet_core::Modality;
use ndarray::Array2;
use safetensors::tensor::{Dtype, Metadata, TensorView};
use serde_json::{Value, json};

use super::header::SchemaEntries;
use super::sample::{AnswerSample, Rows};
use crate::{Result, TrainError};

/// The version that this program reads and writes.
pub const ANSWER_FORMAT: &str = "hirenet-answer/1";
/// A header longer than this is no header.
const MAX_HEADER: u64 = 64 << 20;

/// A track as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackContent {
    /// `[T, D]`
    pub values: Array2<f32>,
    /// `[T]`
    pub valid: Vec<bool>,
}

impl TrackContent {
    /// A track whose rows are all valid.
    #[must_use]
    pub fn whole(values: Array2<f32>) -> Self {
        TrackContent { valid: vec![true; values.nrows()], values }
    }
}

/// What an answer's file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerContent {
    /// The interview's id.
    pub interview: String,
    /// The answer's id.
    pub answer: String,
    /// Duration of the recording in seconds, where it is known.
    pub duration_s: Option<f64>,
    /// Names and tracks: the modalities that are there, then `question` and `title`.
    pub tracks: Vec<(&'static str, TrackContent)>,
    /// Start and end of each word.
    pub word_times: Option<Vec<[f32; 2]>>,
    /// The words.
    pub words: Option<Vec<String>>,
}

impl AnswerContent {
    /// The file's bytes. The same content gives the same bytes.
    ///
    /// # Errors
    /// [`TrainError::Compute`] where the tensors cannot be serialised.
    pub fn to_bytes(&self, schemas: &SchemaEntries) -> Result<Vec<u8>> {
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for (name, track) in &self.tracks {
            let (rows, columns) = track.values.dim();
            let bytes = track.values.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push(((*name).to_owned(), Dtype::F32, vec![rows, columns], bytes));
            let valid = track.valid.iter().map(|v| u8::from(*v)).collect();
            tensors.push((format!("{name}_valid"), Dtype::U8, vec![rows], valid));
        }
        if let Some(times) = &self.word_times {
            let bytes = times.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push(("verbal_times_s".to_owned(), Dtype::F32, vec![times.len(), 2], bytes));
        }
        let mut about = json!({
            "format": ANSWER_FORMAT, "interview_id": self.interview, "answer": self.answer,
            "duration_s": self.duration_s, "schemas": {},
        });
        let mut named = schemas.clone();
        for (name, _) in &self.tracks {
            let name = if matches!(*name, "question" | "title") { "context" } else { name };
            if let Some(Some(entry)) = named.slot(name) {
                about["schemas"][name] = json!(entry.id);
            }
        }
        if let Some(words) = &self.words {
            about["words"] = json!(words);
        }
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        let metadata = HashMap::from([("hirenet".to_owned(), about.to_string())]);
        views
            .and_then(|views| safetensors::serialize(views, Some(metadata)))
            .map_err(|error| TrainError::Compute(format!("an answer cannot be serialised: {error}")))
    }
}

/// An answer's file, opened: its header is read and checked, its tensors are read when asked for.
pub struct AnswerFile<'a> {
    path: &'a Path,
    file: File,
    /// Where the tensors begin.
    data: u64,
    header: Metadata,
    about: Value,
}

impl<'a> AnswerFile<'a> {
    /// Opens a file whose metadata has one of the `formats`.
    ///
    /// # Errors
    /// [`TrainError::Read`], and [`TrainError::Dataset`] for a file that is cut short or of another form.
    pub fn open(path: &'a Path, formats: &[&str]) -> Result<AnswerFile<'a>> {
        let wrong = |detail: String| TrainError::dataset(path, detail);
        let read = |error: std::io::Error| TrainError::read(path, &error);
        let file = File::open(path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        let mut size = [0; 8];
        file.read_exact_at(&mut size, 0).map_err(|_| wrong("it is cut short".to_owned()))?;
        let size = u64::from_le_bytes(size);
        if size > MAX_HEADER || size + 8 > length {
            return Err(wrong("it is no safetensors file, or cut short".to_owned()));
        }
        let mut text = vec![0; size as usize];
        file.read_exact_at(&mut text, 8).map_err(read)?;
        let header: Metadata = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let data = size + 8;
        if data + header.data_len() as u64 != length {
            return Err(wrong("it is cut short".to_owned()));
        }
        let about = header.metadata().as_ref().and_then(|metadata| metadata.get("hirenet"));
        let about: Value = about
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| wrong("its metadata lacks `hirenet`".to_owned()))?;
        match about["format"].as_str() {
            Some(found) if formats.contains(&found) => {}
            found => {
                let (found, read) = (found.unwrap_or("missing"), formats.join("` or `"));
                return Err(wrong(format!("format is `{found}`; `{read}` is read here")));
            }
        }
        Ok(AnswerFile { path, file, data, header, about })
    }

    /// The metadata's object.
    #[must_use]
    pub fn about(&self) -> &Value {
        &self.about
    }

    /// Whether there is a tensor of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.header.info(name).is_some()
    }

    fn bytes(&self, name: &str, dtype: Dtype, axes: usize, max_rows: usize) -> Result<(Vec<usize>, Vec<u8>)> {
        let info = self.header.info(name).ok_or_else(|| self.wrong(format!("tensor `{name}` is missing")))?;
        if info.dtype != dtype || info.shape.len() != axes {
            let wanted = if axes == 1 { "a vector" } else { "a matrix" };
            let found = format!("{:?} {:?}", info.dtype, info.shape);
            return Err(self.wrong(format!("tensor `{name}` is {found}; {wanted} of {dtype:?} was expected")));
        }
        let mut shape = info.shape.clone();
        let (start, end) = info.data_offsets;
        let row = (end - start).checked_div(shape[0]).unwrap_or(0);
        shape[0] = shape[0].min(max_rows);
        let mut bytes = vec![0; row * shape[0]];
        let read = self.file.read_exact_at(&mut bytes, self.data + start as u64);
        read.map_err(|error| TrainError::read(self.path, &error))?;
        Ok((shape, bytes))
    }

    /// A matrix, of which at most `max_rows` rows are read.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] where it is missing or no f32 matrix.
    pub fn matrix(&self, name: &str, max_rows: usize) -> Result<Array2<f32>> {
        let (shape, bytes) = self.bytes(name, Dtype::F32, 2, max_rows)?;
        let values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Array2::from_shape_vec((shape[0], shape[1]), values).map_err(|error| self.wrong(error.to_string()))
    }

    /// A mask.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] where it is missing or no u8 vector.
    pub fn mask(&self, name: &str, max_rows: usize) -> Result<Vec<bool>> {
        Ok(self.bytes(name, Dtype::U8, 1, max_rows)?.1.iter().map(|v| *v != 0).collect())
    }

    /// Rows of a track before any limit, or `None` where it is missing.
    #[must_use]
    pub fn rows(&self, name: &str) -> Option<usize> {
        self.header.info(name).and_then(|info| info.shape.first().copied())
    }

    /// A track without its invalid rows, of at most `max_rows` rows before that.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] for another width than `columns`, a mask of another length, or a number that is not finite.
    pub fn track(&self, name: &str, columns: usize, max_rows: usize) -> Result<Rows> {
        let values = self.matrix(name, max_rows)?;
        let valid = self.mask(&format!("{name}_valid"), max_rows)?;
        if values.ncols() != columns {
            let found = values.ncols();
            return Err(self.wrong(format!("`{name}` has {found} columns; the data set's schema has {columns}")));
        }
        if valid.len() != values.nrows() {
            return Err(self.wrong(format!("`{name}` and `{name}_valid` differ in length")));
        }
        let kept: Vec<u32> = (0..valid.len() as u32).filter(|row| valid[*row as usize]).collect();
        let rows: Vec<usize> = kept.iter().map(|row| *row as usize).collect();
        let values = if rows.len() == valid.len() { values } else { values.select(ndarray::Axis(0), &rows) };
        if values.iter().any(|v| !v.is_finite()) {
            return Err(self.wrong(format!("`{name}` holds a number that is not finite")));
        }
        Ok(Rows { values, kept })
    }

    /// Compares the schema ids with the data set's. Every tensor that is there must have one.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] where one differs or is missing.
    pub fn check_schemas(&self, schemas: &SchemaEntries) -> Result<()> {
        let mut schemas = schemas.clone();
        let named = self.about["schemas"].as_object().ok_or_else(|| self.wrong("`schemas` is missing".to_owned()))?;
        for (name, id) in named {
            let wanted = schemas.slot(name).and_then(|slot| slot.as_ref());
            if wanted.map(|entry| entry.id.as_str()) != id.as_str() {
                let wanted = wanted.map_or("none", |entry| entry.id.as_str());
                return Err(self.wrong(format!("its {name} schema is {id}; the data set's is {wanted}")));
            }
        }
        for tensor in ["verbal", "vocal", "visual", "question", "title"].into_iter().filter(|name| self.has(name)) {
            let name = if matches!(tensor, "question" | "title") { "context" } else { tensor };
            if !named.contains_key(name) {
                return Err(self.wrong(format!("it holds `{tensor}`, but `schemas` names no {name} schema")));
            }
        }
        Ok(())
    }

    /// Compares the interview and the answer that the file was written for with the record that names it.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] where it is another's.
    pub fn check_owner(&self, interview: &str, answer: &str) -> Result<()> {
        for (key, wanted) in [("interview_id", interview), ("answer", answer)] {
            let found = self.about[key].as_str().unwrap_or_default();
            if found != wanted {
                return Err(self.wrong(format!("its `{key}` is `{found}`; `{wanted}` was expected")));
            }
        }
        Ok(())
    }

    /// The answer's tracks of some modalities, and its words.
    ///
    /// # Errors
    /// As [`AnswerFile::track`] and [`AnswerFile::check_schemas`].
    pub fn answer(
        &self,
        schemas: &SchemaEntries,
        wanted: &[Modality],
        max_rows: impl Fn(Modality) -> usize,
    ) -> Result<AnswerSample> {
        self.check_schemas(schemas)?;
        let width = schemas.context.as_ref().map_or(0, |schema| schema.columns);
        let mut answer =
            AnswerSample { question: self.track("question", width, usize::MAX)?.values, ..AnswerSample::default() };
        for modality in wanted {
            if let (true, Some(schema)) = (self.has(modality.as_str()), schemas.get(*modality)) {
                let rows = self.track(modality.as_str(), schema.columns, max_rows(*modality))?;
                answer.tracks.set(*modality, (!rows.kept.is_empty()).then_some(rows));
            }
        }
        if wanted.contains(&Modality::Verbal) {
            if self.has("verbal_times_s") {
                answer.word_times = self.word_times(max_rows(Modality::Verbal))?;
            }
            let words = self.about["words"].as_array().into_iter().flatten();
            answer.words = words.filter_map(|word| word.as_str().map(str::to_owned)).collect();
        }
        Ok(answer)
    }

    /// Start and end of each word in seconds, of at most `max_rows` words; NaN where a word has none.
    ///
    /// # Errors
    /// [`TrainError::Dataset`] where there are not two numbers for each row of `verbal`.
    pub fn word_times(&self, max_rows: usize) -> Result<Vec<[f32; 2]>> {
        let times = self.matrix("verbal_times_s", max_rows)?;
        if times.ncols() != 2 || self.rows("verbal_times_s") != self.rows("verbal") {
            let (rows, words) = (self.rows("verbal_times_s").unwrap_or(0), self.rows("verbal").unwrap_or(0));
            let columns = times.ncols();
            return Err(self.wrong(format!("`verbal_times_s` is [{rows}, {columns}]; [{words}, 2] was expected")));
        }
        Ok(times.rows().into_iter().map(|row| [row[0], row[1]]).collect())
    }

    /// Words of the title `[L, E]`.
    ///
    /// # Errors
    /// As [`AnswerFile::track`].
    pub fn title(&self, columns: usize) -> Result<Array2<f32>> {
        Ok(self.track("title", columns, usize::MAX)?.values)
    }

    /// A breach in this file.
    #[must_use]
    pub fn wrong(&self, detail: String) -> TrainError {
        TrainError::dataset(self.path, detail)
    }
}
