//! `interviews.jsonl`: one interview a line.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, Write};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use crate::{Result, TrainError};

/// The file's name.
pub(crate) const RECORDS_FILE: &str = "interviews.jsonl";

/// What an interview serves for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Weights are fitted to it.
    Train,
    /// Stopping, hyper-parameters and calibration are chosen on it.
    Validation,
    /// Reported, and used for nothing else.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        })
    }
}

/// The job opening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionRecord {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRecord {
    /// Id.
    pub id: String,
    /// The question's text.
    pub question: String,
    /// Its safetensors file, relative to the folder.
    pub file: String,
}

/// One interview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Id; unique in the folder.
    pub id: String,
    /// The job opening.
    pub position: PositionRecord,
    /// The answers in order.
    pub answers: Vec<AnswerRecord>,
    /// 1 hirable, 0 not.
    #[serde(deserialize_with = "label")]
    pub label: u8,
    /// `None` where `fit` shall split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Attributes that evaluation compares groups by. No network ever sees them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, String>,
}

fn label<'de, D: serde::Deserializer<'de>>(value: D) -> Result<u8, D::Error> {
    let value = serde_json::Value::deserialize(value)?;
    match value.as_u64() {
        Some(0) => Ok(0),
        Some(1) => Ok(1),
        _ => Err(serde::de::Error::custom(format!("label is {value}; it must be 0 or 1"))),
    }
}

/// Reads a folder's interviews.
///
/// # Errors
/// [`TrainError::Read`]; [`TrainError::Dataset`] with the line of a record that is not of the form, has a label outside
/// 0 and 1, an id that was there before, or a file outside the folder.
pub fn read_records(folder: &Path) -> Result<Vec<Record>> {
    let path = folder.join(RECORDS_FILE);
    let file = std::fs::File::open(&path).map_err(|error| TrainError::read(&path, &error))?;
    let (mut records, mut ids) = (Vec::new(), HashSet::new());
    for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| TrainError::read(&path, &error))?;
        let wrong = |detail: String| TrainError::dataset(&path, format!("line {}: {detail}", number + 1));
        let record: Record = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        if record.id.is_empty() || record.position.id.is_empty() {
            return Err(wrong("the id of the interview or of its position is empty".to_owned()));
        }
        let mut answers = HashSet::new();
        if let Some(twice) = record.answers.iter().find(|answer| !answers.insert(&answer.id)) {
            return Err(wrong(format!("answer `{}` is listed twice", twice.id)));
        }
        for answer in &record.answers {
            let inside = Path::new(&answer.file).components().all(|part| matches!(part, Component::Normal(_)));
            if !inside || answer.file.is_empty() {
                return Err(wrong(format!("`{}` is not a file inside the folder", answer.file)));
            }
        }
        if !ids.insert(record.id.clone()) {
            return Err(wrong("its id was there before".to_owned()));
        }
        records.push(record);
    }
    if records.is_empty() {
        return Err(TrainError::dataset(path, "there is no interview in it"));
    }
    Ok(records)
}

/// Writes a folder's interviews, whole or not at all.
///
/// # Errors
/// [`TrainError::Write`]
pub fn write_records(folder: &Path, records: &[Record]) -> Result<()> {
    let path = folder.join(RECORDS_FILE);
    let mut bytes = Vec::new();
    for record in records {
        serde_json::to_writer(&mut bytes, record).map_err(|error| TrainError::write(&path, &error))?;
        bytes.write_all(b"\n").map_err(|error| TrainError::write(&path, &error))?;
    }
    crate::files::write_whole(&path, &bytes)
}
