use std::path::PathBuf;

use hirenet_core::{Code, Coded};
use hirenet_onnx::OnnxError;

/// What can go wrong with a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is no such file.
    #[error("bundle {} does not exist", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read, or holds no graph that the runtime can load.
    #[error("the bundle{} cannot be loaded: {detail}", .path.as_ref().map(|path| format!(" {}", path.display())).unwrap_or_default())]
    Unreadable {
        /// The file, where it is one.
        path: Option<PathBuf>,
        /// The system's or the runtime's words.
        detail: String,
    },
    /// The graph or its metadata breaks the contract: one sentence for each breach.
    #[error("the bundle does not keep the graph contract: {}", .0.join("; "))]
    Contract(Vec<String>),
    /// The bundle was trained on features that no extractor here produces.
    #[error("{modality}: the bundle expects schema `{found}`; known here: {}", .known.join(", "))]
    Schema {
        /// `verbal`, `vocal`, `visual` or `context`.
        modality: String,
        /// The id in the bundle.
        found: String,
        /// The ids of this modality that extractors produce.
        known: Vec<String>,
    },
    /// The bundle speaks of emotion, mood or personality.
    #[error(
        "the bundle is refused: its {place} says `{word}`; nothing that speaks of emotion, mood or personality is run"
    )]
    Forbidden {
        /// Which output, or which part of the metadata.
        place: String,
        /// The word that was found.
        word: String,
    },
    /// No answer has a valid row in any modality of the bundle.
    #[error("no answer has any usable evidence for this bundle")]
    NothingToScore,
    /// The tracks are not those that the bundle asks for.
    #[error("the tracks do not fit the bundle: {0}")]
    Input(String),
    /// The graph failed while it ran.
    #[error("the bundle failed while running: {0}")]
    Failed(String),
}

impl Coded for BundleError {
    fn code(&self) -> Code {
        match self {
            BundleError::Missing(_) => Code::FileMissing,
            BundleError::Unreadable { .. } => Code::BundleUnreadable,
            BundleError::Contract(_) => Code::BundleContract,
            BundleError::Schema { .. } => Code::BundleSchema,
            BundleError::Forbidden { .. } => Code::BundleForbidden,
            BundleError::NothingToScore => Code::NothingToScore,
            BundleError::Input(_) => Code::Internal,
            BundleError::Failed(_) => Code::ModelFailed,
        }
    }
}

impl BundleError {
    pub(crate) fn failed(error: impl Into<OnnxError>) -> Self {
        BundleError::Failed(error.into().to_string())
    }
}
