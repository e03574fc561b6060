//! What takes the place of the extractors where `work.stand_in` is set, for recordings that begin with [`MARK`]: for
//! tests of everything around them.
//!
//! Tracks come from a hash of the recording's content, in microseconds, and the score from the recordings' hashes.
//! Every result says so: `software.models` has only `stand_in`, and `stand_in` is among its reasons. The word after
//! the mark can make the stand-in fail in a way of [`Act`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use hirenet_analyze::{Extraction, Observer, Task};
use hirenet_core::{
    AnswerResult, Assessment, BundleInfo, ByModality, Code, Modality, Reason, Segment, Software, Source, Status, Track,
    Transcript, Word, sha256_bytes, visual_face, vocal_lld51, window_count,
};
use hirenet_store::{ScoreTask, StoredAnswer};
use ndarray::Array2;

use crate::daemon::extractors::{Extracted, Points};
use crate::failure::Failure;

/// What a recording for the stand-in begins with.
const MARK: &[u8] = b"hirenet stand-in";
/// The stand-in's role among the models.
const ROLE: &str = "stand_in";
/// Bytes after the mark that may tell the stand-in to fail.
const WORDS: usize = 64;
/// Length of what the stand-in makes of any recording, in seconds.
const DURATION_S: f64 = 5.0;

/// How the stand-in can be told to fail, by the word after the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The process dies as by a fault of native code.
    Abort,
    /// The thread panics.
    Panic,
    /// An error of an unknown kind.
    Unknown,
    /// An error of the recording.
    Faulty,
    /// A passing error: the disk is full.
    Full,
    /// A network gives numbers that are not finite.
    NotFinite,
    /// It takes this many milliseconds.
    Slow(u64),
    /// It fails in no way.
    Work,
}

/// What the stand-in is to do with a recording; `None` where it is none of its own.
pub(crate) fn act(media: &Path) -> Option<Act> {
    let mut start = Vec::new();
    File::open(media).ok()?.take((MARK.len() + WORDS) as u64).read_to_end(&mut start).ok()?;
    let text = String::from_utf8_lossy(start.strip_prefix(MARK)?).into_owned();
    let mut words = text.split_whitespace();
    Some(match words.next() {
        Some("abort") => Act::Abort,
        Some("panic") => Act::Panic,
        Some("unknown") => Act::Unknown,
        Some("faulty") => Act::Faulty,
        Some("full") => Act::Full,
        Some("nan") => Act::NotFinite,
        Some("slow") => Act::Slow(words.next().and_then(|ms| ms.parse().ok()).unwrap_or(0)),
        _ => Act::Work,
    })
}

/// True where every recording of an interview that could be used was a stand-in's.
pub(crate) fn made(task: &ScoreTask) -> bool {
    let mut models =
        task.answers.iter().map(|answer| &answer.extraction.outcome.models).filter(|m| !m.is_empty()).peekable();
    models.peek().is_some() && models.all(|models| models.contains_key(ROLE))
}

/// Stands in for an extraction.
pub(crate) fn extract(act: Act, task: &Task<'_>, media_sha256: &str) -> Result<Extracted, Failure> {
    Points.opened(Some(DURATION_S));
    match act {
        Act::Abort => std::process::abort(),
        Act::Panic => panic!("told to"),
        Act::Unknown => return Err(Failure::new(Code::ModelFailed, "told to")),
        Act::Full => return Err(Failure::new(Code::ResourceExhausted, "told to")),
        Act::Faulty => {
            let extraction = Extraction::failed(Code::DecodeFailed, Code::DecodeFailed.meaning());
            return Ok(Extracted { extraction, models: models() });
        }
        Act::Slow(ms) => std::thread::sleep(Duration::from_millis(ms)),
        Act::NotFinite | Act::Work => {}
    }
    Points.finishing("standing in");
    let mut seed = u64::from_str_radix(&media_sha256[..16], 16).unwrap_or_default();
    let mut extraction = Extraction {
        duration_s: Some(DURATION_S),
        media_sha256: Some(media_sha256.to_owned()),
        reasons: vec![Reason::new(Code::StandIn)],
        ..Extraction::default()
    };
    for (modality, schema) in [(Modality::Vocal, vocal_lld51()), (Modality::Visual, visual_face())] {
        if task.modalities.contains(&modality) {
            let rows = window_count(DURATION_S);
            // The same number in all columns: a stage that costs next to nothing also writes next to nothing.
            let numbers: Vec<f32> = (0..rows).map(|_| unit(&mut seed)).collect();
            let mut values = Array2::from_shape_fn((rows, schema.dim()), |(row, _)| numbers[row]);
            if act == Act::NotFinite {
                values[[0, 0]] = f32::NAN;
            }
            extraction.tracks.set(modality, Some(Track { schema, values, valid: vec![true; rows] }));
        }
    }
    if task.modalities.contains(&Modality::Verbal) {
        extraction.transcript = Some(transcript(&mut seed));
    }
    Ok(Extracted { extraction, models: models() })
}

