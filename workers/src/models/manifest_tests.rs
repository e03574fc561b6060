use std::path::Path;

use hirenet_core::{Code, Coded};

use super::super::State;
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
        assert_eq!(manifest.verify(entry), State::Whole, "{}", entry.file);
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
    assert_eq!(unknown.code(), Code::UsageInvalid);
    assert_eq!(unknown.to_string(), "no model is called `huge`; the names are tiny");
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
        (with_equal(5, &"0".repeat(64)), "same bytes"),
        (with_equal(0, &"0".repeat(64)), "bytes is 0"),
        (with_equal(6, "short"), "sha256"),
    ] {
        let error = load(&text).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(error.to_string().contains(said), "{error} does not name {said}");
    }
}

/// The entry with an equal file of this length and hash.
fn with_equal(bytes: u64, sha256: &str) -> String {
    format!("{ENTRY}equal = [{{ bytes = {bytes}, sha256 = \"{sha256}\" }}]\n")
}

#[test]
fn an_equal_file_is_told_by_its_length_and_held_to_its_own_hash() {
    let folder = tempfile::tempdir().unwrap();
    let equal = hirenet_core::sha256_bytes(b"as good");
    std::fs::write(folder.path().join(MANIFEST_FILE), with_equal(7, &equal)).unwrap();
    let manifest = Manifest::load(folder.path()).unwrap();
    let entry = manifest.by_name("tiny").unwrap();
    let state = |content: &str| {
        std::fs::write(manifest.path(entry), content).unwrap();
        (manifest.verify(entry), manifest.model_file(entry).read().is_ok())
    };
    assert_eq!(state("hello"), (State::Whole, true));
    assert_eq!(state("as good"), (State::Equal, true));
    assert_eq!(manifest.model_file(entry).sha256, Some(equal), "a result names the file that ran");
    for damaged in ["jello", "no good", "something else"] {
        let (state, loads) = state(damaged);
        assert!(matches!(state, State::Corrupt { .. }) && !loads, "{damaged}: {state:?}");
    }
}

#[test]
fn a_folder_without_a_manifest_is_named() {
    let error = Manifest::load(Path::new("/nowhere/models")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/models/manifest.toml"), "{error}");
}
