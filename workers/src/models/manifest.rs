use std::collections::HashSet;
use std::path::{Path, PathBuf};

use hirenet_core::BundleKind;
use hirenet_onnx::ModelFile;
use serde::Deserialize;

use super::ModelsError;

const MANIFEST_FILE: &str = "manifest.toml";

/// What a model does in the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Finds faces in a frame.
    FaceDetector,
    /// 478 landmarks of a face crop.
    FaceLandmarks,
    /// 52 blendshapes from landmarks.
    FaceBlendshapes,
    /// Probability of speech in a window of sound.
    VoiceActivity,
    /// Sound to text.
    Speech,
    /// Text to vectors.
    Encoder,
    /// The tokenizer of an encoder.
    EncoderTokenizer,
    /// A HireNet graph.
    Bundle,
    /// What the converter of the face networks reads; never loaded by the program.
    ConverterInput,
}

impl Role {
    /// The spelling of the manifest.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Role::FaceDetector => "face_detector",
            Role::FaceLandmarks => "face_landmarks",
            Role::FaceBlendshapes => "face_blendshapes",
            Role::VoiceActivity => "voice_activity",
            Role::Speech => "speech",
            Role::Encoder => "encoder",
            Role::EncoderTokenizer => "encoder_tokenizer",
            Role::Bundle => "bundle",
            Role::ConverterInput => "converter_input",
        }
    }
}

/// One model file as the manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// What settings and the command line call it.
    pub(crate) name: String,
    /// What it does.
    pub(crate) role: Role,
    /// Its file name, in the models' folder and in a mirror.
    pub(crate) file: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// SHA-256 of its content in lower-case hexadecimal.
    pub(crate) sha256: String,
    /// Address, or place in the repository, that it or what it was made from comes from.
    pub(crate) source: String,
    /// True where `source` serves exactly this file.
    pub(crate) download: bool,
    /// True where the file is part of the repository.
    pub(crate) shipped: bool,
    /// SPDX name of its licence.
    pub(crate) licence: String,
    /// Where it was taken from, or how it was made.
    pub(crate) origin: String,
    /// Inputs and outputs in short.
    pub(crate) contract: String,
    /// Bundles only: how the graph came to its weights.
    #[serde(default)]
    pub(crate) kind: Option<BundleKind>,
    /// Other files of the same network, which are taken as well.
    #[serde(default)]
    pub(crate) equal: Vec<EqualFile>,
}

/// A file with the same inputs and the same outputs, in a slower layout, as older mirrors hold it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EqualFile {
    /// Its length, by which it is told apart.
    pub(crate) bytes: u64,
    /// SHA-256 of its content in lower-case hexadecimal.
    pub(crate) sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    model: Vec<Entry>,
}

/// The manifest of a folder of models.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    folder: PathBuf,
    entries: Vec<Entry>,
}

impl Manifest {
    /// Reads `folder/manifest.toml`.
    ///
    /// # Errors
    /// [`ModelsError::Manifest`] where it is missing, has an unknown or missing field, or contradicts itself.
    pub(crate) fn load(folder: &Path) -> Result<Self, ModelsError> {
        let path = folder.join(MANIFEST_FILE);
        let wrong = |detail: String| ModelsError::Manifest { path: path.clone(), detail };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let document: Document = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let (mut names, mut files) = (HashSet::new(), HashSet::new());
        for entry in &document.model {
            entry.check().map_err(|detail| wrong(format!("model `{}`: {detail}", entry.name)))?;
            if !names.insert(&entry.name) || !files.insert(&entry.file) {
                return Err(wrong(format!("model `{}`: its name or file stands twice", entry.name)));
            }
        }
        Ok(Manifest { folder: folder.to_path_buf(), entries: document.model })
    }

    /// The same manifest for another folder that holds its files, such as a mirror.
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = folder.to_path_buf();
        self
    }

    /// Every model in the order of the manifest.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The folder of the manifest and the models.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The model of this name, or of this file name.
    ///
    /// # Errors
    /// [`ModelsError::UnknownName`], with the names that there are.
    pub(crate) fn by_name(&self, name: &str) -> Result<&Entry, ModelsError> {
        let found = self.entries.iter().find(|entry| entry.name == name || entry.file == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
            ModelsError::UnknownName { name: name.to_owned(), known: known.join(", ") }
        })
    }

    /// Every model of a role, in the order of the manifest.
    pub(crate) fn by_role(&self, role: Role) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.role == role)
    }

    /// Where a model lies, or would lie.
    pub(crate) fn path(&self, entry: &Entry) -> PathBuf {
        self.folder.join(&entry.file)
    }

    /// The file with the hash that it must have when it is loaded.
    pub(crate) fn model_file(&self, entry: &Entry) -> ModelFile {
        let path = self.path(entry);
        // Its length says which of the equal files it can be; what is wrong with a missing one is told by whoever reads it.
        let length = std::fs::metadata(&path).map_or(entry.bytes, |metadata| metadata.len());
        let sha256 = entry.sha256_of(length).unwrap_or(&entry.sha256).to_owned();
        ModelFile { path, sha256: Some(sha256) }
    }
}

impl Entry {
    /// The sha256 that a file of so many bytes must have; `None` where no file of this model has that length.
    pub(crate) fn sha256_of(&self, bytes: u64) -> Option<&str> {
        if bytes == self.bytes {
            return Some(&self.sha256);
        }
        self.equal.iter().find(|file| file.bytes == bytes).map(|file| file.sha256.as_str())
    }

    /// What the types alone cannot say.
    fn check(&self) -> Result<(), String> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let hash = |sha256: &str| sha256.len() == 64 && sha256.bytes().all(hex);
        if !hash(&self.sha256) || !self.equal.iter().all(|file| hash(&file.sha256)) {
            return Err("sha256 is not 64 lower-case hexadecimal digits".to_owned());
        }
        let mut lengths = HashSet::from([self.bytes]);
        if !self.equal.iter().all(|file| lengths.insert(file.bytes)) {
            return Err("two of its equal files have the same bytes, by which they are told apart".to_owned());
        }
        // The name is joined to folders that are written to: nothing in it may climb out of them.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if self.file.starts_with('.') || self.file.is_empty() || !self.file.bytes().all(plain) {
            return Err("file is not a plain file name".to_owned());
        }
        if self.download && !(self.source.starts_with("https://") || self.source.starts_with("http://")) {
            return Err("source is not an address that can be downloaded".to_owned());
        }
        if lengths.contains(&0) {
            return Err("bytes is 0".to_owned());
        }
        if self.kind.is_some() != (self.role == Role::Bundle) {
            return Err("kind belongs to bundles, and to each of them".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
