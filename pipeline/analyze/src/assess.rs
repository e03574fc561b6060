//! Extractions to an assessment under one bundle. No media is touched here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use hirenet_core::{
    Answer, AnswerResult, Assessment, ByModality, Code, Interview, Modality, Reason, Software, Span, Status, Track,
    TrackInfo,
};
use hirenet_language::Encoder;
use hirenet_model::{AnswerInput, Bundle, InterviewInput, Scored};

use crate::{AnalyzeError, AnswerTracks, Extraction, PolicySettings, allowed, write_tracks};

/// What is assessed: the final takes of an interview, and what may be computed of them.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// The interview.
    pub interview: &'a Interview,
    /// The final takes in order.
    pub answers: Vec<&'a Answer>,
    /// The modalities that the bundle asks for and consent allows.
    pub modalities: BTreeSet<Modality>,
    /// Reasons that concern the interview as a whole.
    pub reasons: Vec<Reason>,
}

impl<'a> Subject<'a> {
    /// Chooses the final takes, and of the `wanted` modalities those that consent and policy allow.
    #[must_use]
    pub fn new(interview: &'a Interview, wanted: &[Modality], policy: &PolicySettings) -> Self {
        let (modalities, mut reasons) = allowed(&interview.consent, policy, wanted);
        let (answers, superseded) = interview.final_takes();
        reasons.extend(superseded.into_iter().map(|id| Reason::new(Code::OlderTake).in_answer(id)));
        Subject { interview, answers, modalities, reasons }
    }
}

/// One answer with what was extracted of it.
#[derive(Debug)]
pub struct AnswerEvidence<'a> {
    /// The answer.
    pub answer: &'a Answer,
    /// Its extraction; of a failed answer only the reasons.
    pub extraction: Extraction,
}

/// A bundle and the source of its word vectors.
pub struct Assessor {
    bundle: Bundle,
    encoder: Encoder,
}

/// An assessment with the tracks that it was made from.
#[derive(Debug)]
pub struct Assessed {
    /// The assessment.
    pub assessment: Assessment,
    input: InterviewInput,
}

impl Assessor {
    /// An assessor. The bundle must have been loaded against the encoder's schemas.
    #[must_use]
    pub fn new(bundle: Bundle, encoder: Encoder) -> Self {
        Assessor { bundle, encoder }
    }

    /// The modalities that the bundle asks for: nothing else needs to be computed.
    #[must_use]
    pub fn modalities(&self) -> &[Modality] {
        self.bundle.modalities()
    }

    /// Assesses an interview. Without any evidence the assessment is refused and says why.
    ///
    /// # Errors
    /// Where the encoder or the bundle fails: its code says how.
    pub fn assess(
        &mut self,
        subject: &Subject<'_>,
        evidence: Vec<AnswerEvidence<'_>>,
        software: Software,
    ) -> Result<Assessed, AnalyzeError> {
        let mut timings = summed_timings(&evidence);
        let started = Instant::now();
        let mut reasons = subject.reasons.clone();
        let mut answers = Vec::with_capacity(evidence.len());
        let mut input = InterviewInput { title: self.encoder.context(&subject.interview.position.title)?, answers: vec![] };
        for AnswerEvidence { answer, extraction } in evidence {
            reasons.extend(extraction.reasons.iter().map(|reason| reason.clone().in_answer(&answer.id)));
            let answer_input = self.answer_input(answer, &extraction)?;
            answers.push(answer_result(answer, extraction, &answer_input.tracks));
            input.answers.push(answer_input);
        }
        timings.insert("language".to_owned(), started.elapsed().as_secs_f64());
        let started = Instant::now();
        let scored = self.bundle.score(&input)?;
        let mut spans = Vec::new();
        let mut score_range = None;
        if let Some(scored) = &scored {
            spans = self.bundle.spans(&input, scored)?;
            score_range = self.bundle.score_range(&input)?;
            for (result, attention) in answers.iter_mut().zip(&scored.attention) {
                result.attention.clone_from(attention);
            }
        }
        timings.insert("score".to_owned(), started.elapsed().as_secs_f64());
        note_spans(&mut reasons, scored.as_ref(), &spans);
        let assessment = Assessment {
            interview_id: subject.interview.interview_id.clone(),
            status: status(scored.as_ref(), &reasons),
            score: scored.as_ref().map(|s| s.score),
            score_range,
            scores: scored.as_ref().map(|s| s.scores.clone()).unwrap_or_default(),
            modality_weights: weights(scored.as_ref()),
            reasons,
            bundle: self.bundle.info().clone(),
            software,
            answers,
            spans,
            timings,
        };
        Ok(Assessed { assessment, input })
    }

