//! Everything that can be wrong with what a user names: a stable code and a sentence on stderr, nothing on stdout, and an
//! exit status.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hirenet_tests::program::{command, finish, run};
use serde_json::{Value, json};
use tempfile::TempDir;

const REFUSED: i32 = 3;
const PARTIAL: i32 = 4;
const SETUP: i32 = 2;

/// Makes a clip with the ffmpeg program.
fn ffmpeg(arguments: &str, out: &Path) -> PathBuf {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments.split_whitespace())
        .arg(out)
        .status()
        .expect("the ffmpeg program");
    assert!(status.success(), "ffmpeg {arguments}");
    out.to_path_buf()
}

const PICTURE: &str = "-f lavfi -i testsrc2=size=320x240:rate=10:duration=3";
const SOUND: &str = "-f lavfi -i sine=frequency=200:duration=3";

fn clip(dir: &TempDir, name: &str, arguments: &str) -> PathBuf {
    ffmpeg(arguments, &dir.path().join(name))
}

fn whole_clip(dir: &TempDir) -> PathBuf {
    clip(dir, "whole.mp4", &format!("{PICTURE} {SOUND} -c:v libx264 -g 10 -c:a aac -movflags +faststart -shortest"))
}

/// A message with these answers, written into `dir`.
fn interview(dir: &Path, answers: &Value) -> PathBuf {
    let message = json!({
        "job_id": "7f8f2f4e-6d0b-4f0c-9a51-0d9f6f3f5f10", "tenant": "t", "interview_id": "i", "candidate": "c",
        "position": {"id": "p", "title": "Tester"}, "language": "en", "retention_days": 1,
        "consent": {"version": "1", "given_at": "2026-01-01T00:00:00Z", "modalities": ["verbal", "vocal", "visual"],
            "face_waiver": {"name_on_file": true, "interview_date": "2026-01-01", "consented": true, "read": true}},
        "answers": answers,
    });
    let file = dir.join("interview.json");
    fs::write(&file, message.to_string()).unwrap();
    file
}

/// Runs `analyze` on the interview and gives exit status, stderr and the reasons' codes, where there is an assessment.
fn analyze(file: &Path, out: &Path) -> (i32, String, Vec<String>) {
    let result = run(["analyze".as_ref(), file.as_os_str(), "--out".as_ref(), out.as_os_str()]);
    if result.status == REFUSED {
        assert_eq!(result.stdout, "", "a refusal prints nothing on stdout");
    }
    let codes = fs::read_to_string(out.join("assessment.json")).map(|text| {
        let assessment: Value = serde_json::from_str(&text).unwrap();
        assessment["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap().to_owned()).collect()
    });
    (result.status, result.stderr, codes.unwrap_or_default())
}

fn answer(id: &str, media: &str) -> Value {
    json!({"id": id, "question": "Why?", "media": media})
}

/// A single answer with this recording: refused by every command that needs content.
fn refused_everywhere(dir: &TempDir, media: &Path, code: &str) {
    for arguments in [&["transcribe"][..], &["features", "vocal"], &["features", "visual"], &["features", "verbal"]] {
        let result = finish(command(arguments).arg(media));
        assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""), "{arguments:?}: {}", result.stderr);
        assert!(result.stderr.contains(code), "{arguments:?}: {}", result.stderr);
    }
    let name = media.file_name().unwrap().to_str().unwrap();
    let file = interview(dir.path(), &json!([answer("a1", name)]));
    let (status, stderr, _) = analyze(&file, &dir.path().join("out"));
    assert_eq!(status, REFUSED, "{stderr}");
    assert!(stderr.contains(code), "{stderr}");
}

#[test]
fn a_missing_file() {
    let dir = TempDir::new().unwrap();
    let media = dir.path().join("missing.mp4");
    refused_everywhere(&dir, &media, "file_missing");
    assert_eq!(finish(command(["probe"]).arg(&media)).status, REFUSED);
}

#[test]
fn an_empty_file() {
    let dir = TempDir::new().unwrap();
    let media = dir.path().join("empty.mp4");
    fs::write(&media, "").unwrap();
    refused_everywhere(&dir, &media, "file_empty");
    assert_eq!(finish(command(["probe"]).arg(&media)).status, REFUSED);
}

#[test]
fn a_text_named_mp4() {
    let dir = TempDir::new().unwrap();
    let media = dir.path().join("notes.mp4");
    fs::write(&media, "This is a text and no recording.\n".repeat(50)).unwrap();
    refused_everywhere(&dir, &media, "not_media");
    assert_eq!(finish(command(["probe"]).arg(&media)).status, REFUSED);
}

