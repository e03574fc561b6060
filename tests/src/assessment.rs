//! An invented assessment with every kind of evidence and every kind of gap, for the tests of what reads one.

use hirenet_core::{
    AnswerAttention, AnswerResult, Assessment, BundleInfo, BundleKind, ByModality, Code, Modality, Reason, Segment,
    Software, Source, Span, Status, TrackInfo, Transcript, Word, window_count,
};

/// What the first answer says; one segment a line.
const SENTENCES: [&str; 4] = [
    "In my last job I looked after forty regular customers in a small hardware shop.",
    "One of them came back angry because a drill had failed on the second day.",
    "I listened first, checked the machine with him, and we found a broken switch.",
    "He left with a new drill and he still asks for me when he comes in.",
];
/// Seconds from one word to the next, and the part of it that is spoken.
const WORD_PACE_S: (f64, f64) = (0.19, 0.16);

/// A partial assessment of three answers: the first whole, the second without a face, the third not readable.
#[must_use]
pub fn partial() -> Assessment {
    let reasons = vec![
        Reason::new(Code::NoVideo).in_answer("a2").of(Modality::Visual),
        Reason::new(Code::NotMedia).in_answer("a3"),
        Reason::new(Code::FaceLost).in_answer("a1").of(Modality::Visual).detail("Out of sight for 1.2 s of 12.0 s."),
        Reason::new(Code::DemoSpeechModel).of(Modality::Verbal),
    ];
    Assessment {
        interview_id: "i-2041".to_owned(),
        status: Status::Partial,
        score: Some(0.62),
        score_range: Some([0.55, 0.71]),
        scores: ByModality { verbal: Some(0.66), vocal: Some(0.58), visual: Some(0.49) },
        modality_weights: Modality::ALL.into_iter().zip([0.52, 0.31, 0.17]).collect(),
        reasons,
        bundle: BundleInfo {
            name: "hirenet".to_owned(),
            version: "0.1".to_owned(),
            kind: BundleKind::Untrained,
            sha256: "5a".repeat(32),
        },
        software: Software {
            name: "hirenet".to_owned(),
            version: "0.1.0".to_owned(),
            models: [("speech", "1b"), ("vad", "2c")].map(|(role, byte)| (role.to_owned(), byte.repeat(32))).into(),
            settings_sha256: "3d".repeat(32),
        },
        answers: vec![whole_answer(), faceless_answer(), failed_answer()],
        spans: spans(),
        timings: [("extract", 3.25), ("score", 0.5)].map(|(stage, s)| (stage.to_owned(), s)).into(),
    }
}

/// The same interview with nothing missing.
#[must_use]
pub fn scored() -> Assessment {
    let mut assessment = partial();
    assessment.status = Status::Scored;
    assessment.reasons.clear();
    assessment.answers.truncate(1);
    assessment.spans.retain(|span| span.answer == "a1");
    assessment.score_range = None;
    assessment
}

/// A refusal: no score, no evidence, only reasons.
#[must_use]
pub fn refused() -> Assessment {
    let mut assessment = partial();
    assessment.status = Status::Refused;
    assessment.answers = vec![failed_answer()];
    assessment.reasons = vec![Reason::new(Code::NotMedia).in_answer("a3"), Reason::new(Code::NothingToScore)];
    assessment.spans.clear();
    (assessment.score, assessment.score_range, assessment.scores) = (None, None, ByModality::default());
    assessment.modality_weights = Modality::ALL.into_iter().map(|modality| (modality, 0.0)).collect();
    assessment
}

fn whole_answer() -> AnswerResult {
    let duration = 12.0;
    let words = words();
    let windows = window_count(duration);
    AnswerResult {
        id: "a1".to_owned(),
        question: "Tell us about a time when you helped a difficult customer.".to_owned(),
        duration_s: Some(duration),
        media: "a1.webm".to_owned(),
        media_sha256: None,
        attention: ByModality {
            verbal: Some(attention(0.7, words.len(), &[27, 44])),
            vocal: Some(attention(0.55, windows, &[14, 30])),
            visual: Some(attention(1.0, windows, &[8])),
        },
        tracks: ByModality {
            verbal: Some(track("a1", "verbal/hash256/1", words.len())),
            vocal: Some(track("a1", "vocal/lld51/1", windows)),
            visual: Some(track("a1", "visual/face/1", windows)),
        },
        transcript: Some(Transcript {
            language: Some("en".to_owned()),
            source: Source::Recognised,
            segments: segments(&words),
            words,
        }),
    }
}