fn models() -> BTreeMap<String, String> {
    BTreeMap::from([(ROLE.to_owned(), sha256_bytes(MARK))])
}

/// The next number of a splitmix64 sequence, in 0..1.
fn unit(seed: &mut u64) -> f32 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
}

fn transcript(seed: &mut u64) -> Transcript {
    let word = |k: usize| {
        let start = k as f64 * 0.5;
        let text = format!("word{}", (unit(seed) * 1000.0) as u32);
        Word { text, start: Some(start), end: Some(start + 0.4), confidence: Some(1.0) }
    };
    let words: Vec<Word> = (0..8).map(word).collect();
    let mut transcript = Transcript { language: None, source: Source::Recognised, segments: Vec::new(), words };
    let text = transcript.text();
    let last = transcript.words.len() - 1;
    transcript.segments.push(Segment { start: Some(0.0), end: Some(3.9), word_first: 0, word_last: last, text });
    transcript
}

/// Stands in for an assessment under a bundle that was not run.
pub(crate) fn assess(task: &ScoreTask, bundle: &BundleInfo, software: Software) -> Assessment {
    let mut reasons = task.reasons.clone();
    for answer in &task.answers {
        let of_answer = answer.extraction.outcome.reasons.iter();
        reasons.extend(of_answer.map(|reason| reason.clone().in_answer(&answer.answer.id)));
    }
    let has_evidence = task
        .answers
        .iter()
        .any(|answer| answer.extraction.outcome.transcript.is_some() || !answer.extraction.outcome.tracks.is_empty());
    let mut seed =
        task.answers.iter().filter_map(|a| a.extraction.outcome.media_sha256.as_deref()).fold(7_u64, |seed, sha256| {
            seed.rotate_left(5) ^ u64::from_str_radix(&sha256[..16], 16).unwrap_or_default()
        });
    let score = has_evidence.then(|| f64::from(unit(&mut seed)));
    let status = match score {
        None => Status::Refused,
        Some(_) if reasons.iter().any(|r| r.code.makes_partial()) => Status::Partial,
        Some(_) => Status::Scored,
    };
    let mut scores = ByModality::default();
    for modality in &task.modalities {
        scores.set(*modality, score);
    }
    let weight = if task.modalities.is_empty() { 0.0 } else { 1.0 / task.modalities.len() as f32 };
    let weights = Modality::ALL.map(|m| (m, if task.modalities.contains(&m) { weight } else { 0.0 }));
    Assessment {
        interview_id: task.interview.interview_id.clone(),
        status,
        score,
        score_range: None,
        scores,
        modality_weights: weights.into(),
        reasons,
        bundle: bundle.clone(),
        software,
        answers: task.answers.iter().map(answer_result).collect(),
        spans: Vec::new(),
        timings: BTreeMap::new(),
    }
}

fn answer_result(stored: &StoredAnswer) -> AnswerResult {
    let outcome = &stored.extraction.outcome;
    AnswerResult {
        id: stored.answer.id.clone(),
        question: stored.answer.question.clone(),
        duration_s: outcome.duration_s,
        media: stored.answer.media.clone(),
        media_sha256: outcome.media_sha256.clone(),
        transcript: outcome.transcript.clone(),
        attention: ByModality::default(),
        tracks: ByModality::default(),
    }
}