#[test]
fn an_mp4_cut_before_its_index() {
    let dir = TempDir::new().unwrap();
    let whole = clip(&dir, "late.mp4", &format!("{PICTURE} {SOUND} -c:v libx264 -c:a aac -shortest"));
    let bytes = fs::read(&whole).unwrap();
    let cut = dir.path().join("cut.mp4");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    refused_everywhere(&dir, &cut, "index_missing");
}

#[test]
fn an_mp4_cut_in_the_middle_keeps_what_decodes() {
    let dir = TempDir::new().unwrap();
    let bytes = fs::read(whole_clip(&dir)).unwrap();
    let cut = dir.path().join("half.mp4");
    fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let result = finish(command(["features", "vocal"]).arg(&cut));
    assert_eq!(result.status, PARTIAL, "{}", result.stderr);
    assert!(result.stdout.lines().count() > 50, "rows of what decoded");
    let file = interview(dir.path(), &json!([answer("a1", "half.mp4")]));
    let (status, stderr, codes) = analyze(&file, &dir.path().join("out"));
    assert_eq!(status, PARTIAL, "{stderr}");
    assert!(codes.contains(&"decode_truncated".to_owned()), "{codes:?}");
}

#[test]
fn playlists_that_point_elsewhere() {
    let dir = TempDir::new().unwrap();
    whole_clip(&dir);
    let local = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n",
        dir.path().join("whole.mp4").display()
    );
    let remote = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n";
    let concat = "ffconcat version 1.0\nfile whole.mp4\n";
    for (name, text) in [("local.mp4", local.as_str()), ("remote.m3u8", remote), ("list.mp4", concat)] {
        let media = dir.path().join(name);
        fs::write(&media, text).unwrap();
        refused_everywhere(&dir, &media, "playlist_refused");
        assert_eq!(finish(command(["probe"]).arg(&media)).status, REFUSED, "{name}");
    }
}

#[test]
fn without_sound_or_picture_the_rest_is_kept() {
    let dir = TempDir::new().unwrap();
    let silent_picture = clip(&dir, "mute.mp4", &format!("{PICTURE} -c:v libx264"));
    let sound_only = clip(&dir, "voice.m4a", &format!("{SOUND} -c:a aac"));
    for arguments in [&["transcribe"][..], &["features", "vocal"]] {
        let result = finish(command(arguments).arg(&silent_picture));
        assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""));
        assert!(result.stderr.contains("no_audio"), "{}", result.stderr);
    }
    let result = finish(command(["features", "visual"]).arg(&sound_only));
    assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""));
    assert!(result.stderr.contains("no_video"), "{}", result.stderr);
    assert_eq!(finish(command(["probe"]).arg(&silent_picture)).status, 0);
    assert_eq!(finish(command(["probe"]).arg(&sound_only)).status, 0);
    let file = interview(dir.path(), &json!([answer("a1", "voice.m4a")]));
    let (status, stderr, codes) = analyze(&file, &dir.path().join("out"));
    assert_eq!(status, PARTIAL, "{stderr}");
    assert!(codes.contains(&"no_video".to_owned()), "{codes:?}");
}

#[test]
fn neither_sound_nor_picture() {
    let dir = TempDir::new().unwrap();
    let titles = dir.path().join("titles.srt");
    fs::write(&titles, "1\n00:00:00,000 --> 00:00:02,000\nHello\n").unwrap();
    let media = clip(&dir, "titles.mkv", &format!("-i {} -c:s srt", titles.display()));
    refused_everywhere(&dir, &media, "no_streams");
    assert_eq!(finish(command(["probe"]).arg(&media)).status, REFUSED);
}

#[test]
fn silence_gives_an_empty_transcript_with_its_reason() {
    let dir = TempDir::new().unwrap();
    let media = clip(
        &dir,
        "silent.mp4",
        &format!("{PICTURE} -f lavfi -i anullsrc=r=48000:cl=mono -c:v libx264 -c:a aac -shortest"),
    );
    let result = finish(command(["transcribe"]).arg(&media));
    assert_eq!(result.status, 0, "{}", result.stderr);
    let transcript: Value = serde_json::from_str(&result.stdout).unwrap();
    assert_eq!(transcript["words"], json!([]));
    assert_eq!(transcript["reasons"][0]["code"], "no_speech");
    let file = interview(dir.path(), &json!([answer("a1", "silent.mp4")]));
    let (_, _, codes) = analyze(&file, &dir.path().join("out"));
    assert!(codes.contains(&"no_speech".to_owned()) && codes.contains(&"no_voice".to_owned()), "{codes:?}");
}

