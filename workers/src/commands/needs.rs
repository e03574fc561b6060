//! Which model files the settings need.

use hirenet_language::EncoderKind;

use crate::config::Config;
use crate::models::{Entry, Manifest, Named, Role};

/// Networks that no setting names: the manifest has one for each role.
const ROLES: [Role; 4] = [Role::FaceDetector, Role::FaceLandmarks, Role::FaceBlendshapes, Role::VoiceActivity];

/// A model that the configuration needs.
#[derive(Debug)]
pub(super) struct Need<'m> {
    /// The setting that names it; `None`: it is needed under every configuration.
    pub(super) setting: Option<&'static str>,
    /// What stands there.
    pub(super) text: String,
    /// What that is.
    pub(super) model: Named<'m>,
}

impl<'m> Need<'m> {
    /// The model of the manifest, where it is one.
    pub(super) fn entry(&self) -> Option<&'m Entry> {
        match self.model {
            Named::Model(entry) => Some(entry),
            Named::File(_) | Named::Unknown => None,
        }
    }
}

/// Every model that `analyze` loads under this configuration.
pub(super) fn needs<'m>(config: &Config, manifest: &'m Manifest) -> Vec<Need<'m>> {
    let entries = ROLES.iter().filter_map(|role| manifest.by_role(*role).next());
    let fixed = entries.map(|entry| Need { setting: None, text: entry.name.clone(), model: Named::Model(entry) });
    let named = settings(config).into_iter().map(|(setting, text)| {
        let model = manifest.named(&text);
        Need { setting: Some(setting), text, model }
    });
    fixed.chain(named).collect()
}

/// The settings in use that name a model, with what stands there.
fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let mut settings =
        vec![("speech.model", config.speech.model.clone()), ("hirenet.bundle", config.hirenet.bundle.clone())];
    let language = &config.language;
    if language.encoder == EncoderKind::Onnx {
        settings.push(("language.model", language.model.to_string_lossy().into_owned()));
        settings.push(("language.tokenizer", language.tokenizer.to_string_lossy().into_owned()));
    }
    settings
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_configuration_decides_what_is_needed() {
        let manifest = Manifest::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models"))).unwrap();
        let names = |config: &Config| -> Vec<_> {
            needs(config, &manifest).iter().map(|need| need.entry().map_or("-", |entry| entry.name.as_str())).collect()
        };
        let mut config = Config::default();
        let networks = ["mediapipe_face_detector", "mediapipe_face_landmarks", "mediapipe_face_blendshapes"];
        let always = [&networks[..], &["silero_vad_16k_op15"]].concat();
        assert_eq!(names(&config), [&always[..], &["ggml-demo-en", "hirenet-demo"]].concat());
        config.speech.model = "ggml-base.bin".to_owned();
        config.hirenet.bundle = "/nowhere/x".to_owned();
        config.language.model = "all-MiniLM-L6-v2".into();
        assert_eq!(names(&config), [&always[..], &["ggml-base", "-"]].concat(), "hash256 needs no file");
        config.language.encoder = EncoderKind::Onnx;
        let needed = needs(&config, &manifest);
        assert_eq!(names(&config)[6..], ["all-MiniLM-L6-v2", "-"]);
        assert_eq!((needed[7].setting, &needed[7].model), (Some("language.tokenizer"), &Named::Unknown));
    }
}
