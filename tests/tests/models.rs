//! Model files that are missing, damaged, or to be fetched: what is said of them, and that it helps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use hirenet_tests::program::{Run, command, finish, run};
use hirenet_tests::{shared, source_dir};
use tempfile::TempDir;

const SETUP: i32 = 2;

/// A copy of the models folder in which one file is missing or damaged.
fn models_without(file: &str, damaged: bool) -> TempDir {
    let dir = TempDir::new().unwrap();
    for entry in fs::read_dir(source_dir().join("models")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() && entry.file_name() != file {
            std::os::unix::fs::symlink(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
    }
    if damaged {
        fs::write(dir.path().join(file), "damaged").unwrap();
    }
    dir
}

/// A folder with our manifest alone, changed by `change`.
fn manifest_alone(change: impl Fn(String) -> String) -> TempDir {
    let dir = TempDir::new().unwrap();
    let manifest = fs::read_to_string(source_dir().join("models/manifest.toml")).unwrap();
    fs::write(dir.path().join("manifest.toml"), change(manifest)).unwrap();
    dir
}

fn pull(models: &Path, mirror: &Path) -> Run {
    finish(command(["models", "pull", "--models"]).arg(models).arg("--from").arg(mirror))
}

#[test]
fn a_model_that_is_missing_or_damaged_is_named_with_its_cure() {
    let recording = source_dir().join("samples/a1.mp4");
    let restore = "git checkout models/";
    for (file, damaged, code, cure, arguments) in [
        ("mediapipe_face_landmarks.onnx", false, "model_missing", restore, &["features", "visual"][..]),
        ("mediapipe_face_landmarks.onnx", true, "model_corrupt", restore, &["features", "visual"]),
        ("ggml-demo-en.bin", false, "model_missing", restore, &["transcribe"]),
        ("ggml-demo-en.bin", true, "model_corrupt", restore, &["transcribe"]),
        ("silero_vad_16k_op15.onnx", true, "model_corrupt", "Run `hirenet models pull silero_vad", &["transcribe"]),
        ("hirenet-demo.onnx", false, "model_missing", restore, &["bundle", "show"]),
    ] {
        let models = models_without(file, damaged);
        let mut program = command(arguments);
        if arguments[0] != "bundle" {
            program.arg(&recording);
        }
        let result = finish(program.arg("--models").arg(models.path()));
        assert_eq!((result.status, result.stdout.as_str()), (SETUP, ""), "{file}: {}", result.stderr);
        assert!([code, file, cure].iter().all(|part| result.stderr.contains(part)), "{file}: {}", result.stderr);
        assert_eq!(result.stderr.matches("hirenet models pull").count(), 1, "{file}: {}", result.stderr);
    }
}

#[test]
fn no_pull_is_promised_to_mend_a_file_of_the_users_own() {
    let (recording, dir) = (source_dir().join("samples/a1.mp4"), TempDir::new().unwrap());
    let file = dir.path().join("own.bin");
    for code in ["model_missing", "model_corrupt"] {
        let result = finish(command(["transcribe"]).arg(&recording).env("HIRENET_SPEECH__MODEL", &file));
        assert_eq!((result.status, result.stdout.as_str()), (SETUP, ""), "{}", result.stderr);
        let told = [code, "own.bin", "`hirenet models pull` cannot mend a file of your own"];
        assert!(told.iter().all(|part| result.stderr.contains(part)), "{}", result.stderr);
        fs::write(&file, "no weights").unwrap();
    }
}

#[test]
fn an_unknown_name_is_a_wrong_command_line() {
    let result = run(["models", "pull", "nosuch"]);
    assert_eq!((result.status, result.stdout.as_str()), (SETUP, ""), "{}", result.stderr);
    let told = ["usage_invalid", "nosuch", "ggml-base", "silero_vad_16k_op15"];
    assert!(told.iter().all(|part| result.stderr.contains(part)), "{}", result.stderr);
    assert!(!result.stderr.contains("Run `hirenet models pull`"), "{}", result.stderr);
}

#[test]
fn a_mirror_with_the_networks_in_their_older_layout_makes_a_whole_installation() {
    let Some(mirror) = shared("models") else { return };
    let models = manifest_alone(|text| text);
    let result = pull(models.path(), &mirror);
    assert_eq!(result.status, 0, "{}", result.stderr);
    assert!(result.stdout.contains("fetched  mediapipe_face_landmarks\n"), "{}", result.stdout);
    assert!(result.stdout.contains("copied   hirenet-demo: shipped with the program"), "{}", result.stdout);
    let again = pull(models.path(), &mirror);
    assert!(again.status == 0 && !again.stdout.contains("fetched") && !again.stdout.contains("copied"), "{again:?}");
    let recording = source_dir().join("samples/a1.mp4");
    let rows = |folder: &Path| {
        let result = finish(command(["features", "visual", "--windows", "--models"]).arg(folder).arg(&recording));
        assert_eq!(result.status, 0, "{}", result.stderr);
        result.stdout.lines().map(|row| row.split(',').take(3).collect::<Vec<_>>().join(",")).collect::<Vec<_>>()
    };
    assert_eq!(rows(models.path()), rows(&source_dir().join("models")), "the older networks see the same face");
    let verified = finish(command(["models", "verify", "--from"]).arg(&mirror));
    assert_eq!(verified.status, 0, "{verified:?}");
    assert!(verified.stdout.contains("equal    mediapipe_face_blendshapes"), "{}", verified.stdout);
    assert!(verified.stdout.contains("absent   hirenet-demo"), "{}", verified.stdout);
}

#[test]
fn what_nobody_provides_is_named_with_a_cure_and_the_rest_is_pulled() {
    // The program's own folder has another hirenet-demo than this manifest wants.
    let other = |text: String| {
        let (before, after) = text.split_once("name = \"hirenet-demo\"").unwrap();
        let (head, tail) = after.split_once("sha256 = \"").unwrap();
        format!("{before}name = \"hirenet-demo\"{head}sha256 = \"{}{}", "0".repeat(64), &tail[64..])
    };
    let (models, mirror) = (manifest_alone(other), TempDir::new().unwrap());
    let result = pull(models.path(), mirror.path());
    assert_eq!(result.status, SETUP, "{}", result.stderr);
    let told = ["model_missing", "hirenet-demo.onnx is not in the mirror", "git checkout models/hirenet-demo.onnx"];
    assert!(told.iter().all(|part| result.stderr.contains(part)), "{}", result.stderr);
    assert!(!result.stderr.contains("hirenet models pull"), "{}", result.stderr);
    assert_eq!(result.stderr.lines().count(), 1, "{}", result.stderr);
    assert!(models.path().join("ggml-demo-en.bin").exists() && !models.path().join("hirenet-demo.onnx").exists());
}

#[test]
fn doctor_misses_what_the_configuration_needs() {
    let models = models_without("ggml-base.bin", false);
    let onnx = ("HIRENET_LANGUAGE__ENCODER", "onnx");
    for (settings, miss, cure) in [
        (&[("HIRENET_SPEECH__MODEL", "ggml-base")][..], "model ggml-base ", "`hirenet models pull ggml-base`"),
        (&[("HIRENET_SPEECH__MODEL", "ggml-tinny")], "setting speech.model ", "hirenet models list"),
        (&[("HIRENET_SPEECH__MODEL", "/nowhere/x.bin")], "setting speech.model ", "/nowhere/x.bin is missing"),
        (&[("HIRENET_HIRENET__BUNDLE", "/nowhere/x")], "setting hirenet.bundle ", "/nowhere/x is missing"),
        // The library that `make setup` installs has no CUDA, whatever the machine has.
        (&[("HIRENET_ONNX__DEVICE", "cuda:0")], "devices ", "onnx.library"),
        (&[onnx], "setting language.model ", "Set language.model"),
        (&[onnx, ("HIRENET_LANGUAGE__TOKENIZER", "/nowhere/t.json")], "setting language.tokenizer ", "/nowhere/t.json"),
    ] {
        let doctor =
            command(["doctor", "--models"]).arg(models.path()).envs(settings.iter().copied()).output().unwrap();
        let (stdout, stderr) = (String::from_utf8(doctor.stdout).unwrap(), String::from_utf8(doctor.stderr).unwrap());
        assert_eq!(doctor.status.code(), Some(SETUP), "{settings:?}: {stdout}");
        assert!(stdout.contains(&format!("MISS  {miss}")) && stdout.contains(cure), "{settings:?}: {stdout}");
        assert!(stderr.contains("installation_incomplete"), "{settings:?}: {stderr}");
    }
    let whole = finish(command(["doctor", "--models"]).arg(models.path()));
    assert_eq!(whole.status, 0, "what is not needed is no miss: {}", whole.stdout);
}

#[test]
fn doctor_shows_the_version_of_onnx_runtime() {
    let result = run(["doctor"]);
    let line = result.stdout.lines().find(|line| line.contains("ONNX Runtime")).unwrap();
    let version = line.split_whitespace().nth(3).unwrap();
    let numbers = version.split('.').filter(|part| part.parse::<u32>().is_ok()).count();
    assert!(numbers == 3 && version.starts_with("1."), "{line}");
}
