use std::path::PathBuf;

use hirenet_core::{Code, Coded};

/// What can go wrong with the runtime and its models.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The shared library cannot be loaded or is too old.
    #[error("ONNX Runtime ({}) cannot be loaded: {detail}", .path.display())]
    Library {
        /// The library that was tried.
        path: PathBuf,
        /// The loader's words.
        detail: String,
    },
    /// A device that the user asked for cannot be used.
    #[error("device {device} cannot be used: {detail}")]
    Device {
        /// The device as configured.
        device: String,
        /// The runtime's words.
        detail: String,
    },
    /// A model file is not there.
    #[error("model {} is missing", .0.display())]
    Missing(PathBuf),
    /// A model file is damaged.
    #[error("model {} is damaged ({detail})", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The runtime refused or failed.
    #[error("ONNX Runtime: {0}")]
    Run(String),
}

impl Coded for OnnxError {
    fn code(&self) -> Code {
        match self {
            OnnxError::Library { .. } | OnnxError::Device { .. } => Code::RuntimeMissing,
            OnnxError::Missing(_) => Code::ModelMissing,
            OnnxError::Corrupt { .. } => Code::ModelCorrupt,
            OnnxError::Run(_) => Code::ModelFailed,
        }
    }
}

impl<T> From<ort::Error<T>> for OnnxError {
    fn from(error: ort::Error<T>) -> Self {
        OnnxError::Run(error.to_string())
    }
}
