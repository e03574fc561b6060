use hirenet_speech::{Listener, SpeechSettings};
use hirenet_tests::shared;

use crate::support::{activity, decode};

/// Share of windows that may differ from the measured count (other decoders, other CPUs).
const WINDOWS_TOLERANCE: f64 = 0.05;
/// Seconds that a start or end of speech may differ from whisper.cpp's own detector.
const EDGE_TOLERANCE_S: f64 = 0.15;

#[test]
fn every_clip_has_the_listed_windows_of_speech() {
    let Some(expected) = shared("media/expected.json") else { return };
    let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(expected).unwrap()).unwrap();
    let mut clips = 0;
    for (clip, measured) in expected.as_object().unwrap() {
        let (Some(windows), Some(speech)) = (measured["vad_windows"].as_f64(), measured["vad_speech_windows"].as_f64())
        else {
            continue;
        };
        let Some(file) = shared(&format!("media/{clip}")) else { return };
        let probability = activity().probabilities(&decode(&file)).unwrap();
        let ours = probability.values.iter().filter(|p| **p >= 0.5).count() as f64;
        assert!((probability.values.len() as f64 - windows).abs() <= windows * WINDOWS_TOLERANCE, "{clip}");
        assert!((ours - speech).abs() <= speech * WINDOWS_TOLERANCE, "{clip}: {ours} windows, {speech} listed");
        clips += 1;
    }
    assert!(clips >= 11, "only {clips} clips are listed");
}

#[test]
fn speech_begins_and_ends_where_whispers_own_detector_hears_it() {
    let Some(file) = shared("media/audio/jfk.wav") else { return };
    let mut listener = Listener::for_activity(activity(), &SpeechSettings::default());
    listener.push(&decode(&file)).unwrap();
    let heard = listener.finish().unwrap();
    assert!(heard.transcript.is_none());
    let runs: Vec<(f64, f64)> = heard.stretches.iter().flat_map(|stretch| stretch.speech.clone()).collect();
    let expected = [(0.32, 2.27), (3.27, 4.41), (5.38, 7.68), (8.16, 10.62)];
    assert_eq!(runs.len(), expected.len(), "{runs:?}");
    for (run, expected) in runs.iter().zip(expected) {
        let error = (run.0 - expected.0).abs().max((run.1 - expected.1).abs());
        assert!(error <= EDGE_TOLERANCE_S, "{run:?} {expected:?}");
    }
}

#[test]
fn the_size_of_the_pieces_changes_nothing() {
    let Some(file) = shared("media/audio/jfk.wav") else { return };
    let samples = decode(&file);
    let whole = activity().probabilities(&samples).unwrap();
    let mut stream = activity().stream();
    let mut pieces = Vec::new();
    for piece in samples.chunks(777) {
        pieces.extend(stream.push(piece).unwrap());
    }
    pieces.extend(stream.finish().unwrap());
    assert_eq!(pieces, whole.values);
}

#[test]
fn sound_that_is_not_a_number_does_not_spoil_what_follows() {
    let Some(file) = shared("media/audio/jfk.wav") else { return };
    let mut samples = vec![f32::NAN; 16_000];
    samples.extend(decode(&file));
    let probability = activity().probabilities(&samples).unwrap();
    assert!(probability.values.iter().filter(|p| **p >= 0.5).count() > 200);
}
