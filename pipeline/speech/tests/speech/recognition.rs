use hirenet_core::{Code, Modality, Source, Transcript};
use hirenet_speech::{Heard, Listener, SpeechSettings, Stretch};
use hirenet_tests::shared;

use crate::support::{activity, code_aac, decode, hear, plain_words, recogniser, speak, text, word_errors};

/// Points of word error rate that our path may add to whisper.cpp on the same files.
const ADDED_POINTS: f64 = 3.0;
/// Median absolute error of word starts in single sentences, in seconds.
const WORD_START_ERROR_S: f64 = 0.16;
/// Times are rounded to hundredths.
const ROUNDING_S: f64 = 0.011;
/// Longest shift of a sentence's first word in a whole answer, in seconds.
const SENTENCE_START_ERROR_S: f64 = 0.15;

const ANSWERS: [&str; 3] = [
    "Last year I worked in a team of five people. We had to build a new website in three months. I talked to everyone every morning and made a simple plan. In the end, we finished two weeks early and the client was happy.",
    "Two people in my team did not agree about the design. I listened to both of them and asked some questions. Then we looked at the facts and found a solution together. I learned that it is important to stay calm and to listen.",
    "I like to solve hard problems and to learn new things. It makes me happy when a customer says thank you. I also enjoy teaching young people in my team. In five years, I would like to lead a larger project.",
];

/// Every word has times, times never run backwards, and no word leaves its segment, nor the sound that it was heard in.
fn assert_honest_times(heard: &Heard) {
    let transcript = heard.transcript.as_ref().unwrap();
    let mut last = 0.0;
    for segment in &transcript.segments {
        let words = &transcript.words[segment.word_first..=segment.word_last];
        let times: Vec<(f64, f64)> = words.iter().filter_map(|w| w.start.zip(w.end)).collect();
        assert_eq!(times.len(), words.len());
        assert_eq!((segment.start, segment.end), (Some(times[0].0), times.last().map(|t| t.1)));
        for (start, end) in times {
            assert!(last <= start && start <= end, "{} runs backwards", segment.text);
            let inside = |sound: &Stretch| sound.start - ROUNDING_S <= start && end <= sound.end + ROUNDING_S;
            assert!(heard.stretches.iter().any(inside), "{}: {start} to {end} is in no sound", segment.text);
            last = end;
        }
    }
}

#[test]
fn answers_of_the_sample_interview_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    for answer in ANSWERS {
        let heard = hear(&decode(&code_aac(&speak("en-gb", answer, folder.path()))), &SpeechSettings::default());
        let transcript = heard.transcript.clone().unwrap();
        assert_eq!(word_errors(answer, &transcript.text()), 0, "{}", transcript.text());
        assert_eq!(transcript.segments.len(), 4);
        assert_eq!(transcript.language.as_deref(), Some("en"));
        assert!(transcript.words.iter().all(|w| w.confidence.is_some_and(|p| (0.0..=1.0).contains(&p))));
        assert_honest_times(&heard);
    }
}

#[test]
fn a_sentence_begins_where_its_speech_begins() {
    let folder = tempfile::tempdir().unwrap();
    let heard = hear(&decode(&speak("en-gb", ANSWERS[0], folder.path())), &SpeechSettings::default());
    // Word events of espeak-ng 1.51.
    let expected = [0.0, 2.47, 5.18, 8.62];
    let transcript = heard.transcript.unwrap();
    for (segment, expected) in transcript.segments.iter().zip(expected) {
        let start = segment.start.unwrap();
        assert!((start - expected).abs() <= SENTENCE_START_ERROR_S, "{}: {start}, spoken at {expected}", segment.text);
    }
}

