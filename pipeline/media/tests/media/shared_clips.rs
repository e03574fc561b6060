//! The clips of the shared data: what comes out is what was measured with other programs.

use crate::common::{BOTH, codes, decode, describe, try_decode};
use hirenet_core::SAMPLE_RATE;
use hirenet_media::{MediaSettings, Request, StreamKind};
use hirenet_tests::shared;

/// Samples by which two decoders may differ in priming and padding: 30 ms.
const SAMPLES_TOLERANCE: i64 = 480;
/// Share by which two resamplers' root mean squares may differ.
const RMS_TOLERANCE: f64 = 0.01;

#[test]
fn talking_faces_have_the_expected_sound_and_frames() {
    let Some(expected) = shared("media/expected.json") else { return };
    let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(expected).unwrap()).unwrap();
    let mut clips = 0;
    for (name, facts) in expected.as_object().unwrap() {
        let (Some(samples), Some(rms)) = (facts["audio_16k_samples"].as_i64(), facts["rms"].as_f64()) else { continue };
        let Some(path) = shared(&format!("media/{name}")) else { continue };
        let decoded = decode(&path);
        let seconds = samples as f64 / f64::from(SAMPLE_RATE);
        assert!(
            (decoded.samples.len() as i64 - samples).abs() <= SAMPLES_TOLERANCE,
            "{name}: {}",
            decoded.samples.len()
        );
        assert!((decoded.rms() / rms - 1.0).abs() <= RMS_TOLERANCE, "{name}: {} {rms}", decoded.rms());
        if facts["frames_at_5fps"].is_number() {
            let frames = (decoded.outcome.duration_s * 10.0).round();
            assert!((decoded.frames.len() as f64 - frames).abs() <= 1.0, "{name}: {}", decoded.frames.len());
        }
        assert!((decoded.outcome.duration_s - seconds).abs() < 0.1, "{name}: {}", decoded.outcome.duration_s);
        assert!(codes(&decoded.outcome.reasons).is_empty(), "{name}: {:?}", decoded.outcome.reasons);
        clips += 1;
    }
    assert!(clips >= 11, "{clips}");
}

#[test]
fn the_rotated_clip_comes_out_upright() {
    let Some(path) = shared("media/en_grid_rotated.mp4") else { return };
    let decoded = decode(&path);
    let frame = &decoded.frames[0];
    assert_eq!((frame.width, frame.height, frame.full_width, frame.full_height), (360, 288, 360, 288));
    let video = decoded.probe.chosen(StreamKind::Video).unwrap().video.clone().unwrap();
    assert_eq!((video.width, video.height, video.upright_width, video.upright_height), (288, 360, 360, 288));
    // The same recording before it was turned and compressed once more.
    let Some(original) = shared("media/grid/sbwe5n.mpg") else { return };
    let original = decode(&original);
    let pairs = frame.rgb.iter().zip(&original.frames[0].rgb);
    let mean = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / frame.rgb.len() as f64;
    assert!(mean < 4.0, "{mean}");
}

#[test]
fn a_live_recording_is_measured() {
    let Some(path) = shared("media/en_interview_vp8_opus.webm") else { return };
    let probe = describe(&path).unwrap();
    assert!(probe.duration_measured);
    assert!((probe.duration_s.unwrap() - 17.2).abs() < 0.1, "{:?}", probe.duration_s);
    assert!(probe.reasons.is_empty());
    assert!(probe.offset_s.unwrap().abs() < 0.02);
}

#[test]
fn sound_alone_is_the_same_sound() {
    let Some(path) = shared("media/en_grid_natural_6s.mp4") else { return };
    let both = decode(&path);
    let alone = try_decode(&path, Request { audio: true, video: false }, &MediaSettings::default()).unwrap();
    assert!(alone.frames.is_empty());
    assert_eq!(alone.samples, both.samples);
    assert!((alone.outcome.duration_s - both.outcome.duration_s).abs() < 0.001);
    let pictures = try_decode(&path, Request { audio: false, video: true }, &MediaSettings::default()).unwrap();
    assert!(pictures.samples.is_empty());
    assert_eq!(pictures.frames, both.frames);
}

#[test]
fn the_same_file_twice_gives_the_same() {
    let Some(path) = shared("media/fr_interview_vp9_opus.webm") else { return };
    let (first, second) = (decode(&path), decode(&path));
    assert_eq!((first.samples, first.frames, first.outcome), (second.samples, second.frames, second.outcome));
}

#[test]
fn a_child_gives_what_this_process_gives() {
    let Some(path) = shared("media/en_jfk_h264_aac.mp4") else { return };
    let here = MediaSettings { decode_in_process: true, ..MediaSettings::default() };
    let (child, here) = (decode(&path), try_decode(&path, BOTH, &here).unwrap());
    assert_eq!((child.samples, child.frames, child.outcome), (here.samples, here.frames, here.outcome));
}

#[test]
fn speech_clips_decode_whole() {
    let Some(folder) = shared("media/audio") else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "ogg" || kind == "wav") {
            let probe = describe(&path).unwrap();
            let decoded = try_decode(&path, Request { audio: true, video: false }, &MediaSettings::default()).unwrap();
            assert!((decoded.outcome.duration_s - probe.duration_s.unwrap()).abs() < 0.05, "{}", path.display());
            assert!(decoded.codes().is_empty() && decoded.rms() > 0.0005, "{}", path.display());
        }
    }
}