#[test]
fn one_frame_is_measured_and_said_to_be_one() {
    let dir = TempDir::new().unwrap();
    let media = clip(&dir, "one.mp4", "-f lavfi -i testsrc2=size=320x240:rate=10 -frames:v 1 -c:v libx264");
    let result = finish(command(["features", "visual"]).arg(&media));
    assert_eq!(result.status, 0, "{}", result.stderr);
    assert_eq!(result.stdout.lines().count(), 2, "a header and one row");
    assert!(result.stderr.contains("single_frame: ") && result.stderr.contains("upload it again"), "{}", result.stderr);
}

#[test]
fn a_message_that_is_not_of_its_form() {
    let dir = TempDir::new().unwrap();
    whole_clip(&dir);
    let out = dir.path().join("out");
    let mut cases = Vec::new();
    let mut unknown = answer("a1", "whole.mp4");
    unknown["mood"] = json!("good");
    cases.push((json!([unknown]), "message_invalid", "answers[0].mood"));
    let mut wrong_type = answer("a1", "whole.mp4");
    wrong_type["take"] = json!("second");
    cases.push((json!([wrong_type]), "message_invalid", "answers[0].take"));
    cases.push((json!([["a1", "Why?", "whole.mp4", null, null, null]]), "message_invalid", "answers[0]"));
    cases.push((json!([]), "no_answers", "answers"));
    cases.push((json!([answer("a1", "../whole.mp4")]), "media_outside", "../whole.mp4"));
    for (answers, code, place) in cases {
        let file = interview(dir.path(), &answers);
        let (status, stderr, _) = analyze(&file, &out);
        assert_eq!(status, REFUSED, "{stderr}");
        assert!(stderr.contains(code) && stderr.contains(place), "{stderr}");
    }
    let (status, stderr, _) = analyze(&dir.path().join("nowhere.json"), &out);
    assert_eq!(status, REFUSED);
    assert!(stderr.contains("file_missing"), "{stderr}");
}

#[test]
fn a_wrong_sha256() {
    let dir = TempDir::new().unwrap();
    whole_clip(&dir);
    let mut wrong = answer("a1", "whole.mp4");
    wrong["sha256"] = json!("0".repeat(64));
    let file = interview(dir.path(), &json!([wrong]));
    let (status, stderr, codes) = analyze(&file, &dir.path().join("out"));
    assert_eq!(status, REFUSED, "{stderr}");
    assert!(stderr.contains("sha256_mismatch"), "{stderr}");
    assert!(codes.contains(&"sha256_mismatch".to_owned()), "{codes:?}");
}

#[test]
fn one_bad_answer_keeps_the_others() {
    let dir = TempDir::new().unwrap();
    whole_clip(&dir);
    fs::write(dir.path().join("bad.mp4"), "no recording").unwrap();
    let file = interview(dir.path(), &json!([answer("good", "whole.mp4"), answer("bad", "bad.mp4")]));
    let out = dir.path().join("out");
    let (status, stderr, codes) = analyze(&file, &out);
    assert_eq!(status, PARTIAL, "{stderr}");
    assert!(codes.contains(&"not_media".to_owned()), "{codes:?}");
    let assessment: Value = serde_json::from_str(&fs::read_to_string(out.join("assessment.json")).unwrap()).unwrap();
    assert!(assessment["score"].is_number());
    assert_eq!(assessment["answers"].as_array().unwrap().len(), 2);
    assert!(assessment["answers"][0]["tracks"]["vocal"]["valid_rows"].as_u64().unwrap() > 0);
}

/// Each line of stderr is one JSON object: what is noted and what failed as well as the log.
fn json_lines(stderr: &str) -> Vec<Value> {
    let object = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    stderr.lines().map(object).collect()
}

#[test]
fn a_refusal_tells_everything_that_is_missing_and_the_recordings_own_fault_last() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("bad.mp4"), "no recording").unwrap();
    let file = interview(dir.path(), &json!([answer("a1", "bad.mp4")]));
    let message = fs::read_to_string(&file).unwrap().replace(r#","vocal","visual"]"#, "]");
    assert!(message.contains(r#"["verbal"]"#), "{message}");
    fs::write(&file, message).unwrap();
    let analysis =
        |options: &[&str]| finish(command(options).arg("analyze").arg(&file).arg("--out").arg(dir.path().join("out")));
    let result = analysis(&["--log-format", "json"]);
    assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""), "{}", result.stderr);
    let lines = json_lines(&result.stderr);
    let codes: Vec<&str> = lines.iter().filter_map(|line| line["code"].as_str()).collect();
    assert_eq!(codes, ["demo_speech_model", "not_consented", "not_consented", "not_media"]);
    let modalities: Vec<&Value> = lines.iter().filter_map(|line| line.get("modality")).collect();
    assert_eq!(modalities, ["vocal", "visual"]);
    let told = analysis(&[]).stderr;
    let visual = "hirenet: not_consented: visual: The candidate did not consent to this modality; it was not computed.";
    assert!(told.lines().any(|line| line == visual), "{told}");
    let result = analysis(&["--quiet"]);
    assert_eq!(result.stderr.lines().count(), 1, "quiet keeps to the failure: {}", result.stderr);
    assert!(result.stderr.starts_with("hirenet: not_media: "), "{}", result.stderr);
}

