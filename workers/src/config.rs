//! Configuration: the built-in defaults, then `config.toml`, then `HIRENET_SECTION__KEY` from the environment.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use hirenet_analyze::PolicySettings;
use hirenet_core::{Code, sha256_bytes};
use hirenet_face::FaceSettings;
use hirenet_fetch::FetchSettings;
use hirenet_language::LanguageSettings;
use hirenet_media::MediaSettings;
use hirenet_onnx::OnnxSettings;
use hirenet_queue::QueueSettings;
use hirenet_speech::SpeechSettings;
use hirenet_store::StoreSettings;
use hirenet_voice::VoiceSettings;
use serde::{Deserialize, Serialize};

use crate::cli::Common;
use crate::daemon::{HttpSettings, RetentionSettings, WorkSettings};
use crate::failure::Failure;
use crate::locate;
use crate::telemetry::TelemetrySettings;

/// Every setting of the program, a section a room.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) policy: PolicySettings,
    pub(crate) models: ModelsSettings,
    pub(crate) onnx: OnnxSettings,
    pub(crate) media: MediaSettings,
    pub(crate) speech: SpeechSettings,
    pub(crate) voice: VoiceSettings,
    pub(crate) face: FaceSettings,
    pub(crate) language: LanguageSettings,
    pub(crate) hirenet: HirenetSettings,
    pub(crate) queue: QueueSettings,
    pub(crate) store: StoreSettings,
    pub(crate) fetch: FetchSettings,
    pub(crate) work: WorkSettings,
    pub(crate) http: HttpSettings,
    pub(crate) telemetry: TelemetrySettings,
    pub(crate) retention: RetentionSettings,
}

/// Where model files lie and come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ModelsSettings {
    /// The folder of the model files; empty: beside the executable, then the source folder.
    pub(crate) dir: PathBuf,
    /// A folder that `models pull` copies from instead of the network; empty: the network.
    pub(crate) mirror: PathBuf,
}

/// Which bundle scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HirenetSettings {
    /// A bundle's file, or its name in the manifest.
    pub(crate) bundle: String,
}

impl Default for HirenetSettings {
    fn default() -> Self {
        HirenetSettings { bundle: "hirenet-demo".to_owned() }
    }
}

impl Config {
    /// Reads the configuration that `common` names or that is found, and applies the command line's own settings.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`], naming the file and the key.
    pub(crate) fn load(common: &Common) -> Result<Config, Failure> {
        let file = locate::config(common.config.as_deref());
        if let Some(path) = &file
            && !path.is_file()
        {
            return Err(Failure::new(Code::ConfigInvalid, format!("{} is not a file", path.display())));
        }
        let mut config = Config::read(file.as_deref())?;
        if let Some(dir) = &common.models {
            config.models.dir.clone_from(dir);
        }
        if let Some(library) = &common.onnxruntime {
            config.onnx.library.clone_from(library);
        }
        if let Some(device) = common.device {
            config.onnx.device = device;
            config.onnx.device_asked_for = true;
        }
        config.onnx.library = locate::onnx_library(&config.onnx.library);
        config.models.dir = locate::models(&config.models.dir);
        config.onnx.validate()?;
        config.media.validate()?;
        config.speech.validate()?;
        config.face.validate()?;
        Ok(config)
    }

    fn read(file: Option<&Path>) -> Result<Config, Failure> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(path) = file {
            refuse_secrets(path)?;
            figment = figment.merge(Toml::file_exact(path));
        }
        // Variables without `__` (HIRENET_CONFIG, HIRENET_LOG) are no settings.
        let environment = Env::prefixed("HIRENET_").filter(|key| key.as_str().contains("__")).split("__");
        figment.merge(environment).extract().map_err(|error| Failure::new(Code::ConfigInvalid, error.to_string()))
    }

    /// SHA-256 of the settings that can change a result. Where files lie and what is loaded from them is told by the
    /// models' own hashes.
    pub(crate) fn result_hash(&self) -> Result<String, Failure> {
        let mut settings = self.clone();
        settings.models = ModelsSettings::default();
        settings.onnx.library = PathBuf::new();
        settings.hirenet = HirenetSettings::default();
        settings.speech.model.clear();
        // How jobs travel and where results go changes none of them.
        settings.queue = QueueSettings::default();
        settings.store = StoreSettings::default();
        settings.fetch = FetchSettings::default();
        settings.work = WorkSettings::default();
        settings.http = HttpSettings::default();
        settings.telemetry = TelemetrySettings::default();
        settings.retention = RetentionSettings::default();
        let json = serde_json::to_vec(&settings).map_err(|error| Failure::internal(&error.into()))?;
        Ok(sha256_bytes(&json))
    }
}

/// Settings that are secrets: a configuration file is copied, shown and kept under version control.
const SECRETS: [&str; 4] = ["queue.url", "queue.management_url", "store.url", "store.owner_url"];

fn refuse_secrets(file: &Path) -> Result<(), Failure> {
    let settings = Figment::from(Toml::file_exact(file));
    let set = |key: &str| settings.extract_inner::<String>(key).is_ok_and(|value| !value.is_empty());
    let Some(key) = SECRETS.iter().find(|key| set(key)) else { return Ok(()) };
    let variable = format!("HIRENET_{}", key.replace('.', "__").to_uppercase());
    let sentence = format!("{}: {key} holds a password: set {variable}, or {key}_file", file.display());
    Err(Failure::new(Code::ConfigInvalid, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config.toml");

    #[test]
    fn the_shipped_file_names_every_setting_with_its_default() {
        assert_eq!(Config::read(Some(Path::new(FILE))).unwrap(), Config::default());
        let shipped: toml::Table = toml::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        for (section, settings) in &defaults {
            for key in settings.as_table().unwrap().keys() {
                let named = shipped.get(section).and_then(|s| s.get(key)).is_some();
                assert!(named, "config.toml lacks {section}.{key}");
            }
        }
    }

    #[test]
    fn every_setting_has_a_comment() {
        let text = std::fs::read_to_string(FILE).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#')) {
            assert!(i > 0 && lines[i - 1].starts_with('#'), "no comment above `{line}`");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, "[media]\nsurprise = 1\n").unwrap();
        let failure = Config::read(Some(&file)).unwrap_err();
        assert_eq!(failure.code(), Code::ConfigInvalid);
        assert!(format!("{failure:?}").contains("surprise"), "{failure:?}");
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, "[queue]\nurl = \"amqp://user:hush@host\"\n").unwrap();
        let failure = format!("{:?}", Config::read(Some(&file)).unwrap_err());
        assert!(failure.contains("HIRENET_QUEUE__URL") && !failure.contains("hush"), "{failure}");
    }
}
