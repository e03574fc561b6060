//! The command line: exit statuses, settings, help.

use hirenet_tests::program::{command, finish, run};

const USAGE: i32 = 2;

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