#[test]
fn word_starts_are_those_of_the_synthesiser() {
    let truth: serde_json::Value = serde_json::from_str(include_str!("../data/word_times.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut errors = Vec::new();
    let mut words = 0;
    for sentence in truth.as_array().unwrap() {
        let spoken = speak(sentence["voice"].as_str().unwrap(), sentence["text"].as_str().unwrap(), folder.path());
        let heard = hear(&decode(&spoken), &SpeechSettings::default());
        assert_honest_times(&heard);
        let transcript = heard.transcript.unwrap();
        let mut rest = transcript.words.iter();
        for word in sentence["words"].as_array().unwrap() {
            words += 1;
            let (text, start) = (plain_words(word[0].as_str().unwrap()), word[1].as_f64().unwrap());
            let mut ahead = rest.clone();
            if let Some(found) = ahead.by_ref().take(3).find(|w| plain_words(&w.text) == text) {
                errors.push((found.start.unwrap() - start).abs());
                while rest.len() > ahead.len() {
                    rest.next();
                }
            }
        }
    }
    assert!(errors.len() * 10 >= words * 8, "only {} of {words} words were recognised", errors.len());
    errors.sort_by(f64::total_cmp);
    let median = errors[errors.len() / 2];
    assert!(median <= WORD_START_ERROR_S, "median error {median} s");
}

#[test]
fn our_path_costs_few_word_errors_against_whisper_alone() {
    let Some(list) = shared("media/demo-voice/list.csv") else { return };
    let (mut ours, mut direct, mut words) = (0, 0, 0);
    for row in csv::Reader::from_path(list).unwrap().records().map(Result::unwrap).step_by(3) {
        let Some(file) = shared(&format!("media/demo-voice/{}", &row[0])) else { return };
        let heard = hear(&decode(&file), &SpeechSettings::default());
        words += plain_words(&row[3]).len();
        ours += word_errors(&row[3], &text(&heard));
        direct += word_errors(&row[3], &row[4]);
    }
    let points = 100.0 * (ours as f64 - direct as f64) / words as f64;
    assert!(points <= ADDED_POINTS, "{points} points: {ours} errors against {direct} in {words} words");
}

#[test]
fn the_size_of_the_pieces_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let samples = decode(&speak("en-gb", ANSWERS[2], folder.path()));
    let settings = SpeechSettings::default();
    let mut listener = Listener::for_words(activity(), &recogniser(&settings), Some("en")).unwrap();
    for piece in samples.chunks(1_001) {
        listener.push(piece).unwrap();
    }
    assert_eq!(listener.finish().unwrap(), hear(&samples, &settings));
}

#[test]
fn a_language_that_the_model_does_not_know_gives_no_words_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let samples = decode(&speak("fr", "J'ai travaillé trois ans dans une petite équipe.", folder.path()));
    let english = recogniser(&SpeechSettings::default()).only("en").unwrap();
    let listen_in = |language, samples: &[f32]| {
        let mut listener = Listener::for_words(activity(), &english, Some(language)).unwrap();
        listener.push(samples).unwrap();
        listener.finish().unwrap()
    };
    let listen = |samples: &[f32]| listen_in("fr", samples);
    let heard = listen(&samples);
    assert!(!heard.stretches.is_empty(), "speech is heard all the same");
    assert_eq!(heard.transcript, Some(Transcript::empty(Source::Recognised, Some("fr".to_owned()))));
    let reasons: Vec<_> = heard.reasons.iter().map(|reason| (reason.code, reason.modality)).collect();
    assert_eq!(reasons, [(Code::LanguageUnsupported, Some(Modality::Verbal))]);
    assert!(heard.reasons[0].detail.contains("`fr`"), "{}", heard.reasons[0].detail);
    assert_eq!(listen(&vec![0.0; 16_000]).reasons[0].code, Code::NoSpeech);
    let nobodys = listen_in("xx", &samples);
    assert_eq!(nobodys.transcript, Some(Transcript::empty(Source::Recognised, Some("xx".to_owned()))));
    assert_eq!(nobodys.reasons[0].code, Code::LanguageUnsupported);
}

#[test]
fn the_language_is_detected_once_or_known() {
    let folder = tempfile::tempdir().unwrap();
    let samples = decode(&speak("en-gb", ANSWERS[0], folder.path()));
    let any = recogniser(&SpeechSettings::default());
    let listen = |recogniser, language| {
        let mut listener = Listener::for_words(activity(), recogniser, language).unwrap();
        listener.push(&samples).unwrap();
        listener.finish().unwrap()
    };
    let heard = listen(&any, None);
    let detected = heard.detected.unwrap();
    assert!((0.0..=1.0).contains(&detected.probability));
    assert_eq!(heard.transcript.unwrap().language.as_deref(), Some(detected.language));
    let english = any.clone().only("en").unwrap();
    let heard = listen(&english, None);
    assert_eq!(heard.detected, None);
    assert_eq!(heard.transcript.unwrap().language.as_deref(), Some("en"));
    let heard = listen(&any, Some("xx"));
    assert_eq!(heard.reasons[0].code, Code::LanguageUnsupported, "no model knows it");
}
