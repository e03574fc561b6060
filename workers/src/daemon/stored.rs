//! From what is stored of an interview to its assessment: no media is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hirenet_analyze::{AnswerEvidence, Assessor, Extraction, Subject};
use hirenet_core::{Assessment, Code, Modality, Reason, Schema};
use hirenet_store::{ExtractOutcome, ScoreTask, StoredExtraction};

use crate::config::Config;
use crate::daemon::tracks;
use crate::failure::Failure;
use crate::setup::{self, Installation};

/// Stages whose time is kept with an extraction.
const TIMED: [&str; 5] = ["hash", "decode", "speech", "voice", "face"];

/// What an extraction keeps in the database.
pub(crate) fn outcome(extraction: Extraction, models: BTreeMap<String, String>) -> Result<ExtractOutcome, Failure> {
    let packed = extraction.tracks.iter().map(|(modality, track)| tracks::encode(modality, track));
    Ok(ExtractOutcome {
        tracks: packed.collect::<Result<_, Failure>>()?,
        duration_s: extraction.duration_s,
        media_sha256: extraction.media_sha256,
        transcript: extraction.transcript,
        reasons: extraction.reasons,
        timings: extraction.timings.into_iter().map(|(stage, seconds)| (stage.to_owned(), seconds)).collect(),
        models,
    })
}

/// Assesses an interview from what is stored of it, under the assessor's bundle.
///
/// What the bundle does not ask for is left out with its reasons: extraction computes every consented modality, and a
/// missing face is no gap to a bundle without a face.
pub(crate) fn assess(
    assessor: &mut Assessor,
    task: &ScoreTask,
    config: &Config,
    installation: &Installation<'_>,
    known: &[Arc<Schema>],
) -> Result<Assessment, Failure> {
    let wanted: BTreeSet<Modality> = assessor.modalities().into_iter().collect();
    let usable: BTreeSet<Modality> = wanted.intersection(&task.modalities).copied().collect();
    let concerns = |reason: &&Reason| reason.modality.is_none_or(|modality| wanted.contains(&modality));
    let mut reasons: Vec<Reason> = task.reasons.iter().filter(concerns).cloned().collect();
    let mut models = BTreeMap::new();
    let mut evidence = Vec::with_capacity(task.answers.len());
    for stored in &task.answers {
        models.extend(stored.extraction.outcome.models.clone());
        let mut extraction = extraction(&stored.extraction, &usable, known)?;
        extraction.reasons.retain(|reason| concerns(&reason));
        evidence.push(AnswerEvidence { answer: &stored.answer, extraction });
    }
    reasons.extend(models.get("speech").and_then(|sha256| installation.speech_note(sha256)));
    let subject = Subject {
        interview: &task.interview,
        answers: task.answers.iter().map(|stored| &stored.answer).collect(),
        modalities: usable,
        reasons,
    };
    Ok(assessor.assess(&subject, evidence, setup::software(config, models)?)?.assessment)
}

fn extraction(
    stored: &StoredExtraction,
    usable: &BTreeSet<Modality>,
    known: &[Arc<Schema>],
) -> Result<Extraction, Failure> {
    let outcome = &stored.outcome;
    let mut extraction = Extraction {
        duration_s: outcome.duration_s,
        media_sha256: outcome.media_sha256.clone(),
        transcript: outcome.transcript.clone().filter(|_| usable.contains(&Modality::Verbal)),
        reasons: outcome.reasons.clone(),
        ..Extraction::default()
    };
    for track in outcome.tracks.iter().filter(|track| usable.contains(&track.modality)) {
        extraction.tracks.set(track.modality, Some(tracks::decode(track, known)?));
    }
    extraction.reasons.extend(expired(stored, usable));
    let timed = TIMED.into_iter().filter_map(|stage| Some((stage, *outcome.timings.get(stage)?)));
    extraction.timings.extend(timed);
    Ok(extraction)
}

/// A reason for each modality of which nothing is stored though nothing was in its way: retention has taken it since.
fn expired(stored: &StoredExtraction, usable: &BTreeSet<Modality>) -> Vec<Reason> {
    if !stored.extracted {
        return Vec::new();
    }
    let outcome = &stored.outcome;
    let is_stored = |modality: Modality| match modality {
        Modality::Verbal => outcome.transcript.is_some(),
        _ => outcome.tracks.iter().any(|track| track.modality == modality),
    };
    let is_explained = |modality: Modality| {
        let concerns = |reason: &Reason| reason.modality.is_none_or(|m| m == modality);
        outcome.reasons.iter().any(|reason| reason.code.makes_partial() && concerns(reason))
    };
    let gone = usable.iter().filter(|modality| !is_stored(**modality) && !is_explained(**modality));
    gone.map(|modality| Reason::new(Code::EvidenceExpired).of(*modality)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_retention_has_taken_is_told() {
        let usable = BTreeSet::from([Modality::Verbal, Modality::Vocal]);
        let mut stored = StoredExtraction { extracted: true, ..StoredExtraction::default() };
        let told = |stored: &StoredExtraction| {
            expired(stored, &usable).into_iter().map(|r| (r.code, r.modality)).collect::<Vec<_>>()
        };
        let [words, voice] = [Modality::Verbal, Modality::Vocal].map(|m| (Code::EvidenceExpired, Some(m)));
        assert_eq!(told(&stored), [words, voice]);
        // What was never there has a reason of its own.
        stored.outcome.reasons.push(Reason::new(Code::NoSpeech).of(Modality::Verbal));
        assert_eq!(told(&stored), [voice]);
        stored.outcome.reasons.push(Reason::new(Code::NoAudio));
        assert_eq!(told(&stored), []);
        assert_eq!(told(&StoredExtraction::default()), [], "an answer that was given up says so by itself");
    }
}