/// Codes, modalities and details of the reasons that concern one answer.
fn reasons_of(answer: &str, out: &Path) -> Vec<(String, Option<String>, String)> {
    let text = fs::read_to_string(out.join("assessment.json")).unwrap();
    let assessment: Value = serde_json::from_str(&text).unwrap();
    let reasons = assessment["reasons"].as_array().unwrap().iter().filter(|reason| reason["answer"] == answer);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    reasons.map(|r| (text(&r["code"]).unwrap(), text(&r["modality"]), text(&r["detail"]).unwrap())).collect()
}

#[test]
fn an_undecodable_stream_is_no_missing_face_and_no_silence() {
    let dir = TempDir::new().unwrap();
    let mut unknown = fs::read(whole_clip(&dir)).unwrap();
    let place = unknown.windows(4).position(|bytes| bytes == b"avc1").map(|brand| brand + 4).unwrap();
    let place = place + unknown[place..].windows(4).position(|bytes| bytes == b"avc1").unwrap();
    unknown[place..place + 4].copy_from_slice(b"zzz1");
    fs::write(dir.path().join("no-picture.mp4"), unknown).unwrap();
    clip(&dir, "no-sound.mkv", &format!("{PICTURE} {SOUND} -c:v libx264 -c:a wavpack -shortest"));
    let answers = [answer("whole", "whole.mp4"), answer("blind", "no-picture.mp4"), answer("deaf", "no-sound.mkv")];
    let file = interview(dir.path(), &json!(answers));
    let out = dir.path().join("out");
    let (status, stderr, _) = analyze(&file, &out);
    assert_eq!(status, PARTIAL, "{stderr}");
    for (answer, modality, format, invented) in [
        ("blind", Some("visual"), "`zzz1`", &["no_face"][..]),
        ("deaf", None, "wavpack", &["no_speech", "no_voice", "no_audio"]),
    ] {
        let reasons = reasons_of(answer, &out);
        let (_, of, detail) = reasons.iter().find(|(code, ..)| code == "codec_unsupported").unwrap();
        assert!(of.as_deref() == modality && detail.contains(format), "{reasons:?}");
        assert!(!reasons.iter().any(|(code, ..)| invented.contains(&code.as_str())), "{reasons:?}");
    }
}

#[test]
fn a_transcript_of_punctuation_is_no_evidence() {
    let dir = TempDir::new().unwrap();
    whole_clip(&dir);
    let mut marks = answer("a1", "whole.mp4");
    marks["transcript"] = json!("... -- !!");
    let file = interview(dir.path(), &json!([marks]));
    let (status, stderr, codes) = analyze(&file, &dir.path().join("out"));
    assert_eq!(status, PARTIAL, "{stderr}");
    assert!(codes.contains(&"no_words".to_owned()), "{codes:?}");
}

#[test]
fn what_the_command_line_names_is_looked_at_before_any_work() {
    let dir = TempDir::new().unwrap();
    whole_clip(&dir);
    let file = interview(dir.path(), &json!([answer("a1", "whole.mp4")]));
    let analysis =
        |out: &Path, options: &[&str]| finish(command(["analyze"]).arg(&file).arg("--out").arg(out).args(options));
    let out = dir.path().join("out");
    let result = analysis(&out, &["--bundle", "nowhere"]);
    assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""), "{}", result.stderr);
    assert!(result.stderr.contains("file_missing") && result.stderr.contains("nowhere"), "{}", result.stderr);
    for option in [["--question", "Why?"], ["--title", "Tester"], ["--language", "en"], ["--language", "xx"]] {
        let result = analysis(&out, &option);
        assert_eq!((result.status, result.stdout.as_str()), (SETUP, ""), "{option:?}: {}", result.stderr);
    }
    let result = analysis(&dir.path().join("whole.mp4").join("out"), &["--log-format", "json"]);
    assert!(result.stderr.contains("output_failed"), "{}", result.stderr);
    assert!(!result.stderr.contains("decoding_started"), "{}", result.stderr);
}
