//! How long a recording is: the same on every container's clock, and whatever of it is decoded.

use std::path::{Path, PathBuf};

use hirenet_core::Code;
use hirenet_media::{MediaSettings, Probe, Request};
use hirenet_tests::shared;

use crate::common::{BOTH, Clips, decode, describe, describe_with, try_decode};

/// Everything that can be asked for; the last asks for the length alone.
const REQUESTS: [Request; 4] = [
    BOTH,
    Request { audio: true, video: false },
    Request { audio: false, video: true },
    Request { audio: false, video: false },
];
/// Seconds by which lengths may differ from the sources': priming, and the last packet's padding.
const LENGTH_TOLERANCE_S: f64 = 0.08;
/// Seconds of sound that a decoder may give beyond the end that packets say, and fall short of it.
const PACKET_S: f64 = 0.05;

/// Sources of pictures and sound of these lengths in seconds.
fn sources(pictures: f64, sound: f64) -> String {
    format!(
        "-f lavfi -i testsrc2=size=64x48:rate=25:duration={pictures} \
         -f lavfi -i sine=frequency=440:sample_rate=48000:duration={sound}"
    )
}

fn said_by_streams(probe: &Probe) -> Vec<f64> {
    probe.streams.iter().filter_map(|stream| stream.duration_s).collect()
}

/// Asserts that the recording has one length for all requests that it can answer, and returns it.
fn one_length(path: &Path) -> f64 {
    let settings = MediaSettings::default();
    let lengths: Vec<f64> = REQUESTS
        .iter()
        .filter_map(|request| match try_decode(path, *request, &settings) {
            Ok(decoded) => {
                let sound_s = decoded.samples.len() as f64 / 16_000.0;
                let duration_s = decoded.outcome.duration_s;
                assert!(sound_s <= duration_s + PACKET_S, "{}: {sound_s} in {duration_s}", path.display());
                Some(duration_s)
            }
            Err(_) => None,
        })
        .collect();
    assert!(lengths.len() >= 2, "{}", path.display());
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{}: {lengths:?}", path.display());
    lengths[0]
}

#[test]
fn recordings_that_begin_late_are_whole() {
    let clips = Clips::new();
    let h264 = "-c:v libx264 -preset ultrafast -g 10 -c:a aac";
    let limit = MediaSettings { max_duration_s: 2.2, ..MediaSettings::default() };
    for (name, codecs) in [
        ("late.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus"),
        ("late.mkv", "-c:v libx264 -preset ultrafast -c:a libvorbis"),
        ("late.mp4", h264),
        ("fragments.mp4", &format!("{h264} -movflags frag_keyframe+empty_moov+frag_discont")),
        ("delayed.mp4", &format!("{h264} -movflags frag_keyframe+delay_moov")),
        ("late.mov", h264),
        ("late.ts", h264),
    ] {
        for offset in ["0", "0.3", "1.1", "5"] {
            for negative in ["auto", "disabled"] {
                let args =
                    format!("{} {codecs} -output_ts_offset {offset} -avoid_negative_ts {negative}", sources(2.0, 2.0));
                let path = clips.make(name, &args);
                let (about, probe) = (format!("{name} at {offset}, {negative}"), describe(&path).unwrap());
                let decoded = try_decode(&path, BOTH, &limit).unwrap_or_else(|error| panic!("{about}: {error}"));
                assert!(decoded.codes().is_empty(), "{about}: {:?}", decoded.outcome.reasons);
                for length in [decoded.outcome.duration_s, probe.duration_s.unwrap()] {
                    assert!((length - 2.0).abs() < LENGTH_TOLERANCE_S, "{about}: {length}");
                }
                // The last timestamp of sound in a transport stream may be some packets before its end.
                let said = said_by_streams(&probe);
                assert!(said.iter().all(|said| *said < 2.0 + LENGTH_TOLERANCE_S), "{about}: {said:?}");
            }
        }
    }
}

#[test]
fn a_recording_that_begins_late_and_was_cut_says_so() {
    let clips = Clips::new();
    let codecs = "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -output_ts_offset 5";
    let whole = std::fs::read(clips.make("whole.webm", &format!("{} {codecs}", sources(4.0, 4.0)))).unwrap();
    let decoded = decode(&clips.write("cut.webm", &whole[..whole.len() / 2]));
    assert_eq!(decoded.codes(), [Code::DecodeTruncated]);
    assert!((1.0..3.0).contains(&decoded.outcome.duration_s), "{}", decoded.outcome.duration_s);
}

#[test]
fn a_length_guessed_from_the_bit_rate_does_not_count() {
    let clips = Clips::new();
    // Silence and then noise: the bit rate of the beginning says nothing about the whole.
    let sound = "-f lavfi -i aevalsrc='if(lt(t,8),0,random(0)-0.5)':s=44100:d=10";
    for (name, codec) in [("raw.aac", "-c:a aac"), ("bare.mp3", "-c:a libmp3lame -q:a 4 -write_xing 0")] {
        let path = clips.make(name, &format!("{sound} {codec}"));
        let probe = describe(&path).unwrap();
        assert!(probe.duration_measured, "{name}");
        assert!((probe.duration_s.unwrap() - 10.0).abs() < LENGTH_TOLERANCE_S, "{name}: {:?}", probe.duration_s);
        assert!(said_by_streams(&probe).is_empty(), "{name}");
        let decoded = decode(&path);
        assert_eq!(decoded.codes(), [Code::NoVideo], "{name}: {:?}", decoded.outcome.reasons);
        assert_eq!(Some(decoded.outcome.duration_s), probe.duration_s, "{name}");
    }
}

