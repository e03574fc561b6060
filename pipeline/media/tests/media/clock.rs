//! One clock: a clap is heard when it is seen, whatever the container does with time.

use hirenet_core::Code;
use hirenet_media::MediaSettings;

use crate::common::{BOTH, Clips, Decoded, decode, try_decode};

/// A clap may be this far from its true time.
const CLAP_TOLERANCE_S: f64 = 0.040;
/// A sample above this is a click.
const CLICK: f32 = 0.2;
/// A picture whose first pixel is above this is a flash.
const FLASH: u8 = 128;

/// Flashes and clicks at every multiple of `every` seconds, `length` seconds long.
fn claps(rate: &str, length: u32, every: u32) -> String {
    // A picture's time may be rounded to just before its mark.
    let seen = format!("lt(mod(t+0.0001,{every}),0.042)");
    let heard = format!("lt(mod(t,{every}),0.03)");
    format!(
        "-f lavfi -i color=c=black:size=64x48:rate={rate}:duration={length},drawbox=c=white:t=fill:enable='{seen}' \
         -f lavfi -i aevalsrc='if({heard},0.8*sin(6283*t),0)':s=48000:d={length}"
    )
}

fn every_frame(path: &std::path::Path) -> Decoded {
    let settings = MediaSettings { analysis_fps: 0.0, ..MediaSettings::default() };
    try_decode(path, BOTH, &settings).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Times at which something begins after at least half a second of nothing.
fn onsets(times: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut found = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for time in times {
        if time - last > 0.5 {
            found.push(time);
        }
        last = time;
    }
    found
}

fn clicks(decoded: &Decoded) -> Vec<f64> {
    onsets(decoded.samples.iter().enumerate().filter(|(_, s)| s.abs() > CLICK).map(|(n, _)| n as f64 / 16_000.0))
}

fn flashes(decoded: &Decoded) -> Vec<f64> {
    onsets(decoded.frames.iter().filter(|frame| frame.rgb[0] > FLASH).map(|frame| frame.time_s))
}

fn assert_near(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= CLAP_TOLERANCE_S, "{name}: {found:?}, expected {expected:?}");
    }
}

#[test]
fn claps_are_heard_and_seen_at_their_times() {
    let clips = Clips::new();
    for (name, rate, codecs) in [
        ("ntsc.mp4", "30000/1001", "-c:v libx264 -preset medium -c:a aac"),
        ("film.mov", "24000/1001", "-c:v libx264 -preset medium -c:a aac"),
        ("vp8.webm", "30000/1001", "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus"),
        ("live.webm", "30000/1001", "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -live 1"),
        ("h264.ts", "25", "-c:v libx264 -preset medium -c:a aac"),
        ("mpeg1.mpg", "30000/1001", "-c:v mpeg1video -c:a mp2"),
    ] {
        let decoded = every_frame(&clips.make(name, &format!("{} {codecs}", claps(rate, 4, 1))));
        assert_near(name, &clicks(&decoded), &[0.0, 1.0, 2.0, 3.0]);
        assert_near(name, &flashes(&decoded), &[0.0, 1.0, 2.0, 3.0]);
    }
}

#[test]
fn late_sound_is_preceded_by_silence() {
    let clips = Clips::new();
    for (name, codecs) in [
        ("late.mp4", "-c:v libx264 -preset medium -c:a aac"),
        ("late.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus"),
        ("late.ts", "-c:v libx264 -preset medium -c:a mp2"),
    ] {
        let sources = claps("30000/1001", 4, 1);
        let (video, audio) = sources.split_once(" -f lavfi -i aevalsrc").unwrap();
        let args = format!("{video} -itsoffset 0.5 -f lavfi -i aevalsrc{audio} {codecs}");
        let path = clips.make(name, &args);
        let decoded = every_frame(&path);
        assert_near(name, &clicks(&decoded), &[0.5, 1.5, 2.5, 3.5]);
        assert_near(name, &flashes(&decoded), &[0.0, 1.0, 2.0, 3.0]);
        assert!(decoded.samples[..7_500].iter().all(|s| s.abs() < 0.01), "{name}");
        assert!(decoded.codes().is_empty(), "{name}: {:?}", decoded.outcome.reasons);
        let offset = decoded.probe.offset_s.unwrap();
        assert!((offset - 0.5).abs() < CLAP_TOLERANCE_S, "{name}: {offset}");
        assert!((decoded.outcome.duration_s - 4.5).abs() < 0.1, "{name}: {}", decoded.outcome.duration_s);
    }
}

#[test]
fn late_pictures_keep_their_times() {
    let clips = Clips::new();
    let path = clips.make("late.mkv", &format!("-itsoffset 0.5 {} -c:v libx264 -c:a flac", claps("25", 3, 1)));
    let decoded = every_frame(&path);
    assert_near("pictures", &flashes(&decoded), &[0.5, 1.5, 2.5]);
    assert_near("sound", &clicks(&decoded), &[0.0, 1.0, 2.0]);
}

