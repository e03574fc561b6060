use std::path::{Path, PathBuf};

use hirenet_core::Coded;
use hirenet_model::BundleError;
use hirenet_onnx::OnnxError;

/// What can go wrong in the trainer. Every message names the file that it speaks of.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The command line asks for something impossible.
    #[error("{0}")]
    Usage(String),
    /// A data set is not of the documented form.
    #[error("{}: {detail}", .file.display())]
    Dataset {
        /// The file at fault.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {detail}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// A file cannot be written; whatever it held before is still there.
    #[error("{} cannot be written: {detail}", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// A loss or a weight is no longer finite.
    #[error("training diverged in epoch {epoch}: {detail}; try a smaller learning rate")]
    Diverged {
        /// Epoch, counted from 1.
        epoch: usize,
        /// What is not finite.
        detail: String,
    },
    /// The framework refused or failed.
    #[error("the computation failed: {0}")]
    Compute(String),
    /// A bundle cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A bundle's file cannot be used.
    #[error("{}: {source}", .file.display())]
    BundleFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: BundleError,
    },
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}

/// A result of the trainer.
pub type Result<T, E = TrainError> = std::result::Result<T, E>;

impl TrainError {
    /// A breach of the data set's form.
    pub fn dataset(file: impl Into<PathBuf>, detail: impl Into<String>) -> Self {
        TrainError::Dataset { file: file.into(), detail: detail.into() }
    }

    /// A failed read of a file.
    pub fn read(file: &Path, error: &dyn std::fmt::Display) -> Self {
        TrainError::Read { file: file.to_owned(), detail: error.to_string() }
    }

    /// A failed write of a file.
    pub fn write(file: &Path, error: &dyn std::fmt::Display) -> Self {
        TrainError::Write { file: file.to_owned(), detail: error.to_string() }
    }

    /// The stable spelling of what went wrong.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            TrainError::Usage(_) => "usage_invalid",
            TrainError::Dataset { .. } => "dataset_invalid",
            TrainError::Read { .. } => "file_unreadable",
            TrainError::Write { .. } => "output_failed",
            TrainError::Diverged { .. } => "training_diverged",
            TrainError::Compute(_) => "internal",
            TrainError::Bundle(source) | TrainError::BundleFile { source, .. } => source.code().as_str(),
            TrainError::Onnx(error) => error.code().as_str(),
        }
    }

    /// The program's exit status: 2 wrong command line, 3 input refused, 5 failed.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            TrainError::Usage(_) | TrainError::Onnx(_) => 2,
            TrainError::Dataset { .. }
            | TrainError::Read { .. }
            | TrainError::Bundle(_)
            | TrainError::BundleFile { .. } => 3,
            TrainError::Write { .. } | TrainError::Diverged { .. } | TrainError::Compute(_) => 5,
        }
    }
}

impl From<candle_core::Error> for TrainError {
    fn from(error: candle_core::Error) -> Self {
        TrainError::Compute(error.to_string())
    }
}
