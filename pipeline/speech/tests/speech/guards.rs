use hirenet_core::Code;
use hirenet_speech::{Heard, SpeechSettings};
use hirenet_tests::shared;

use crate::support::{hear, speak, text, word_errors};

const SENTENCE: &str = "I talked to everyone every morning and made a simple plan.";
const MINUTE: usize = 60 * 16_000;

fn sentence() -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    crate::support::decode(&speak("en-gb", SENTENCE, folder.path()))
}

fn codes(heard: &Heard) -> Vec<Code> {
    heard.reasons.iter().map(|reason| reason.code).collect()
}

fn with(change: impl FnOnce(&mut SpeechSettings)) -> SpeechSettings {
    let mut settings = SpeechSettings::default();
    change(&mut settings);
    settings
}

/// Noise from a linear congruential generator (the constants of Numerical Recipes): the same on every machine.
fn noise(amplitude: f32) -> impl Iterator<Item = f32> {
    let mut state = 1_u32;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        amplitude * (state as f32 / u32::MAX as f32 * 2.0 - 1.0)
    })
}

#[test]
fn a_minute_without_speech_gives_no_words() {
    let tones = |k: usize| {
        let t = k as f32 / 16_000.0;
        // A chord that changes every half second, with its octaves, fading like a struck string.
        let note = [220.0, 261.6, 329.6, 392.0][(t * 2.0) as usize % 4];
        let fade = 0.3 * (-3.0 * (t % 0.5)).exp();
        [1.0, 1.5, 2.0].iter().map(|ratio| fade * (std::f32::consts::TAU * note * ratio * t).sin()).sum()
    };
    let sounds: [(&str, Vec<f32>); 5] = [
        ("silence", vec![0.0; MINUTE]),
        ("loud noise", noise(0.3).take(MINUTE).collect()),
        ("soft noise", noise(0.003).take(MINUTE).collect()),
        ("tones", (0..MINUTE).map(tones).collect()),
        ("muted", noise(0.0001).take(MINUTE).map(|s| (s * 32_768.0).round() / 32_768.0).collect()),
    ];
    for (name, samples) in sounds {
        let heard = hear(&samples, &SpeechSettings::default());
        assert_eq!(text(&heard), "", "{name}");
        assert!(codes(&heard).contains(&Code::NoSpeech), "{name}: {:?}", codes(&heard));
    }
}

#[test]
fn no_sound_at_all_is_no_speech() {
    assert_eq!(codes(&hear(&[], &SpeechSettings::default())), [Code::NoSpeech]);
}

#[test]
fn very_quiet_speech_is_raised_and_says_so() {
    // Speech at -60 dBFS after half a second of silence.
    let mut quiet = vec![0.0; 8_000];
    quiet.extend(sentence().iter().map(|s| s * 0.01));
    let heard = hear(&quiet, &SpeechSettings::default());
    assert!(codes(&heard).contains(&Code::SoundQuiet));
    assert_eq!(word_errors(SENTENCE, &text(&heard)), 0, "{}", text(&heard));
    assert!(!codes(&hear(&sentence(), &SpeechSettings::default())).contains(&Code::SoundQuiet));
}

#[test]
fn a_recording_whose_speech_is_barely_there_is_raised() {
    let Some(file) = shared("media/audio/fleurs-en-006.ogg") else { return };
    let heard = hear(&crate::support::decode(&file), &SpeechSettings::default());
    assert!(!heard.stretches.is_empty(), "its speech is heard");
    assert!(codes(&heard).contains(&Code::SoundQuiet), "{:?}", codes(&heard));
}

#[test]
fn clipping_is_a_reason() {
    let clipped: Vec<f32> = sentence().iter().map(|s| (s * 12.0).clamp(-1.0, 1.0)).collect();
    assert!(codes(&hear(&clipped, &SpeechSettings::default())).contains(&Code::SoundClipped));
    assert!(!codes(&hear(&sentence(), &SpeechSettings::default())).contains(&Code::SoundClipped));
}

