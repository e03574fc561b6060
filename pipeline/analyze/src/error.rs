use std::path::PathBuf;

use hirenet_core::{Code, Coded};

/// Why an analysis gave no result. Every kind carries a stable code.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// The media could not be decoded.
    #[error(transparent)]
    Media(#[from] hirenet_media::MediaError),
    /// Voice activity or recognition failed.
    #[error(transparent)]
    Speech(#[from] hirenet_speech::SpeechError),
    /// The voice could not be measured.
    #[error(transparent)]
    Voice(#[from] hirenet_voice::VoiceError),
    /// The face could not be measured.
    #[error(transparent)]
    Face(#[from] hirenet_face::FaceError),
    /// Words could not be turned into vectors.
    #[error(transparent)]
    Language(#[from] hirenet_language::LanguageError),
    /// The bundle was refused or failed.
    #[error(transparent)]
    Bundle(#[from] hirenet_model::BundleError),
    /// The runtime or a model file.
    #[error(transparent)]
    Onnx(#[from] hirenet_onnx::OnnxError),
    /// The recording is not the one that the message speaks of.
    #[error("the recording's sha256 is {found}, the message says {expected}")]
    Hash {
        /// What the message says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// A result cannot be written.
    #[error("{} cannot be written: {detail}", .path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// A thread died or something that cannot fail did.
    #[error("{0}")]
    Internal(String),
}

impl Coded for AnalyzeError {
    fn code(&self) -> Code {
        match self {
            AnalyzeError::Media(error) => error.code(),
            AnalyzeError::Speech(error) => error.code(),
            AnalyzeError::Voice(error) => error.code(),
            AnalyzeError::Face(error) => error.code(),
            AnalyzeError::Language(error) => error.code(),
            AnalyzeError::Bundle(error) => error.code(),
            AnalyzeError::Onnx(error) => error.code(),
            AnalyzeError::Hash { .. } => Code::FileHash,
            AnalyzeError::Output { .. } => Code::OutputFailed,
            AnalyzeError::Internal(_) => Code::Internal,
        }
    }
}
