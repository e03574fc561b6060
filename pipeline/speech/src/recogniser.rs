use std::fs::File;
use std::sync::Arc;

use hirenet_core::sha256_file;
use hirenet_onnx::{ModelFile, OnnxError};
use whisper_rs::{WhisperContext, WhisperContextParameters, get_lang_max_id, get_lang_str, get_lang_str_full};

use crate::recognition::Recognition;
use crate::{SpeechError, SpeechSettings, model_file};

/// The speech recogniser: one whisper.cpp context. Load it once a process; clones share the weights.
#[derive(Debug, Clone)]
pub struct Recogniser {
    context: Arc<WhisperContext>,
    settings: Arc<SpeechSettings>,
    only: Option<&'static str>,
}

impl Recogniser {
    /// Loads a model file of whisper.cpp after checking that it is whole.
    ///
    /// # Errors
    /// [`SpeechError::Onnx`] where the file is missing or its hash differs, [`SpeechError::ModelCorrupt`] where it is cut
    /// off or holds no weights, [`SpeechError::ModelRefused`] where whisper.cpp cannot load it, [`SpeechError::Setting`].
    pub fn load(model: &ModelFile, settings: &SpeechSettings) -> Result<Recogniser, SpeechError> {
        settings.validate()?;
        whisper_rs::install_logging_hooks();
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => OnnxError::Missing(model.path.clone()),
            _ => OnnxError::Corrupt { path: model.path.clone(), detail: error.to_string() },
        };
        let corrupt = |detail: String| SpeechError::ModelCorrupt { path: model.path.clone(), detail };
        let file = File::open(&model.path).map_err(unreadable)?;
        if let Some(expected) = &model.sha256
            && sha256_file(&model.path).map_err(unreadable)?.0 != *expected
        {
            return Err(corrupt("its sha256 is not the manifest's".to_owned()));
        }
        let header = model_file::inspect(file).map_err(corrupt)?;
        let mut parameters = WhisperContextParameters::new();
        parameters.flash_attn(settings.flash_attention);
        let context = WhisperContext::new_with_params(&model.path, parameters)
            .map_err(|detail| SpeechError::ModelRefused { path: model.path.clone(), detail })?;
        Ok(Recogniser {
            context: Arc::new(context),
            settings: Arc::new(settings.clone()),
            only: (!header.multilingual).then_some("en"),
        })
    }

    /// The same recogniser for a model that was trained on one language alone, whatever its vocabulary says.
    ///
    /// # Errors
    /// [`SpeechError::Language`] where whisper.cpp has no such language.
    pub fn only(mut self, language: &str) -> Result<Recogniser, SpeechError> {
        self.only = Some(language_code(language)?);
        Ok(self)
    }

    /// True where the model knows many languages, so that one can be chosen or detected.
    #[must_use]
    pub fn is_multilingual(&self) -> bool {
        self.only.is_none()
    }

    /// The one language of a model that knows no other.
    #[must_use]
    pub fn only_language(&self) -> Option<&'static str> {
        self.only
    }

    /// True where the model was trained on this language, as far as its file or the manifest says.
    #[must_use]
    pub(crate) fn knows(&self, language: &str) -> bool {
        self.only.is_none_or(|only| only == language)
    }

    /// The settings that it was loaded with.
    #[must_use]
    pub fn settings(&self) -> &SpeechSettings {
        &self.settings
    }

    /// Starts on a recording. `language`: an ISO 639-1 code, or `None` to detect it.
    pub(crate) fn start(&self, language: Option<&str>) -> Result<Recognition, SpeechError> {
        let language = match (self.only, language) {
            (Some(only), _) => Some(only),
            (None, Some(code)) => Some(language_code(code)?),
            (None, None) => None,
        };
        Recognition::new(&self.context, Arc::clone(&self.settings), language)
    }
}

/// The ISO 639-1 code of a language that whisper.cpp knows by code or English name.
///
/// # Errors
/// [`SpeechError::Language`] where it knows none.
pub fn language_code(language: &str) -> Result<&'static str, SpeechError> {
    let unknown = || SpeechError::Language(language.to_owned());
    if language.is_empty() || !language.bytes().all(|b| b.is_ascii_lowercase()) {
        return Err(unknown());
    }
    // whisper.cpp's own look-up prints a line about a language that it does not know.
    let known =
        (0..=get_lang_max_id()).find(|id| [get_lang_str(*id), get_lang_str_full(*id)].contains(&Some(language)));
    known.and_then(get_lang_str).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::{Code, Coded};
    use hirenet_tests::{model, shared};

    fn load(file: &ModelFile) -> Result<Recogniser, SpeechError> {
        Recogniser::load(file, &SpeechSettings::default())
    }

    #[test]
    fn a_model_without_weights_is_an_error_that_names_it() {
        let Some(path) = shared("models/for-tests-ggml-tiny.bin") else { return };
        let error = load(&ModelFile::unverified(path)).unwrap_err();
        assert_eq!(error.code(), Code::ModelCorrupt);
        assert!(error.to_string().contains("for-tests-ggml-tiny.bin"), "{error}");
    }

    #[test]
    fn a_missing_a_cut_and_a_changed_file_are_errors() {
        assert_eq!(load(&ModelFile::unverified("nowhere.bin")).unwrap_err().code(), Code::ModelMissing);
        let whole = model("ggml-demo-en.bin");
        let changed = ModelFile { sha256: Some("0".repeat(64)), ..whole.clone() };
        assert_eq!(load(&changed).unwrap_err().code(), Code::ModelCorrupt);
        let folder = tempfile::tempdir().unwrap();
        let cut = folder.path().join("cut.bin");
        std::fs::write(&cut, &whole.read().unwrap()[..4_000_000]).unwrap();
        assert_eq!(load(&ModelFile::unverified(cut)).unwrap_err().code(), Code::ModelCorrupt);
    }

    #[test]
    fn languages_are_known_by_code_and_name() {
        assert_eq!(language_code("fr").unwrap(), "fr");
        assert_eq!(language_code("french").unwrap(), "fr");
        for unknown in ["", "xx", "e\0n", "FR"] {
            assert!(matches!(language_code(unknown), Err(SpeechError::Language(_))), "{unknown}");
        }
    }

    #[test]
    fn a_model_of_one_language_needs_no_detection() {
        let recogniser = load(&model("ggml-demo-en.bin")).unwrap();
        assert!(recogniser.is_multilingual());
        let english = recogniser.only("en").unwrap();
        assert!(!english.is_multilingual());
        assert_eq!(english.only_language(), Some("en"));
    }
}
