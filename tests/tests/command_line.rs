//! The command line: exit statuses, settings, help.

use std::path::Path;

use hirenet_tests::program::{command, finish, run};

const USAGE: i32 = 2;
const REFUSED: i32 = 3;

#[test]
fn a_wrong_command_line_ends_with_2_and_an_empty_stdout() {
    for arguments in [
        &["surprise"][..],
        &["analyze"],
        &["analyze", "a.mp4", "--out", "o"],
        &["analyze", "a.mp4", "b.mp4", "c.mp4", "--question", "x", "--question", "y", "--out", "o"],
        &["transcribe", "a.mp4", "--language", "english"],
        &["features", "mood", "a.mp4"],
        &["features", "verbal", "a.mp4", "--windows"],
        &["--device", "gpu", "doctor"],
        &["models", "pull", "no-such-model"],
    ] {
        let result = run(arguments);
        assert_eq!((result.status, result.stdout.as_str()), (USAGE, ""), "{arguments:?}: {}", result.stderr);
        assert!(!result.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_wrong_setting_is_named() {
    for (key, value, named) in [
        ("HIRENET_MEDIA__SURPRISE", "1", "surprise"),
        ("HIRENET_SURPRISE__KEY", "1", "surprise"),
        ("HIRENET_MEDIA__ANALYSIS_FPS", "fast", "analysis_fps"),
        ("HIRENET_MEDIA__ANALYSIS_FPS", "-1", "analysis_fps"),
        ("HIRENET_ONNX__DEVICE", "gpu", "device"),
        ("HIRENET_ONNX__THREADS", "0", "onnx.threads"),
        ("HIRENET_ONNX__THREADS", "100000", "onnx.threads"),
        ("HIRENET_FACE__DETECTOR_THRESHOLD", "1.5", "face.detector_threshold"),
        ("HIRENET_FACE__RECHECK_INTERVAL_S", "-1", "face.recheck_interval_s"),
        ("HIRENET_SPEECH__LANGUAGE", "english", "speech.language"),
        ("HIRENET_MEDIA__MAX_DECODE_MEMORY_MB", "16", "media.max_decode_memory_mb: must be at least 32, and is 16"),
    ] {
        let result = finish(command(["doctor"]).env(key, value));
        assert_eq!((result.status, result.stdout.as_str()), (USAGE, ""), "{key}: {}", result.stderr);
        assert!(
            result.stderr.contains("config_invalid") && result.stderr.to_lowercase().contains(named),
            "{}",
            result.stderr
        );
    }
    let result = run(["--config", "/nowhere/config.toml", "doctor"]);
    assert_eq!(result.status, USAGE, "{}", result.stderr);
}

#[test]
fn an_erasure_without_a_target_names_both() {
    for arguments in [&["erase", "--tenant", "x"][..], &["erase", "--interview", "i", "--candidate", "c"]] {
        let result = run(arguments);
        assert_eq!(result.status, USAGE, "{}", result.stderr);
        assert!(result.stderr.contains("--interview") && result.stderr.contains("--candidate"), "{}", result.stderr);
    }
}

#[test]
fn an_address_that_is_no_database_s_is_a_wrong_setting() {
    let result = finish(command(["check"]).env("HIRENET_STORE__URL", "notaurl:hunter2"));
    assert_eq!((result.status, result.stdout.as_str()), (USAGE, ""), "{}", result.stderr);
    assert!(result.stderr.contains("PostgreSQL") && !result.stderr.contains("hunter2"), "{}", result.stderr);
}

#[test]
fn a_missing_runtime_says_what_to_do() {
    let clip = hirenet_tests::source_dir().join("samples/a1.mp4");
    let result = finish(command(["--onnxruntime", "/nowhere/lib.so", "features", "vocal"]).arg(clip));
    assert_eq!((result.status, result.stdout.as_str()), (USAGE, ""));
    assert!(result.stderr.contains("runtime_missing") && result.stderr.contains("make setup"), "{}", result.stderr);
}

#[test]
fn a_page_never_takes_the_place_of_its_assessment() {
    let dir = tempfile::TempDir::new().unwrap();
    let (file, link) = (dir.path().join("assessment.json"), dir.path().join("link.html"));
    let written = serde_json::to_string(&hirenet_tests::assessment::partial()).unwrap();
    std::fs::write(&file, &written).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let report = |out: &Path| finish(command(["report"]).arg(&file).arg("--out").arg(out));
    for out in [&file, &dir.path().join(".").join("assessment.json"), &link] {
        let result = report(out);
        assert_eq!((result.status, result.stdout.as_str()), (USAGE, ""), "{}: {}", out.display(), result.stderr);
        assert!(result.stderr.contains("usage_invalid"), "{}", result.stderr);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
    let page = dir.path().join("page.html");
    let result = report(&page);
    assert_eq!(result.status, 0, "{}", result.stderr);
    assert!(std::fs::read_to_string(page).unwrap().starts_with("<!"));
}

#[test]
fn a_language_that_the_model_does_not_know_is_told_once() {
    let clip = hirenet_tests::source_dir().join("samples/a1.mp4");
    for arguments in [&["transcribe"][..], &["features", "verbal"]] {
        let run = |options: &[&str]| finish(command(arguments).arg(&clip).args(["--language", "fr"]).args(options));
        let result = run(&[]);
        assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""), "{arguments:?}: {}", result.stderr);
        assert_eq!(result.stderr.matches("language_unsupported").count(), 1, "{}", result.stderr);
        assert!(result.stderr.contains("`fr`") && result.stderr.contains("a1.mp4"), "{}", result.stderr);
        // Whose model it is, is told before anything is heard.
        let logged = run(&["--log-format", "json"]).stderr;
        let line = |text: &str| logged.lines().position(|line| line.contains(text)).unwrap();
        assert!(line("demo_speech_model") < line("decoding_started"), "{logged}");
    }
}

#[test]
fn help_has_an_example_of_every_command() {
    let help = run(["--help"]).stdout;
    for name in ["analyze", "example", "probe", "transcribe", "features", "models", "bundle", "doctor", "report"] {
        assert!(help.contains(&format!("hirenet {name}")), "no example of {name} in --help");
        let own = run([name, "--help"]);
        assert!(own.status == 0 && own.stdout.contains(&format!("hirenet {name}")), "{}", own.stdout);
    }
}

#[test]
fn this_installation_is_whole() {
    let result = run(["doctor"]);
    assert_eq!(result.status, 0, "{}\n{}", result.stdout, result.stderr);
    for named in ["ONNX Runtime", "ffmpeg", "decoder h264", "model mediapipe_face_landmarks"] {
        assert!(result.stdout.contains(named), "{named}: {}", result.stdout);
    }
    assert_eq!(run(["models", "verify"]).status, 0);
}

#[test]
fn doctor_names_the_configuration_that_is_in_force() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("mine.toml");
    std::fs::write(&file, "[media]\nanalysis_fps = 5.0\n").unwrap();
    let result = finish(command(["doctor", "--config"]).arg(&file));
    assert!(result.stdout.contains(file.to_str().unwrap()), "{}", result.stdout);
}

#[test]
fn json_logs_are_one_object_a_line() {
    let clip = hirenet_tests::source_dir().join("samples/a1.mp4");
    let result = finish(command(["features", "visual", "--log-format", "json", "--quiet"]).arg(&clip));
    assert_eq!(result.stderr, "", "quiet");
    let result = finish(command(["features", "visual", "--log-format", "json"]).arg(&clip));
    let events: Vec<serde_json::Value> =
        result.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().any(|e| e["event"] == "decoding_started"), "{}", result.stderr);
}

#[test]
fn nothing_is_left_in_the_user_s_folders() {
    let home = tempfile::TempDir::new().unwrap();
    let result = finish(
        command(["doctor", "--load"])
            .env("HOME", home.path())
            .env_remove("XDG_CACHE_HOME")
            .env_remove("ORT_DISABLE_TELEMETRY"),
    );
    assert_eq!(result.status, 0, "{}", result.stderr);
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "the libraries wrote {left:?}");
}
