//! `dataset.json`: the version of the folder and what its columns are.

use std::path::Path;
use std::sync::Arc;

use hirenet_core::{Modality, Schema, context_hash256, verbal_hash256, visual_face, vocal_lld51};
use serde::{Deserialize, Serialize};

use crate::files::{read_json, write_json};
use crate::{Result, TrainError};

/// The version that this program reads and writes.
pub const DATASET_FORMAT: &str = "hirenet-dataset/1";
/// The file's name.
pub(crate) const HEADER_FILE: &str = "dataset.json";

/// Ids and widths of the tracks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaEntry {
    /// Schema id.
    pub id: String,
    /// Number of columns.
    pub columns: usize,
}

impl From<&Schema> for SchemaEntry {
    fn from(schema: &Schema) -> Self {
        SchemaEntry { id: schema.id.clone(), columns: schema.dim() }
    }
}

/// Schemas of a data set; a modality that no answer has may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaEntries {
    /// Of the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbal: Option<SchemaEntry>,
    /// Of the voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocal: Option<SchemaEntry>,
    /// Of the face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visual: Option<SchemaEntry>,
    /// Of question and title words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<SchemaEntry>,
}

impl SchemaEntries {
    /// The schemas of this program's extractors.
    #[must_use]
    pub fn of_the_pipeline() -> SchemaEntries {
        let entry = |schema: Arc<Schema>| Some(SchemaEntry::from(schema.as_ref()));
        SchemaEntries {
            verbal: entry(verbal_hash256()),
            vocal: entry(vocal_lld51()),
            visual: entry(visual_face()),
            context: entry(context_hash256()),
        }
    }

    /// The schema of a modality.
    #[must_use]
    pub fn get(&self, modality: Modality) -> Option<&SchemaEntry> {
        match modality {
            Modality::Verbal => self.verbal.as_ref(),
            Modality::Vocal => self.vocal.as_ref(),
            Modality::Visual => self.visual.as_ref(),
        }
    }

    /// The place of a track or context by its name.
    pub(crate) fn slot(&mut self, name: &str) -> Option<&mut Option<SchemaEntry>> {
        match name {
            "verbal" => Some(&mut self.verbal),
            "vocal" => Some(&mut self.vocal),
            "visual" => Some(&mut self.visual),
            "context" => Some(&mut self.context),
            _ => None,
        }
    }
}

/// The content of `dataset.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`DATASET_FORMAT`].
    pub format: String,
    /// A name for people; it ends up in the bundle's card.
    pub name: String,
    /// Whether the interviews were generated.
    pub synthetic: bool,
    /// Whether no position may be in two splits.
    #[serde(default)]
    pub grouped_by_position: bool,
    /// What the columns are; the same in every answer.
    pub schemas: SchemaEntries,
    /// What made the folder, with its settings.
    #[serde(default)]
    pub made_by: serde_json::Value,
}

impl Header {
    /// Reads a folder's header.
    ///
    /// # Errors
    /// [`TrainError::Read`], and [`TrainError::Dataset`] for another format.
    pub fn load(folder: &Path) -> Result<Header> {
        let path = folder.join(HEADER_FILE);
        let header: Header = read_json(&path)?;
        if header.format != DATASET_FORMAT {
            let detail = format!("format is `{}`; this program reads `{DATASET_FORMAT}`", header.format);
            return Err(TrainError::dataset(path, detail));
        }
        if header.schemas.context.is_none() {
            return Err(TrainError::dataset(path, "`schemas.context` is missing"));
        }
        Ok(header)
    }

    /// Writes it into a folder.
    ///
    /// # Errors
    /// [`TrainError::Write`]
    pub fn save(&self, folder: &Path) -> Result<()> {
        write_json(&folder.join(HEADER_FILE), self)
    }

    /// Columns of a word of a question or title.
    #[must_use]
    pub fn context_width(&self) -> usize {
        self.schemas.context.as_ref().map_or(0, |schema| schema.columns)
    }
}
