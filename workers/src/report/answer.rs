//! One answer: its recording, its timeline and its transcript.

use hirenet_core::{AnswerResult, Assessment, Code, Modality, Source, window_span};

use super::lane::Lane;
use super::layout::{self, Layout};
use super::media::{Media, MissingMedia, is_audio};
use super::moments::Moment;
use super::reasons::{ReasonView, missing_sentence, recognised_by_demo_model};
use super::text::clock;
use super::transcript::TranscriptView;

/// One answer as the page shows it.
#[derive(Debug)]
pub(super) struct AnswerView {
    pub(super) number: usize,
    pub(super) total: usize,
    pub(super) id: String,
    pub(super) question: String,
    pub(super) duration: Option<String>,
    pub(super) length: String,
    pub(super) length_clock: String,
    pub(super) reasons: Vec<ReasonView>,
    pub(super) player: Player,
    pub(super) lanes: Vec<Lane>,
    /// True where at least one lane has a curve.
    pub(super) drawn: bool,
    pub(super) ticks: Vec<(String, String)>,
    pub(super) transcript: Option<TranscriptView>,
    pub(super) no_transcript: String,
}

/// What stands in the recording's place.
#[derive(Debug)]
pub(super) struct Player {
    /// Relative link or data URI.
    pub(super) source: Option<String>,
    pub(super) audio: bool,
    /// What a reader must know about the recording.
    pub(super) note: Option<String>,
}

impl AnswerView {
    pub(super) fn new(
        assessment: &Assessment,
        index: usize,
        media: Option<&Media>,
        moments: &[Moment],
        layout: &mut Layout,
    ) -> Self {
        let answer = &assessment.answers[index];
        let length = length_s(answer);
        let here: Vec<&Moment> = moments.iter().filter(|moment| moment.answer == index).collect();
        let concerns = |code: Code| {
            assessment.reasons.iter().any(|r| r.code == code && r.answer.as_deref() == Some(answer.id.as_str()))
        };
        let reasons = assessment.reasons.iter().filter(|r| r.answer.as_deref() == Some(answer.id.as_str()));
        let lanes = Modality::ALL.map(|modality| Lane::new(assessment, answer, modality, length, &here, layout));
        AnswerView {
            number: index + 1,
            total: assessment.answers.len(),
            id: answer.id.clone(),
            question: answer.question.clone(),
            duration: answer.duration_s.map(clock),
            length: format!("{length:.3}"),
            length_clock: clock(length),
            reasons: reasons.map(ReasonView::in_answer).collect(),
            player: Player::new(media, is_audio(&answer.media) || concerns(Code::NoVideo)),
            drawn: lanes.iter().any(|lane| lane.curve.is_some()),
            lanes: lanes.into(),
            ticks: layout::ticks(length).iter().map(|time| (layout.tick(time / length), clock(*time))).collect(),
            transcript: answer.transcript.as_ref().filter(|t| !t.words.is_empty()).map(|transcript| {
                let demo =
                    transcript.source == Source::Recognised && recognised_by_demo_model(assessment, Some(&answer.id));
                TranscriptView::new(answer, transcript, &here, demo)
            }),
            no_transcript: missing_sentence(assessment, answer, Modality::Verbal)
                .unwrap_or_else(|| "There are no words for this answer.".to_owned()),
        }
    }
}

/// Length of the timeline: the recording's, or where that is unknown the end of what was measured in it.
fn length_s(answer: &AnswerResult) -> f64 {
    let windows = [Modality::Vocal, Modality::Visual].map(|m| answer.attention.get(m).map_or(0, |a| a.rows.len()));
    let windows = windows.into_iter().max().filter(|n| *n > 0).map_or(0.0, |n| window_span(n - 1).1);
    let words = answer.transcript.iter().flat_map(|t| &t.words).filter_map(|word| word.end).fold(0.0, f64::max);
    answer.duration_s.filter(|d| d.is_finite()).unwrap_or_else(|| windows.max(words)).max(0.1)
}

impl Player {
    fn new(media: Option<&Media>, audio: bool) -> Self {
        let (source, note) = match media {
            Some(Media::Embedded(uri)) => (Some(uri.clone()), None),
            Some(Media::Link { href, too_large: None }) => (Some(href.clone()), None),
            Some(Media::Link { href, too_large: Some(bytes) }) => {
                let size = *bytes as f64 / 1e6;
                let limit = super::EMBED_LIMIT_BYTES / 1_000_000;
                let note = format!(
                    "Too large to embed ({size:.1} MB; one page holds {limit} MB): the recording is linked, and must \
                     stay in its place beside this page."
                );
                (Some(href.clone()), Some(note))
            }
            Some(Media::Missing(why)) => (None, Some(why.sentence().to_owned())),
            None => (None, Some(MissingMedia::NotFound.sentence().to_owned())),
        };
        Player { source, audio, note }
    }
}
