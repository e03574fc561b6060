use std::path::PathBuf;

use hirenet_core::{Code, Coded};
use hirenet_onnx::{OnnxError, ort};
use whisper_rs::WhisperError;

/// What can go wrong between samples and words.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The voice activity network or a model file's hash.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A recognition model is damaged, cut off, or holds no weights.
    #[error("speech model {} is damaged ({detail})", .path.display())]
    ModelCorrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// whisper.cpp refused a file that looks whole.
    #[error("speech model {} cannot be loaded by whisper.cpp: {detail}", .path.display())]
    ModelRefused {
        /// The file.
        path: PathBuf,
        /// The library's words.
        detail: WhisperError,
    },
    /// A language that the recogniser does not know.
    #[error("`{0}` is not a language that the speech model knows: use an ISO 639-1 code such as en or fr")]
    Language(String),
    /// A setting is outside its range.
    #[error("speech.{setting}: {detail}")]
    Setting {
        /// Name inside the section `speech`.
        setting: &'static str,
        /// What it must be.
        detail: &'static str,
    },
    /// whisper.cpp failed while it ran.
    #[error("whisper.cpp failed: {0}")]
    Recognition(#[from] WhisperError),
    /// A transcript cannot be written as subtitles.
    #[error("the words have no times, so they cannot be written as subtitles: use txt or json")]
    NoTimes,
}

impl Coded for SpeechError {
    fn code(&self) -> Code {
        match self {
            SpeechError::Onnx(error) => error.code(),
            SpeechError::ModelCorrupt { .. } | SpeechError::ModelRefused { .. } => Code::ModelCorrupt,
            SpeechError::Language(_) | SpeechError::NoTimes => Code::MessageInvalid,
            SpeechError::Setting { .. } => Code::ConfigInvalid,
            SpeechError::Recognition(_) => Code::ModelFailed,
        }
    }
}

impl<T> From<ort::Error<T>> for SpeechError {
    fn from(error: ort::Error<T>) -> Self {
        SpeechError::Onnx(error.into())
    }
}