#[test]
fn a_cut_without_re_encoding_keeps_lips_and_voice_together() {
    let clips = Clips::new();
    let whole = clips.make("whole.mp4", &format!("{} -c:v libx264 -g 30 -c:a aac", claps("30", 6, 1)));
    // Cuts between key frames: an edit list, and timestamps below zero.
    for (name, args) in
        [("edit.mp4", "-c copy"), ("edit.mov", "-c copy"), ("negative.mkv", "-c copy -avoid_negative_ts disabled")]
    {
        let decoded = every_frame(&clips.make(name, &format!("-ss 1.3 -i {} {args}", whole.display())));
        let (heard, seen) = (clicks(&decoded), flashes(&decoded));
        let common: Vec<f64> = seen.iter().copied().filter(|t| *t > 0.2).collect();
        let heard: Vec<f64> = heard.into_iter().filter(|t| *t > 0.2).collect();
        assert!(common.len() >= 4, "{name}: {seen:?}");
        assert_near(name, &heard, &common);
        if name.starts_with("edit") {
            // Claps of every second, 1.3 s cut off: the edit list hides what comes before.
            assert_near(name, &common, &[0.7, 1.7, 2.7, 3.7]);
        }
        assert!(decoded.codes().is_empty(), "{name}: {:?}", decoded.outcome.reasons);
    }
}

#[test]
fn gaps_in_the_sound_become_silence() {
    let clips = Clips::new();
    let args = format!("{} -af aselect='not(between(t,1.2,2.7))' -c:v libx264 -c:a pcm_s16le", claps("25", 5, 1));
    let decoded = every_frame(&clips.make("gap.mkv", &args));
    assert_near("gap", &clicks(&decoded), &[0.0, 1.0, 3.0, 4.0]);
    assert!((decoded.samples.len() as i64 - 80_000).abs() < 400, "{}", decoded.samples.len());
}

#[test]
fn variable_frame_rates_keep_true_times() {
    let clips = Clips::new();
    let args = "-f lavfi -i testsrc2=size=64x48:rate=30:duration=4 \
                -vf select='lt(t,1)+gt(t,3)+not(mod(n,9))' -vsync vfr -c:v libx264";
    let path = clips.make("vfr.mp4", args);
    let times: Vec<f64> = decode(&path).frames.iter().map(|frame| frame.time_s).collect();
    let expected: Vec<f64> = (0..10)
        .map(|n| f64::from(n) / 10.0)
        .chain((4..10).map(|n| f64::from(9 * n) / 30.0).filter(|t| *t >= 1.0))
        .collect();
    for (a, b) in times.iter().zip(expected.iter().filter(|t| **t < 3.0)) {
        assert!((a - b).abs() < 0.02, "{times:?} {expected:?}");
    }
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    assert!((times[times.len() - 1] - 3.9).abs() < 0.05, "{times:?}");
}

#[test]
fn claps_among_pictures_of_varying_rate_are_heard_and_seen_at_their_times() {
    let clips = Clips::new();
    let args = "-vf select='not(mod(n,5))+between(t,1.2,1.6)' -vsync vfr -c:v libx264 -c:a flac";
    for name in ["vfr.mkv", "vfr.mp4"] {
        let decoded = every_frame(&clips.make(name, &format!("{} {args} -strict -2", claps("25", 4, 1))));
        assert!(decoded.frames.len() < 40, "{name}: {} frames", decoded.frames.len());
        for found in [clicks(&decoded), flashes(&decoded)] {
            assert_near(name, &found, &[0.0, 1.0, 2.0, 3.0]);
        }
    }
}

#[test]
fn nothing_drifts_in_twenty_minutes() {
    let clips = Clips::new();
    for (name, rate, fps) in [("29.97", "30000/1001", 30_000.0 / 1001.0), ("23.976", "24000/1001", 24_000.0 / 1001.0)] {
        let args = format!("{} -c:v mpeg4 -q:v 20 -c:a mp2 -ac 1", claps(rate, 1200, 60));
        let decoded = every_frame(&clips.make(&format!("{name}.mp4"), &args));
        let minutes: Vec<f64> = (0..20).map(|minute| f64::from(60 * minute)).collect();
        // The first picture of a flash is the first one behind its minute.
        let pictures: Vec<f64> = minutes.iter().map(|t| ((t - 1e-4) * fps).ceil().max(0.0) / fps).collect();
        assert_near(name, &clicks(&decoded), &minutes);
        assert_near(name, &flashes(&decoded), &pictures);
        assert!((decoded.outcome.duration_s - 1200.0).abs() < 0.1);
        assert!(!decoded.codes().contains(&Code::DecodeTruncated));
    }
}
