//! Extractions to an assessment under one bundle. No media is touched here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use hirenet_core::{
    Answer, AnswerResult, Assessment, ByModality, Code, Interview, Modality, Reason, Software, Span, Status, Track,
    TrackInfo,
};
use hirenet_language::Encoder;
use hirenet_model::{AnswerTimes, AnswerTracks, Bundle, BundleError, InterviewTracks, Scored};

use crate::{AnalyzeError, Extraction, PolicySettings, TrackFile, allowed};

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
    tracks: InterviewTracks,
}

impl Assessor {
    /// An assessor. The bundle must have been loaded against the encoder's schemas.
    #[must_use]
    pub fn new(bundle: Bundle, encoder: Encoder) -> Self {
        Assessor { bundle, encoder }
    }

    /// The modalities that the bundle asks for: nothing else needs to be computed.
    #[must_use]
    pub fn modalities(&self) -> Vec<Modality> {
        self.bundle.modalities().collect()
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
        let title = self.encoder.context(&subject.interview.position.title)?;
        let mut tracks = InterviewTracks { title, answers: Vec::with_capacity(evidence.len()) };
        for AnswerEvidence { answer, extraction } in evidence {
            reasons.extend(extraction.reasons.iter().map(|reason| reason.clone().in_answer(&answer.id)));
            let answer_tracks = self.answer_tracks(answer, &extraction)?;
            reasons.extend(words_without_content(&answer_tracks));
            answers.push(answer_result(answer, extraction, &answer_tracks.tracks));
            tracks.answers.push(answer_tracks);
        }
        timings.insert("language".to_owned(), started.elapsed().as_secs_f64());
        let started = Instant::now();
        let scored = match self.bundle.score(&tracks) {
            Err(BundleError::NothingToScore) => None,
            other => Some(other?),
        };
        let (spans, score_range) = match &scored {
            Some(scored) => self.explain(&tracks, scored, &mut answers)?,
            None => (Vec::new(), None),
        };
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
        Ok(Assessed { assessment, tracks })
    }

    /// Spans and sensitivity; attention goes into the answers.
    fn explain(
        &mut self,
        tracks: &InterviewTracks,
        scored: &Scored,
        answers: &mut [AnswerResult],
    ) -> Result<(Vec<Span>, Option<[f64; 2]>), AnalyzeError> {
        let times: Vec<AnswerTimes<'_>> = answers
            .iter()
            .map(|answer| AnswerTimes {
                duration_s: answer.duration_s,
                words: answer.transcript.as_ref().map(|t| t.words.as_slice()).unwrap_or_default(),
            })
            .collect();
        let spans = self.bundle.spans(tracks, scored, &times)?;
        let score_range = self.bundle.score_range(tracks)?;
        for (answer, attention) in answers.iter_mut().zip(&scored.attention) {
            answer.attention.clone_from(attention);
        }
        Ok((spans, score_range))
    }

    fn answer_tracks(&mut self, answer: &Answer, extraction: &Extraction) -> Result<AnswerTracks, AnalyzeError> {
        let mut tracks = extraction.tracks.clone();
        let wants_words = self.bundle.modalities().any(|modality| modality == Modality::Verbal);
        let spoken = extraction.transcript.as_ref().filter(|t| wants_words && !t.words.is_empty());
        if let Some(transcript) = spoken {
            tracks.set(Modality::Verbal, Some(self.encoder.verbal_track(transcript)?));
        }
        Ok(AnswerTracks { id: answer.id.clone(), question: self.encoder.context(&answer.question)?, tracks })
    }
}

impl Assessed {
    /// Writes `tracks/ANSWER.safetensors` of every answer that has a track into `folder`. Tracks of an earlier run are
    /// removed first: what may no longer be computed must not stay behind.
    ///
    /// # Errors
    /// [`AnalyzeError::Output`] where a file cannot be written.
    pub fn write_tracks(&self, folder: &Path) -> Result<(), AnalyzeError> {
        crate::output::remove_files(&folder.join("tracks"), "safetensors")?;
        for (answer, result) in self.tracks.answers.iter().zip(&self.assessment.answers) {
            if answer.tracks.iter().next().is_none() {
                continue;
            }
            let file = TrackFile {
                interview_id: &self.assessment.interview_id,
                answer: &answer.id,
                duration_s: result.duration_s,
                tracks: &answer.tracks,
                transcript: result.transcript.as_ref(),
                question: &answer.question,
                title: &self.tracks.title,
            };
            file.write(&folder.join(track_file(&answer.id)))?;
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

/// A transcript of punctuation alone has words, but no row that a bundle can use: the modality is missing.
fn words_without_content(answer: &AnswerTracks) -> Option<Reason> {
    let track = answer.tracks.get(Modality::Verbal).filter(|track| track.valid_rows() == 0)?;
    let detail = format!("None of the {} words has a letter or a digit.", track.rows());
    Some(Reason::new(Code::NoWords).of(Modality::Verbal).in_answer(&answer.id).detail(detail))
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
    let weight = |m| scored.and_then(|s| s.modality_weights.get(&m).copied()).unwrap_or(0.0);
    Modality::ALL.into_iter().map(|m| (m, weight(m))).collect()
}

fn note_spans(reasons: &mut Vec<Reason>, scored: Option<&Scored>, spans: &[Span]) {
    match scored {
        None if !reasons.iter().any(|r| r.code.makes_partial()) => reasons.push(Reason::new(Code::NothingToScore)),
        Some(_) if spans.is_empty() => reasons.push(Reason::new(Code::NoSalientMoment)),
        _ => {}
    }
}
