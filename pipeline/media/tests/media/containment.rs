//! Limits end in their codes, and a child that hangs, dies, shouts or multiplies harms nobody.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hirenet_core::{Code, Coded};
use hirenet_media::{Launcher, MediaError, MediaSettings, Request, open_with, probe_with};

use crate::common::{BOTH, Clips, collect, describe, launcher, try_decode};

/// Everything here ends long before this.
const SOON: Duration = Duration::from_secs(20);

/// A child that is a shell script.
fn script(text: &str) -> Launcher {
    Launcher::new("/bin/sh", ["-c", text])
}

fn clip(clips: &Clips) -> std::path::PathBuf {
    let source = "-f lavfi -i testsrc2=size=320x240:rate=30:duration=10 -f lavfi -i sine=duration=10";
    clips.make("clip.mp4", &format!("{source} -c:v libx264 -preset ultrafast -c:a aac"))
}

fn patient(stall_s: f64, total_s: f64) -> MediaSettings {
    MediaSettings { max_stall_s: stall_s, max_decode_s: total_s, ..MediaSettings::default() }
}

/// What a misbehaving child comes to, and how long that took.
fn fate(text: &str, settings: &MediaSettings) -> MediaError {
    let clips = Clips::new();
    let file = clips.write("any.mp4", "anything");
    let began = Instant::now();
    let error = open_with(&script(text), &file, BOTH, settings).and_then(collect).unwrap_err();
    assert!(began.elapsed() < SOON, "{text}: {:?}", began.elapsed());
    error
}

#[test]
fn a_child_that_hangs_is_ended() {
    assert_eq!(fate("sleep 1000", &patient(0.3, 60.0)).code(), Code::LimitTime);
    assert_eq!(fate("sleep 1000", &patient(60.0, 0.3)).code(), Code::LimitTime);
    // Silent, deaf to polite signals, and with its output closed.
    assert_eq!(fate("trap '' TERM INT HUP; exec >&-; sleep 1000", &patient(60.0, 60.0)).code(), Code::DecoderCrashed);
}

#[test]
fn a_crash_names_its_signal_and_the_last_words() {
    let error = fate("echo something broke >&2; kill -SEGV $$", &MediaSettings::default());
    assert_eq!(error.code(), Code::DecoderCrashed);
    let text = error.to_string();
    assert!(text.contains("SIGSEGV") && text.contains("something broke"), "{text}");
    let error = fate("exit 7", &MediaSettings::default());
    assert!(error.code() == Code::DecoderCrashed && error.to_string().contains('7'), "{error}");
}

#[test]
fn running_out_of_memory_and_processor_time_have_their_codes() {
    let error = fate("echo memory allocation of 4096 bytes failed >&2; kill -ABRT $$", &MediaSettings::default());
    assert_eq!(error.code(), Code::LimitMemory);
    assert_eq!(fate("kill -XCPU $$", &MediaSettings::default()).code(), Code::LimitTime);
}

#[test]
fn a_flood_of_words_is_survived() {
    let error = fate("yes 0123456789 | head -c 50000000 >&2; kill -SEGV $$", &MediaSettings::default());
    assert_eq!(error.code(), Code::DecoderCrashed);
    assert!(error.to_string().len() < 4096);
    assert_eq!(fate("yes >&2", &patient(0.3, 60.0)).code(), Code::LimitTime);
}

#[test]
fn a_flood_of_nonsense_is_survived() {
    assert_eq!(fate("cat /dev/zero", &MediaSettings::default()).code(), Code::DecoderCrashed);
    assert_eq!(fate("echo Dear reader", &MediaSettings::default()).code(), Code::DecoderCrashed);
    // A message that never ends.
    assert_eq!(fate("printf 'S\\000\\000\\000\\010'; sleep 1000", &patient(0.3, 60.0)).code(), Code::LimitTime);
}

/// True while a process runs; a zombie does not.
fn runs(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    status.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with(['Z', 'X']))
}

fn ends_soon(pid: &str) -> bool {
    let began = Instant::now();
    while runs(pid) && began.elapsed() < SOON {
        std::thread::yield_now();
    }
    !runs(pid)
}

#[test]
fn grandchildren_die_with_the_child() {
    let clips = Clips::new();
    let (file, pids) = (clips.write("any.mp4", "anything"), clips.path("pids"));
    let text = format!("sleep 1000 & echo $! > {pids}; echo $$ >> {pids}; sleep 1000", pids = pids.display());
    let error = probe_with(&script(&text), &file, &patient(0.5, 60.0)).unwrap_err();
    assert_eq!(error.code(), Code::LimitTime);
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2);
    assert!(pids.lines().all(ends_soon), "{pids}");
}

