//! The main job on the project's own sample: what comes out is held against what was put in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use hirenet_tests::program::{command, finish};
use hirenet_tests::source_dir;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Largest share of wrong words in the sample's transcript.
const WORD_ERROR_RATE: f64 = 0.05;
/// Largest mean absolute error of the head's angles against the renderer's truth, in degrees.
const POSE_ERROR_DEG: f64 = 4.0;
/// A closed lid, as a blendshape, and how far from the true time it may be seen, in seconds.
const BLINK: f64 = 0.4;
const BLINK_TIME_S: f64 = 0.2;

fn sample(file: &str) -> PathBuf {
    source_dir().join("samples").join(file)
}

fn read_json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
        .unwrap()
}

fn analyze(interview: &Path, out: &Path) -> (i32, Value) {
    let run = finish(command(["analyze"]).arg(interview).arg("--out").arg(out));
    assert!(run.status == 0 || run.status == 4, "{}", run.stderr);
    assert!(out.join("report.html").exists());
    (run.status, read_json(&out.join("assessment.json")))
}

/// Lower-case words without punctuation.
fn words(text: &str) -> Vec<String> {
    let plain: String = text.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    plain.to_lowercase().split_whitespace().map(str::to_owned).collect()
}

/// Levenshtein distance over words.
fn edits(a: &[String], b: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

fn codes(assessment: &Value) -> Vec<&str> {
    assessment["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect()
}

#[test]
fn the_sample_is_scored_whole_and_its_words_are_right() {
    let dir = TempDir::new().unwrap();
    let (status, assessment) = analyze(&sample("interview.json"), dir.path());
    assert_eq!(status, 0, "{:?}", codes(&assessment));
    assert_eq!(assessment["status"], "scored");
    assert_eq!(assessment["bundle"]["kind"], "demo", "{}", assessment["bundle"]);
    assert!(codes(&assessment).contains(&"demo_speech_model"), "the demo voice model says so in the result");
    let score = assessment["score"].as_f64().unwrap();
    let range = assessment["score_range"].as_array().unwrap();
    assert!((0.0..=1.0).contains(&score) && range[0].as_f64().unwrap() <= range[1].as_f64().unwrap());

    let truth = read_json(&sample("truth.json"));
    let answers = assessment["answers"].as_array().unwrap();
    let (mut wrong, mut total) = (0, 0);
    for (answer, truth) in answers.iter().zip(truth["answers"].as_array().unwrap()) {
        assert_eq!(answer["id"], truth["id"]);
        let heard = answer["transcript"]["words"].as_array().unwrap();
        let heard: Vec<_> = heard.iter().map(|w| w["text"].as_str().unwrap()).collect();
        let expected = words(truth["text"].as_str().unwrap());
        wrong += edits(&words(&heard.join(" ")), &expected);
        total += expected.len();
        for modality in ["verbal", "vocal", "visual"] {
            let track = &answer["tracks"][modality];
            assert!(track["valid_rows"].as_u64().unwrap() > 0, "{modality} of {}", answer["id"]);
            let rows = answer["attention"][modality]["rows"].as_array().unwrap();
            assert_eq!(rows.len() as u64, track["rows"].as_u64().unwrap());
            let mass: f64 = rows.iter().map(|r| r.as_f64().unwrap()).sum();
            assert!((mass - 1.0).abs() < 1e-3, "attention of {modality} sums to {mass}");
        }
    }
    let rate = f64::from(u32::try_from(wrong).unwrap()) / f64::from(u32::try_from(total).unwrap());
    assert!(rate <= WORD_ERROR_RATE, "{wrong} of {total} words are wrong");
    assert!(!assessment["spans"].as_array().unwrap().is_empty(), "the page needs moments to click");
}

#[test]
fn the_sample_face_moves_as_it_was_drawn() {
    for truth in read_json(&sample("truth.json"))["answers"].as_array().unwrap() {
        let id = truth["id"].as_str().unwrap();
        let run = finish(
            command(["features", "visual"]).arg(sample(&format!("{id}.mp4"))).env("HIRENET_MEDIA__ANALYSIS_FPS", "0"),
        );
        assert_eq!(run.status, 0, "{}", run.stderr);
        let mut lines = run.stdout.lines();
        let columns: HashMap<&str, usize> = lines.next().unwrap().split(',').enumerate().map(|(i, n)| (n, i)).collect();
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
        let value = |row: &[&str], name: &str| row[columns[name]].parse::<f64>().unwrap();
        assert!(rows.iter().all(|row| row[columns["face"]] == "1"), "{id}: a face in every frame");

        for blink in truth["blinks_s"].as_array().unwrap() {
            let near = rows.iter().filter(|row| (value(row, "time_s") - blink.as_f64().unwrap()).abs() <= BLINK_TIME_S);
            let closed =
                near.map(|row| value(row, "eyeBlinkLeft").max(value(row, "eyeBlinkRight"))).fold(0.0, f64::max);
            assert!(closed >= BLINK, "{id}: the blink at {blink} s is {closed:.2}");
        }
        let poses = truth["pose"].as_array().unwrap();
        for angle in ["yaw_deg", "pitch_deg", "roll_deg"] {
            let errors = rows.iter().map(|row| {
                let time = value(row, "time_s");
                let distance = |pose: &Value| (pose["time_s"].as_f64().unwrap() - time).abs();
                let nearest = poses.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
                (value(row, angle) - nearest[angle].as_f64().unwrap()).abs()
            });
            let mean = errors.sum::<f64>() / f64::from(u32::try_from(rows.len()).unwrap());
            assert!(mean <= POSE_ERROR_DEG, "{id}: {angle} is off by {mean:.2} degrees");
        }
    }
}

#[test]
fn the_same_input_twice_gives_the_same_files() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let without_timings = |dir: &TempDir| {
        let (_, mut assessment) = analyze(&sample("interview.json"), dir.path());
        assessment.as_object_mut().unwrap().remove("timings").expect("timings");
        assessment
    };
    assert_eq!(without_timings(&first), without_timings(&second));
    for answer in ["a1", "a2", "a3"] {
        let tracks = |dir: &TempDir| fs::read(dir.path().join(format!("tracks/{answer}.safetensors"))).unwrap();
        assert!(tracks(&first) == tracks(&second), "tracks of {answer}");
    }
}

/// The sample's message with changes, beside links to its recordings.
fn changed_sample(dir: &TempDir, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut message = read_json(&sample("interview.json"));
    change(&mut message);
    for answer in ["a1.mp4", "a2.mp4", "a3.mp4"] {
        std::os::unix::fs::symlink(sample(answer), dir.path().join(answer)).unwrap();
    }
    let file = dir.path().join("interview.json");
    fs::write(&file, message.to_string()).unwrap();
    file
}

#[test]
fn what_is_not_consented_to_is_not_computed() {
    let dir = TempDir::new().unwrap();
    let file = changed_sample(&dir, |message| {
        message["consent"]["modalities"] = json!(["verbal"]);
        message["answers"].as_array_mut().unwrap().truncate(1);
    });
    let (status, assessment) = analyze(&file, &dir.path().join("out"));
    assert_eq!((status, &assessment["status"]), (4, &json!("partial")));
    assert!(codes(&assessment).contains(&"not_consented"));
    assert!(assessment["timings"]["face"].is_null() && assessment["timings"]["voice"].is_null());
    assert!(assessment["answers"][0]["tracks"]["visual"].is_null());
    assert!(assessment["software"]["models"]["face_landmarks"].is_null(), "no face model had work");
}

#[test]
fn without_a_waiver_the_face_is_skipped() {
    let dir = TempDir::new().unwrap();
    let file = changed_sample(&dir, |message| {
        message["consent"]["face_waiver"] = Value::Null;
        message["answers"].as_array_mut().unwrap().truncate(1);
    });
    let (status, assessment) = analyze(&file, &dir.path().join("out"));
    assert_eq!(status, 4);
    assert!(codes(&assessment).contains(&"no_face_waiver"));
    assert!(assessment["timings"]["face"].is_null());
}

#[test]
fn a_human_transcript_replaces_recognition() {
    let dir = TempDir::new().unwrap();
    let file = changed_sample(&dir, |message| {
        message["answers"].as_array_mut().unwrap().truncate(1);
        message["answers"][0]["transcript"] = json!("Something else was said here.");
    });
    let (_, assessment) = analyze(&file, &dir.path().join("out"));
    let transcript = &assessment["answers"][0]["transcript"];
    assert_eq!(transcript["source"], "given");
    assert_eq!(transcript["words"].as_array().unwrap().len(), 5);
    assert!(transcript["words"][0]["start"].is_null());
    assert!(assessment["score_range"].is_null(), "one answer has no sensitivity");
    assert!(!codes(&assessment).contains(&"demo_speech_model"));
}

#[test]
fn words_beyond_the_recording_s_end_are_words_without_times() {
    let dir = TempDir::new().unwrap();
    let file = changed_sample(&dir, |message| {
        message["answers"].as_array_mut().unwrap().truncate(1);
        let word = |text: &str, start: f64| json!({"text": text, "start": start, "end": start + 1.0});
        let words = [word("Hello", 1.0), word("you", 1000.0), word("there", 1002.0)];
        message["answers"][0]["transcript"] = json!({ "words": words });
    });
    let (status, assessment) = analyze(&file, &dir.path().join("out"));
    assert_eq!(status, 0, "a note and no missing piece: {:?}", codes(&assessment));
    let words = &assessment["answers"][0]["transcript"]["words"];
    assert_eq!((&words[0]["start"], &words[1]["start"], &words[2]["end"]), (&json!(1.0), &Value::Null, &Value::Null));
    let reasons = assessment["reasons"].as_array().unwrap();
    let late = reasons.iter().find(|reason| reason["code"] == "late_words").unwrap();
    assert_eq!((&late["answer"], &late["modality"]), (&json!("a1"), &json!("verbal")));
    assert!(late["detail"].as_str().unwrap().starts_with("2 of 3 words "), "{late}");
    let duration_s = assessment["answers"][0]["duration_s"].as_f64().unwrap();
    for span in assessment["spans"].as_array().unwrap() {
        assert!(span["start"].as_f64().is_none_or(|start| start < duration_s), "{span}");
        assert!(span["end"].as_f64().is_none_or(|end| end <= duration_s), "{span}");
    }
}

#[test]
fn videos_alone_can_be_tried() {
    let dir = TempDir::new().unwrap();
    let run = finish(
        command(["analyze"])
            .args([sample("a1.mp4"), sample("a2.mp4")])
            .args(["--question", "What did you do?", "--question", "What else?", "--title", "Project manager"])
            .arg("--out")
            .arg(dir.path()),
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("consent_assumed"), "{}", run.stderr);
    let assessment = read_json(&dir.path().join("assessment.json"));
    assert!(codes(&assessment).contains(&"consent_assumed"));
    assert_eq!(assessment["answers"][1]["question"], "What else?");
}

#[test]
fn a_recording_may_stand_behind_its_question() {
    let dir = TempDir::new().unwrap();
    let asked = ["analyze", "--out", dir.path().to_str().unwrap(), "--question", "What did you do?"];
    let run = finish(command(asked).arg(sample("a1.mp4")));
    assert_eq!(run.status, 0, "{}", run.stderr);
    let assessment = read_json(&dir.path().join("assessment.json"));
    assert_eq!(assessment["answers"][0]["question"], "What did you do?");
    let nothing = finish(&mut command(asked));
    assert_eq!(nothing.status, 2);
    assert!(nothing.stderr.contains("name an INTERVIEW.json"), "{}", nothing.stderr);
}

#[test]
fn the_program_works_from_any_folder_and_copies_of_it_find_their_files() {
    let dir = TempDir::new().unwrap();
    let run = finish(command(["bundle", "schemas", "--json"]).current_dir(dir.path()));
    assert_eq!(run.status, 0, "{}", run.stderr);
    let schemas: Value = serde_json::from_str(&run.stdout).unwrap();
    let ids: Vec<_> = schemas.as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["verbal/hash256/1", "vocal/lld51/1", "visual/face/1", "context/hash256/1"]);
    let copy = dir.path().join("hirenet");
    fs::copy(hirenet_tests::program::program(), &copy).unwrap();
    let run =
        finish(std::process::Command::new(&copy).args(["features", "verbal"]).arg(sample("a1.mp4")).current_dir("/"));
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("index,start_s,end_s,confidence,text,v000,"), "{}", &run.stdout[..80]);
}