#[test]
fn every_request_gives_the_same_length() {
    let clips = Clips::new();
    let x264 = "-c:v libx264 -preset medium -bf 3";
    let vp8 = "-c:v libvpx -deadline realtime -cpu-used 8";
    for (name, codecs) in [
        ("aac.mp4", format!("{x264} -c:a aac")),
        ("aac.mkv", format!("{x264} -c:a aac")),
        ("aac.ts", format!("{x264} -c:a aac")),
        ("opus.webm", format!("{vp8} -c:a libopus")),
        ("live.webm", format!("{vp8} -c:a libopus -live 1")),
        ("opus.mp4", format!("{x264} -c:a libopus")),
        ("opus.ogg", "-c:v libtheora -c:a libopus".to_owned()),
        ("vorbis.webm", format!("{vp8} -c:a libvorbis")),
        ("vorbis.ogg", "-c:v libtheora -c:a libvorbis".to_owned()),
        ("mp3.mp4", format!("{x264} -c:a libmp3lame")),
        ("mp3.avi", "-c:v mpeg4 -bf 2 -c:a libmp3lame".to_owned()),
        ("mpeg1.mpg", "-c:v mpeg1video -bf 2 -c:a mp2".to_owned()),
        ("mpeg1.ts", "-c:v mpeg1video -bf 2 -c:a mp2".to_owned()),
    ] {
        for (pictures, sound) in [(2.04, 2.517), (2.52, 2.013)] {
            let length_s = one_length(&clips.make(name, &format!("{} {codecs}", sources(pictures, sound))));
            let longer: f64 = f64::max(pictures, sound);
            assert!((length_s - longer).abs() < LENGTH_TOLERANCE_S, "{name}: {length_s}, made {longer}");
        }
    }
    // Of sound alone, the length is that of the samples.
    for (name, codec) in [("alone.mp3", "libmp3lame"), ("opus.oga", "libopus"), ("vorbis.oga", "libvorbis")] {
        let path = clips.make(name, &format!("-f lavfi -i sine=sample_rate=48000:duration=2.517 -c:a {codec}"));
        let (length_s, samples) = (one_length(&path), decode(&path).samples.len());
        assert!((length_s - samples as f64 / 16_000.0).abs() < 0.001, "{name}: {length_s}, {samples} samples");
    }
}

#[test]
fn the_sample_and_the_shared_clips_have_one_length_each() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples")];
    folders.extend(["media", "media/grid", "media/audio"].iter().filter_map(|folder| shared(folder)));
    let is_clip = |path: &PathBuf| {
        path.extension()
            .and_then(|kind| kind.to_str())
            .is_some_and(|kind| ["mp4", "webm", "mpg", "ogg", "wav"].contains(&kind))
    };
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let clips: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).filter(is_clip).collect();
    assert!(clips.len() >= 3, "{clips:?}");
    for clip in clips {
        let (length_s, said_s) = (one_length(&clip), describe(&clip).unwrap().duration_s.unwrap());
        assert!((length_s - said_s).abs() < 0.01, "{}: {length_s}, the probe says {said_s}", clip.display());
    }
}

#[test]
fn sound_whose_clock_is_set_anew_goes_on() {
    let clips = Clips::new();
    let args = format!("{} -c:v libx264 -preset ultrafast -c:a mp2", sources(6.0, 6.0));
    let part = std::fs::read(clips.make("part.ts", &args)).unwrap();
    let path = clips.write("twice.ts", [part.clone(), part].concat());
    let (length_s, samples) = (one_length(&path), decode(&path).samples.len());
    assert!((length_s - 12.0).abs() < 2.0 * LENGTH_TOLERANCE_S, "{length_s}");
    assert!((length_s - samples as f64 / 16_000.0).abs() < LENGTH_TOLERANCE_S, "{length_s}, {samples} samples");
}

#[test]
fn a_probe_names_the_limits_that_a_file_exceeds() {
    let clips = Clips::new();
    let path = clips.make("clip.mp4", &format!("{} -c:v libx264 -preset ultrafast -c:a aac", sources(2.0, 2.0)));
    let live = format!("{} -c:v libvpx -deadline realtime -c:a libopus -live 1", sources(2.0, 2.0));
    let live = clips.make("live.webm", &live);
    let codes = |path: &Path, settings: &MediaSettings| {
        let probe = describe_with(path, settings).unwrap();
        (crate::common::codes(&probe.reasons), probe.duration_s.is_some())
    };
    let bytes = MediaSettings { max_bytes: 1000, ..MediaSettings::default() };
    assert_eq!(codes(&path, &bytes), (vec![Code::LimitBytes], true));
    // What is too large is not read to its end.
    assert_eq!(codes(&live, &bytes), (vec![Code::LimitBytes], false));
    let duration = MediaSettings { max_duration_s: 1.5, ..MediaSettings::default() };
    assert_eq!(codes(&path, &duration), (vec![Code::LimitDuration], true));
    assert_eq!(codes(&live, &duration), (vec![Code::LimitDuration], true));
    let limits = MediaSettings { max_bytes: 1000, ..duration };
    assert_eq!(codes(&path, &limits).0, [Code::LimitBytes, Code::LimitDuration]);
}
