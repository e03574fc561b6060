use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where word vectors come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncoderKind {
    /// Hashed character n-grams: no file needed, any language.
    #[default]
    Hash256,
    /// A pretrained encoder as an ONNX graph with its `tokenizer.json`.
    Onnx,
}

/// Settings of the word vectors, section `language` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LanguageSettings {
    /// `hash256` or `onnx`. A bundle runs only with the encoder that its schemas name.
    pub encoder: EncoderKind,
    /// Encoder `onnx` only: the graph, a name in the models folder or a path.
    pub model: PathBuf,
    /// Encoder `onnx` only: the tokenizer's `tokenizer.json`, a name in the models folder or a path.
    pub tokenizer: PathBuf,
    /// Encoder `onnx` only: the name in the schema ids `verbal/NAME/1` and `context/NAME/1`.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_needs_no_file() {
        let settings = LanguageSettings::default();
        assert_eq!(settings.encoder, EncoderKind::Hash256);
        assert!(settings.model.as_os_str().is_empty() && settings.tokenizer.as_os_str().is_empty());
    }
}
