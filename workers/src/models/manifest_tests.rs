use std::path::Path;

use hirenet_core::{Code, Coded};

use super::*;

const ENTRY: &str = r#"
[[model]]
name = "tiny"
role = "speech"
file = "tiny.bin"
bytes = 5
sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
source = "https://models.example/tiny.bin"
download = true
shipped = false
licence = "MIT"
origin = "a test"
contract = "sound in, text out"
"#;

fn load(text: &str) -> Result<Manifest, ModelsError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(MANIFEST_FILE), text).unwrap();
    Manifest::load(folder.path())
}

#[test]
fn the_repositorys_manifest_describes_what_it_ships() {
    let manifest = Manifest::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models"))).unwrap();
    let shipped: Vec<_> = manifest.entries().iter().filter(|entry| entry.shipped).collect();
    for entry in &shipped {
        assert_eq!(manifest.verify(entry), super::super::State::Whole, "{}", entry.file);
    }
    for role in [Role::FaceDetector, Role::FaceLandmarks, Role::FaceBlendshapes, Role::VoiceActivity, Role::Speech] {
        assert!(shipped.iter().any(|entry| entry.role == role), "no {} is shipped", role.as_str());
    }
}

#[test]
fn a_model_is_found_by_its_name_its_file_and_its_role() {
    let manifest = load(ENTRY).unwrap();
    assert_eq!(manifest.by_name("tiny").unwrap(), manifest.by_name("tiny.bin").unwrap());
    assert_eq!(manifest.by_role(Role::Speech).count(), 1);
    assert_eq!(manifest.by_role(Role::Encoder).count(), 0);
    let unknown = manifest.by_name("huge").unwrap_err();
    assert_eq!(unknown.code(), Code::ModelMissing);
    assert!(unknown.to_string().contains("huge"));
}

#[test]
fn a_wrong_manifest_is_refused() {
    let twice = format!("{ENTRY}{ENTRY}");
    for (text, said) in [
        (ENTRY.replace("licence", "license"), "license"),
        (ENTRY.replace("role = \"speech\"", "role = \"mood\""), "mood"),
        (ENTRY.replace("bytes = 5\n", ""), "bytes"),
        (ENTRY.replace("bytes = 5", "bytes = 0"), "bytes"),
        (ENTRY.replace("tiny.bin\"\nbytes", "../tiny.bin\"\nbytes"), "plain file name"),
        (ENTRY.replace("2cf24dba", "2CF24DBA"), "sha256"),
        (ENTRY.replace("https://models", "ftp://models"), "source"),
        (ENTRY.replace("shipped = false", "shipped = false\nkind = \"demo\""), "kind"),
        (twice, "twice"),
    ] {
        let error = load(&text).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(error.to_string().contains(said), "{error} does not name {said}");
    }
}

#[test]
fn a_folder_without_a_manifest_is_named() {
    let error = Manifest::load(Path::new("/nowhere/models")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/models/manifest.toml"), "{error}");
}