#[test]
fn a_phrase_spoken_over_and_over_collapses_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let phrase = "I like to solve hard problems. ";
    let samples = crate::support::decode(&speak("en-gb", &phrase.repeat(4), folder.path()));
    let heard = hear(&samples, &SpeechSettings::default());
    assert!(codes(&heard).contains(&Code::TextLooped), "{}", text(&heard));
    assert_eq!(word_errors(phrase, &text(&heard)), 0, "{}", text(&heard));
    let unguarded = with(|s| (s.loop_phrase_repeats, s.loop_word_repeats) = (99, 99));
    assert!(text(&hear(&samples, &unguarded)).len() > 3 * phrase.len());
}

#[test]
fn a_stretch_that_is_no_speech_to_the_model_is_dropped() {
    // Every stretch is below this log-probability, so that the no-speech probability alone decides.
    let asked =
        |threshold| with(|s| (s.logprob_threshold, s.temperature_step, s.no_speech_threshold) = (0.0, 0.0, threshold));
    let heard = hear(&sentence(), &asked(0.0));
    assert_eq!(text(&heard), "");
    assert!(codes(&heard).contains(&Code::SpeechUnintelligible));
    assert_eq!(word_errors(SENTENCE, &text(&hear(&sentence(), &asked(0.9)))), 0);
}

#[test]
fn the_fallback_follows_its_thresholds_and_is_deterministic() {
    let samples = sentence();
    let never = with(|s| s.temperature_step = 0.0);
    // At a temperature of 0.7 even the same words have other probabilities.
    let always = with(|s| (s.temperature_step, s.logprob_threshold, s.no_speech_threshold) = (0.7, 0.0, 1.0));
    let (greedy, sampled) = (hear(&samples, &never), hear(&samples, &always));
    assert_ne!(greedy.transcript, sampled.transcript);
    assert_eq!(sampled.transcript, hear(&samples, &always).transcript);
    assert_eq!(greedy.transcript, hear(&samples, &never).transcript);
}

#[test]
fn too_little_entropy_is_tried_again_at_a_higher_temperature() {
    let folder = tempfile::tempdir().unwrap();
    // More than the 32 tokens whose entropy is looked at; its log-probability alone asks for nothing.
    let text = "I like to solve hard problems. ".repeat(7);
    let samples = crate::support::decode(&speak("en-gb", &text, folder.path()));
    let below = |entropy| {
        with(|s| {
            (s.temperature_step, s.logprob_threshold, s.entropy_threshold) = (0.7, -100.0, entropy);
            (s.loop_phrase_repeats, s.loop_word_repeats) = (99, 99);
        })
    };
    let confidences = |entropy| {
        let heard = hear(&samples, &below(entropy));
        heard.transcript.unwrap().words.iter().map(|word| word.confidence).collect::<Vec<_>>()
    };
    assert_ne!(confidences(0.0), confidences(100.0));
}

#[test]
fn tokens_that_are_no_speech_are_not_sampled() {
    // Real speech, of which the demo model is unsure, at a temperature at which it says other things as well.
    let Some(clip) = shared("media/en_grid_natural_6s.mp4") else { return };
    let samples = crate::support::decode(&clip);
    let sampled = |suppress_non_speech| {
        let settings = with(|s| {
            (s.temperature_step, s.logprob_threshold, s.no_speech_threshold) = (0.9, 0.0, 1.0);
            s.suppress_non_speech = suppress_non_speech;
        });
        text(&hear(&samples, &settings))
    };
    let guarded = sampled(true);
    assert!(!guarded.is_empty() && !guarded.contains(|c: char| "\"#+/:;<=>@\\^_`|~".contains(c)), "{guarded}");
    assert_ne!(guarded, sampled(false));
}

#[test]
fn tokens_are_limited() {
    let heard = hear(&sentence(), &with(|s| s.max_tokens = 4));
    assert!(heard.transcript.unwrap().words.len() <= 5);
}

#[test]
fn unsure_words_are_a_reason() {
    let heard = hear(&sentence(), &with(|s| s.low_confidence = 1.1));
    assert!(codes(&heard).contains(&Code::LowConfidence));
    assert!(!codes(&hear(&sentence(), &SpeechSettings::default())).contains(&Code::LowConfidence));
}