#[test]
fn a_dropped_decoding_leaves_no_process_behind() {
    let clips = Clips::new();
    let path = clip(&clips);
    // A process of its own, so that the children of other tests are not counted.
    let pid_file = clips.path("pid");
    let text = format!(
        "echo $$ > {}; exec {} decode-child \"$0\"",
        pid_file.display(),
        env!("CARGO_BIN_EXE_hirenet-decode-child")
    );
    let mut decoding = open_with(&script(&text), &path, BOTH, &MediaSettings::default()).unwrap();
    assert!(decoding.next_event().unwrap().is_some());
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    assert!(runs(&pid));
    drop(decoding);
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "not even a zombie");
}

#[test]
fn a_child_ends_when_nobody_reads() {
    let clips = Clips::new();
    let file = std::fs::File::open(clip(&clips)).unwrap();
    let task = serde_json::json!({"work": {"decode": BOTH}, "settings": MediaSettings::default()});
    // The kernel closes a dead parent's end of the pipe, as is done here.
    let mut child = Command::new(env!("CARGO_BIN_EXE_hirenet-decode-child"))
        .args(["decode-child", &task.to_string()])
        .stdin(file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 16]).unwrap();
    drop(output);
    assert!(ends_soon(&child.id().to_string()), "the decoder stayed");
    assert!(!child.wait().unwrap().success());
}

#[test]
fn limits_on_the_file_end_in_their_codes() {
    let clips = Clips::new();
    let path = clip(&clips);
    let code = |settings: &MediaSettings| try_decode(&path, BOTH, settings).unwrap_err().code();
    let settings = MediaSettings::default();
    assert_eq!(code(&MediaSettings { max_bytes: 1000, ..settings.clone() }), Code::LimitBytes);
    assert_eq!(code(&MediaSettings { max_duration_s: 9.0, ..settings.clone() }), Code::LimitDuration);
    let small = MediaSettings { max_pixels: 320 * 240 - 1, ..settings.clone() };
    let decoded = try_decode(&path, BOTH, &small).unwrap();
    assert_eq!(decoded.codes(), [Code::LimitPixels]);
    assert!(decoded.frames.is_empty() && decoded.samples.len() > 100_000);
    let pictures = Request { audio: false, video: true };
    assert_eq!(try_decode(&path, pictures, &small).unwrap_err().code(), Code::LimitPixels);
    assert!(describe(&path).is_ok(), "a probe does not judge");
}

#[test]
fn a_recording_without_a_duration_ends_at_the_limit() {
    let clips = Clips::new();
    let source = "-f lavfi -i testsrc2=size=64x48:rate=10:duration=5 -f lavfi -i sine=duration=5";
    let path = clips.make("live.webm", &format!("{source} -c:v libvpx -deadline realtime -c:a libopus -live 1"));
    let short = MediaSettings { max_duration_s: 3.0, ..MediaSettings::default() };
    for (audio, video) in [(true, true), (true, false), (false, true)] {
        let error = try_decode(&path, Request { audio, video }, &short).unwrap_err();
        assert_eq!(error.code(), Code::LimitDuration);
    }
}

#[test]
fn a_decoder_that_eats_memory_is_ended() {
    let clips = Clips::new();
    let source = "-f lavfi -i testsrc2=size=3840x2160:rate=10:duration=1";
    let path = clips.make("large.mp4", &format!("{source} -c:v libx264 -preset ultrafast"));
    let small = MediaSettings { max_decode_memory_mb: 96, ..MediaSettings::default() };
    let error = open_with(&launcher(), &path, BOTH, &small).and_then(collect).unwrap_err();
    assert_eq!(error.code(), Code::LimitMemory, "{error}");
}

#[test]
fn a_limit_that_leaves_no_room_for_a_thread_is_told_as_the_limit() {
    let clips = Clips::new();
    let small = MediaSettings { max_decode_memory_mb: 16, ..MediaSettings::default() };
    let error = try_decode(&clip(&clips), BOTH, &small).unwrap_err();
    assert_eq!(error.code(), Code::LimitMemory, "{error}");
}

#[test]
fn a_decoder_that_eats_processor_time_is_ended() {
    let clips = Clips::new();
    let source = "-f lavfi -i testsrc2=size=1920x1080:rate=30:duration=6";
    let part = clips.make("part.mp4", &format!("{source} -c:v mpeg4 -q:v 2"));
    // A busy machine notices late that the time is used up: there must be many times the work.
    let path = clips.make("heavy.mp4", &format!("-stream_loop 9 -i {} -c copy", part.display()));
    let short = MediaSettings { max_decode_cpu_s: 1, analysis_fps: 0.0, frame_height: 0, ..MediaSettings::default() };
    let decoding = open_with(&launcher(), &path, BOTH, &short);
    let error = decoding.and_then(|mut events| events.try_for_each(|event| event.map(drop))).unwrap_err();
    assert_eq!(error.code(), Code::LimitTime, "{error}");
}
