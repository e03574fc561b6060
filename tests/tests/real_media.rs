//! Real recordings through the whole program.

use std::fs;

use hirenet_tests::program::{command, finish};
use hirenet_tests::shared;
use serde_json::Value;
use tempfile::TempDir;

const CLIPS: [&str; 5] = [
    "en_grid_natural_6s.mp4",
    "en_grid_rotated.mp4",
    "en_interview_vp8_opus.webm",
    "fr_interview_vp9_opus.webm",
    "en_jfk_h264_aac.mp4",
];
const GRID: [&str; 6] = ["bbaf2n", "brbk7n", "lwbsza", "pwij3p", "sbwe5n", "swiz3n"];
const SOUNDS: [&str; 7] = [
    "jfk.wav",
    "fleurs-en-005.ogg",
    "fleurs-en-006.ogg",
    "fleurs-en-008.ogg",
    "fleurs-fr-001.ogg",
    "fleurs-fr-003.ogg",
    "fleurs-fr-007.ogg",
];

#[test]
fn every_clip_is_assessed_with_voice_and_face_throughout() {
    let Some(media) = shared("media") else { return };
    let files = CLIPS.map(str::to_owned).into_iter().chain(GRID.map(|name| format!("grid/{name}.mpg")));
    let files: Vec<_> = files.map(|name| media.join(name)).collect();
    let out = TempDir::new().unwrap();
    let run = finish(command(["analyze"]).args(&files).args(["--question", "Why?"]).arg("--out").arg(out.path()));
    assert!(run.status == 0 || run.status == 4, "{}", run.stderr);
    let assessment: Value =
        serde_json::from_str(&fs::read_to_string(out.path().join("assessment.json")).unwrap()).unwrap();
    assert!(assessment["score"].is_number());
    for (answer, file) in assessment["answers"].as_array().unwrap().iter().zip(&files) {
        let name = file.display();
        let windows = |modality: &str, key: &str| answer["tracks"][modality][key].as_u64().unwrap();
        assert_eq!(windows("visual", "rows"), windows("vocal", "rows"), "{name}: one clock");
        assert_eq!(windows("visual", "valid_rows"), windows("visual", "rows"), "{name}: a face throughout");
        assert!(windows("vocal", "valid_rows") > 0, "{name}");
    }
}

#[test]
fn sound_alone_is_assessed_as_partial() {
    let Some(media) = shared("media/audio") else { return };
    let out = TempDir::new().unwrap();
    let files = SOUNDS.map(|name| media.join(name));
    let run = finish(command(["analyze"]).args(&files).args(["--question", "Why?"]).arg("--out").arg(out.path()));
    assert_eq!(run.status, 4, "{}", run.stderr);
    let assessment: Value =
        serde_json::from_str(&fs::read_to_string(out.path().join("assessment.json")).unwrap()).unwrap();
    assert_eq!(assessment["scores"]["visual"], Value::Null);
    let missing = assessment["reasons"].as_array().unwrap().iter().filter(|r| r["code"] == "no_video").count();
    assert_eq!(missing, SOUNDS.len());
}

#[test]
fn every_clip_is_described() {
    let Some(media) = shared("media") else { return };
    for name in CLIPS {
        let run = finish(command(["probe"]).arg(media.join(name)));
        assert_eq!(run.status, 0, "{name}: {}", run.stderr);
        let probe: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(probe["duration_s"].as_f64().unwrap() > 2.0, "{name}: {probe}");
    }
}

#[test]
fn a_model_without_weights_is_an_error_and_no_silence() {
    let (Some(model), Some(media)) = (shared("models/for-tests-ggml-tiny.bin"), shared("media/audio/jfk.wav")) else {
        return;
    };
    let run = finish(command(["transcribe"]).arg(media).env("HIRENET_SPEECH__MODEL", &model));
    assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert!(run.stderr.contains("model_corrupt") && run.stderr.contains("for-tests-ggml-tiny.bin"), "{}", run.stderr);
}
