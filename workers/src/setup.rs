//! From configuration to loaded models.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use hirenet_analyze::{Extractor, ExtractorSettings, ModelFiles, Rooms};
use hirenet_core::{Code, Reason, Schema, Software, visual_face, vocal_lld51};
use hirenet_face::FaceModels;
use hirenet_language::{Encoder, EncoderKind};
use hirenet_model::Bundle;
use hirenet_onnx::{ModelFile, OnnxError, Runtime};

use crate::config::Config;
use crate::failure::Failure;
use crate::models::{Manifest, Named, Role};

/// The demo voice model's name in the manifest; whatever has its content is it, under any path.
const DEMO_SPEECH: &str = "ggml-demo-en";
/// Its header is a multilingual model's; it has learnt one language.
const DEMO_SPEECH_LANGUAGE: &str = "en";

/// The installation that a configuration describes.
pub(crate) struct Installation<'a> {
    config: &'a Config,
    manifest: Manifest,
    runtime: OnceLock<Runtime>,
}

impl<'a> Installation<'a> {
    /// Reads the manifest of the configured folder.
    pub(crate) fn new(config: &'a Config) -> Result<Self, Failure> {
        Ok(Installation { config, manifest: Manifest::load(&config.models.dir)?, runtime: OnceLock::new() })
    }

