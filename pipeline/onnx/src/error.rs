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
    /// A setting is outside its range.
    #[error("onnx.{setting}: {detail}")]
    Setting {
        /// Name inside the section `onnx`.
        setting: &'static str,
        /// What it must be.
        detail: &'static str,
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
            OnnxError::Setting { .. } => Code::ConfigInvalid,
            OnnxError::Run(_) => Code::ModelFailed,
        }
    }
}

impl<T> From<ort::Error<T>> for OnnxError {
    fn from(error: ort::Error<T>) -> Self {
        OnnxError::Run(plain(&error.to_string()))
    }
}

/// The runtime's words on one line, without the places in its source that it puts before them.
fn plain(text: &str) -> String {
    // "FILE:LINE FUNCTION [ONNXRuntimeError] : NUMBER : CODE : WORDS"
    let words = text.find("[ONNXRuntimeError]").and_then(|at| text[at..].splitn(4, " : ").nth(3)).unwrap_or(text);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn the_runtimes_words_fit_on_a_line() {
        let text =
            "/src/provider_bridge_ort.cc:2043 Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library a.so: x\n";
        assert_eq!(plain(text), "Failed to load library a.so: x");
        assert_eq!(
            plain("CUDA execution provider is not enabled in this build."),
            "CUDA execution provider is not enabled in this build."
        );
    }
}