    fn answer_input(&mut self, answer: &Answer, extraction: &Extraction) -> Result<AnswerInput, AnalyzeError> {
        let mut tracks = extraction.tracks.clone();
        let transcript = extraction.transcript.clone().filter(|t| !t.words.is_empty());
        let wants_words = self.bundle.modalities().contains(&Modality::Verbal);
        if let Some(transcript) = transcript.as_ref().filter(|_| wants_words) {
            tracks.set(Modality::Verbal, Some(self.encoder.verbal_track(transcript)?));
        }
        let question = self.encoder.context(&answer.question)?;
        Ok(AnswerInput { id: answer.id.clone(), duration_s: extraction.duration_s, question, tracks, transcript })
    }
}

impl Assessed {
    /// Writes `tracks/ANSWER.safetensors` of every answer that has a track into `folder`.
    ///
    /// # Errors
    /// [`AnalyzeError::Output`] where a file cannot be written.
    pub fn write_tracks(&self, folder: &Path) -> Result<(), AnalyzeError> {
        for answer in self.input.answers.iter().filter(|a| a.tracks.iter().next().is_some()) {
            let tracks = AnswerTracks {
                interview_id: &self.assessment.interview_id,
                answer: &answer.id,
                duration_s: answer.duration_s,
                tracks: &answer.tracks,
                transcript: answer.transcript.as_ref(),
                question: &answer.question,
                title: &self.input.title,
            };
            write_tracks(&folder.join(track_file(&answer.id)), &tracks)?;
        }
        Ok(())
    }
}

/// File of an answer's tracks, relative to the assessment.
fn track_file(answer: &str) -> String {
    format!("tracks/{answer}.safetensors")
}

fn answer_result(answer: &Answer, extraction: Extraction, tracks: &ByModality<Track>) -> AnswerResult {
    let mut infos = ByModality::default();
    for (modality, track) in tracks.iter() {
        let info = TrackInfo {
            rows: track.rows(),
            valid_rows: track.valid_rows(),
            schema: track.schema.id.clone(),
            file: track_file(&answer.id),
        };
        infos.set(modality, Some(info));
    }
    AnswerResult {
        id: answer.id.clone(),
        question: answer.question.clone(),
        duration_s: extraction.duration_s,
        media: answer.media.clone(),
        media_sha256: extraction.media_sha256,
        transcript: extraction.transcript,
        attention: ByModality::default(),
        tracks: infos,
    }
}

fn summed_timings(evidence: &[AnswerEvidence<'_>]) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for (stage, seconds) in evidence.iter().flat_map(|e| &e.extraction.timings) {
        *sums.entry((*stage).to_owned()).or_insert(0.0) += seconds;
    }
    sums
}

fn status(scored: Option<&Scored>, reasons: &[Reason]) -> Status {
    match scored {
        None => Status::Refused,
        Some(_) if reasons.iter().any(|r| r.code.makes_partial()) => Status::Partial,
        Some(_) => Status::Scored,
    }
}

fn weights(scored: Option<&Scored>) -> BTreeMap<Modality, f32> {
    let weight = |m| scored.and_then(|s| s.modality_weights.get(m).copied()).unwrap_or(0.0);
    Modality::ALL.into_iter().map(|m| (m, weight(m))).collect()
}

fn note_spans(reasons: &mut Vec<Reason>, scored: Option<&Scored>, spans: &[Span]) {
    match scored {
        None if !reasons.iter().any(|r| r.code.makes_partial()) => reasons.push(Reason::new(Code::NothingToScore)),
        Some(_) if spans.is_empty() => reasons.push(Reason::new(Code::NoSalientMoment)),
        _ => {}
    }
}