    /// What the manifest says.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// ONNX Runtime, started at the first call: there is one environment a process.
    pub(crate) fn runtime(&self) -> Result<&Runtime, Failure> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let runtime = Runtime::start(&self.config.onnx)?;
        Ok(self.runtime.get_or_init(|| runtime))
    }

    /// The files of the extractors' models.
    pub(crate) fn model_files(&self) -> Result<ModelFiles, Failure> {
        let face = FaceModels {
            detector: self.role(Role::FaceDetector)?,
            landmarks: self.role(Role::FaceLandmarks)?,
            blendshapes: self.role(Role::FaceBlendshapes)?,
        };
        let recognition = self.speech_model()?;
        let demo = self.manifest.by_name(DEMO_SPEECH).ok().map(|entry| entry.sha256.as_str());
        let is_demo = recognition.sha256.as_deref().is_some_and(|sha256| Some(sha256) == demo);
        let recognition_language = is_demo.then(|| DEMO_SPEECH_LANGUAGE.to_owned());
        Ok(ModelFiles { voice_activity: self.role(Role::VoiceActivity)?, recognition, recognition_language, face })
    }

    /// The configured recognition model: a name of the manifest, or a file.
    pub(crate) fn speech_model(&self) -> Result<ModelFile, Failure> {
        self.named_or_file("speech.model", &self.config.speech.model)
    }

    /// A bundle: a name of the manifest, else a file; without a name the configured one.
    pub(crate) fn bundle_file(&self, name: Option<&str>) -> Result<ModelFile, Failure> {
        name.map_or_else(
            || self.named_or_file("hirenet.bundle", &self.config.hirenet.bundle),
            |name| self.named_or_file("the bundle", name),
        )
    }

    /// Loads the extractors' models that `rooms` need.
    pub(crate) fn extractor(&self, rooms: Rooms) -> Result<Extractor, Failure> {
        let settings = ExtractorSettings {
            media: self.config.media.clone(),
            speech: self.config.speech.clone(),
            voice: self.config.voice.clone(),
            face: self.config.face.clone(),
        };
        let files = self.model_files()?;
        Extractor::load(self.runtime()?, &files, &settings, rooms).map_err(|error| {
            let face = &files.face;
            let used = [&files.voice_activity, &files.recognition, &face.detector, &face.landmarks, &face.blendshapes];
            self.with_cure(error.into(), &used)
        })
    }

    /// The configured source of word vectors.
    pub(crate) fn encoder(&self) -> Result<Encoder, Failure> {
        let settings = &self.config.language;
        if settings.encoder == EncoderKind::Hash256 {
            return Ok(Encoder::hash256());
        }
        let model = self.named_or_file("language.model", &settings.model.to_string_lossy())?;
        let tokenizer = self.named_or_file("language.tokenizer", &settings.tokenizer.to_string_lossy())?;
        let encoder = Encoder::onnx(self.runtime()?, &model, &tokenizer.path, &settings.name);
        encoder.map_err(|error| self.with_cure(error.into(), &[&model, &tokenizer]))
    }

    /// Loads a bundle and holds it against what the extractors produce.
    pub(crate) fn bundle(&self, file: &ModelFile, encoder: &Encoder) -> Result<Bundle, Failure> {
        let known = known_schemas(encoder);
        let loaded = if file.sha256.is_some() {
            let graph = file.read().map_err(|error| self.with_cure(error.into(), &[file]))?;
            Bundle::from_bytes(self.runtime()?, &graph, &known)
        } else {
            Bundle::load(self.runtime()?, &file.path, &known)
        };
        loaded.map_err(|error| Failure::about(file.path.display(), &error))
    }

    /// Hash of each model file that runs in these rooms, by its role.
    pub(crate) fn model_hashes(&self, rooms: Rooms) -> Result<BTreeMap<String, String>, Failure> {
        let files = self.model_files()?;
        let used: [(&str, bool, &ModelFile); 5] = [
            ("face_blendshapes", rooms.face, &files.face.blendshapes),
            ("face_detector", rooms.face, &files.face.detector),
            ("face_landmarks", rooms.face, &files.face.landmarks),
            ("speech", rooms.recognition, &files.recognition),
            ("voice_activity", rooms.activity, &files.voice_activity),
        ];
        let running = used.into_iter().filter(|(_, runs, _)| *runs);
        running.map(|(role, _, file)| Ok((role.to_owned(), Installation::sha256(file)?))).collect()
    }

    /// What every result must say of the recognition model.
    pub(crate) fn speech_note(&self, speech_sha256: &str) -> Option<Reason> {
        let demo = self.manifest.by_name(DEMO_SPEECH).ok()?;
        (demo.sha256 == speech_sha256).then(|| Reason::new(Code::DemoSpeechModel))
    }

    /// The sha256 of a model file, from the manifest where it is named there.
    pub(crate) fn sha256(file: &ModelFile) -> Result<String, Failure> {
        match &file.sha256 {
            Some(sha256) => Ok(sha256.clone()),
            None => hirenet_core::sha256_file(&file.path)
                .map(|(sha256, _)| sha256)
                .map_err(|_| OnnxError::Missing(file.path.clone()).into()),
        }
    }

    fn role(&self, role: Role) -> Result<ModelFile, Failure> {
        let entry = self.manifest.by_role(role).next().ok_or_else(|| {
            Failure::new(Code::ConfigInvalid, format!("models/manifest.toml names no model for `{}`", role.as_str()))
        })?;
        Ok(self.manifest.model_file(entry))
    }

    /// `what` says where `name` was given.
    fn named_or_file(&self, what: &str, name: &str) -> Result<ModelFile, Failure> {
        match self.manifest.named(name) {
            Named::Model(entry) => Ok(self.manifest.model_file(entry)),
            Named::File(path) => Ok(self.manifest.file_elsewhere(path)),
            Named::Unknown => {
                let sentence = format!("{what}: `{name}` is neither a model of the manifest nor a file");
                Err(Failure::new(Code::ConfigInvalid, sentence))
            }
        }
    }

    /// The failure of loading `files`, with what to do about the one that its sentence names.
    fn with_cure(&self, failure: Failure, files: &[&ModelFile]) -> Failure {
        if !matches!(failure.code(), Code::ModelMissing | Code::ModelCorrupt) {
            return failure;
        }
        let sentence = failure.to_string();
        let named = files.iter().find(|file| sentence.contains(&file.path.display().to_string()));
        match named {
            Some(file) => Failure::new(failure.code(), format!("{sentence}. {}", self.manifest.cure(&file.path))),
            None => failure,
        }
    }
}

/// The schemas that the extractors of this installation produce.
pub(crate) fn known_schemas(encoder: &Encoder) -> Vec<Arc<Schema>> {
    vec![encoder.verbal_schema(), vocal_lld51(), visual_face(), encoder.context_schema()]
}

/// What computes an assessment.
pub(crate) fn software(config: &Config, models: BTreeMap<String, String>) -> Result<Software, Failure> {
    Ok(Software {
        name: "hirenet".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        models,
        settings_sha256: config.result_hash()?,
    })
}