fn faceless_answer() -> AnswerResult {
    let windows = window_count(8.0);
    let text = "Because I like to work with people";
    let words: Vec<Word> =
        text.split(' ').map(|word| Word { text: word.to_owned(), start: None, end: None, confidence: None }).collect();
    let last = words.len() - 1;
    let segment = Segment { start: None, end: None, word_first: 0, word_last: last, text: text.to_owned() };
    AnswerResult {
        id: "a2".to_owned(),
        question: "Why do you want to work here?".to_owned(),
        duration_s: Some(8.0),
        media: "a2.wav".to_owned(),
        media_sha256: None,
        attention: ByModality {
            verbal: Some(attention(0.3, words.len(), &[5])),
            vocal: Some(attention(0.45, windows, &[20])),
            visual: None,
        },
        tracks: ByModality {
            verbal: Some(track("a2", "verbal/hash256/1", words.len())),
            vocal: Some(track("a2", "vocal/lld51/1", windows)),
            visual: None,
        },
        transcript: Some(Transcript { language: None, source: Source::Given, segments: vec![segment], words }),
    }
}

fn failed_answer() -> AnswerResult {
    AnswerResult {
        id: "a3".to_owned(),
        question: "Which hours can you work?".to_owned(),
        duration_s: None,
        media: "a3.mp4".to_owned(),
        media_sha256: None,
        transcript: None,
        attention: ByModality { verbal: None, vocal: None, visual: None },
        tracks: ByModality { verbal: None, vocal: None, visual: None },
    }
}

fn words() -> Vec<Word> {
    let text = SENTENCES.join(" ");
    let word = |(k, text): (usize, &str)| {
        let start = 0.3 + k as f64 * WORD_PACE_S.0;
        // One word in nine is uncertain.
        let confidence = if k % 9 == 4 { 0.37 } else { 0.93 };
        let end = start + WORD_PACE_S.1;
        Word { text: text.to_owned(), start: Some(start), end: Some(end), confidence: Some(confidence) }
    };
    text.split(' ').enumerate().map(word).collect()
}

fn segments(words: &[Word]) -> Vec<Segment> {
    let mut first = 0;
    SENTENCES
        .iter()
        .map(|text| {
            let last = first + text.split(' ').count() - 1;
            let (start, end) = (words[first].start, words[last].end);
            let segment = Segment { start, end, word_first: first, word_last: last, text: (*text).to_owned() };
            first = last + 1;
            segment
        })
        .collect()
}

/// Attention with a hill around each of `peaks`.
fn attention(answer: f32, rows: usize, peaks: &[usize]) -> AnswerAttention {
    let height = |row: usize| -> f32 {
        let hill = |peak: &usize| 4.0 * (-(row.abs_diff(*peak) as f32).powi(2) / 4.0).exp();
        1.0 + peaks.iter().map(hill).sum::<f32>()
    };
    let total: f32 = (0..rows).map(height).sum();
    AnswerAttention { answer, rows: (0..rows).map(|row| height(row) / total).collect() }
}

fn track(answer: &str, schema: &str, rows: usize) -> TrackInfo {
    TrackInfo { rows, valid_rows: rows, schema: schema.to_owned(), file: format!("tracks/{answer}.safetensors") }
}

fn spans() -> Vec<Span> {
    let span = |answer: &str, modality, times: Option<(f64, f64)>, words: Option<(usize, usize)>, text: &str| Span {
        answer: answer.to_owned(),
        modality,
        start: times.map(|t| t.0),
        end: times.map(|t| t.1),
        word_first: words.map(|w| w.0),
        word_last: words.map(|w| w.1),
        weight: 0.12,
        influence: 0.21,
        text: text.to_owned(),
    };
    let mut spans = vec![
        span("a1", Modality::Verbal, Some((4.55, 6.47)), Some((25, 29)), "failed on the second day."),
        span("a1", Modality::Vocal, Some((3.0, 4.75)), Some((15, 22)), "One of them came back angry because a"),
        span("a1", Modality::Visual, Some((1.25, 3.0)), None, ""),
        span("a2", Modality::Verbal, None, Some((4, 6)), "work with people"),
        span("a2", Modality::Vocal, Some((4.5, 6.0)), None, ""),
    ];
    for (k, span) in spans.iter_mut().enumerate() {
        span.weight = 0.24 - 0.04 * k as f32;
        span.influence = [0.31, -0.12, 0.08, 0.0, -0.4][k];
    }
    spans
}
