use std::path::PathBuf;

use hirenet_core::{Code, Coded};
use hirenet_onnx::OnnxError;

/// What can go wrong with words and their vectors.
#[derive(Debug, thiserror::Error)]
pub enum LanguageError {
    /// The encoder's graph cannot be opened or failed.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The tokenizer's file is not there.
    #[error("tokenizer {} is missing", .0.display())]
    TokenizerMissing(PathBuf),
    /// The tokenizer's file cannot be used.
    #[error("tokenizer {} is damaged ({detail})", .path.display())]
    TokenizerCorrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The name is not fit for a schema id.
    #[error("`{0}` cannot name an encoder: use lower-case letters, digits, `-`, `_` and `.`, but not `hash256`")]
    Name(String),
    /// The graph is not a text encoder of the documented form.
    #[error("the encoder {} does not fit: {detail}", .path.display())]
    Contract {
        /// The graph's file.
        path: PathBuf,
        /// What is missing or different.
        detail: String,
    },
    /// Splitting into pieces or the network failed. The text is never part of the sentence.
    #[error("word vectors could not be computed: {0}")]
    Failed(String),
}

impl Coded for LanguageError {
    fn code(&self) -> Code {
        match self {
            LanguageError::Onnx(error) => error.code(),
            LanguageError::TokenizerMissing(_) => Code::ModelMissing,
            LanguageError::TokenizerCorrupt { .. } => Code::ModelCorrupt,
            LanguageError::Name(_) | LanguageError::Contract { .. } => Code::ConfigInvalid,
            LanguageError::Failed(_) => Code::ModelFailed,
        }
    }
}
