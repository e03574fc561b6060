//! One answer: its recording, its timeline of three lanes on the common clock, and its transcript.

use hirenet_core::{AnswerResult, Assessment, Code, Modality, Reason, Source, Transcript, Word, window_span};

use super::layout::{self, Curve, Layout};
use super::media::{Media, MissingMedia, is_audio};
use super::moments::Moment;
use super::overview::ReasonView;
use super::text::{clock, clock_tenths, count, modality_name, percent};

/// Below this recogniser's probability a word is marked as uncertain.
const LOW_CONFIDENCE: f32 = 0.5;
/// Relative attention (1 = an even share) from which a word takes the next stronger highlight.
const WORD_LEVELS: [f64; 5] = [0.75, 1.25, 2.0, 3.0, 5.0];
/// Lowest top of a lane's scale, so that an even curve looks even.
const LANE_MIN_TOP: f64 = 2.0;

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

/// One modality's lane of the timeline.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) curve: Option<Curve>,
    /// Height of the even share.
    pub(super) even_y: String,
    /// What is measured, or why nothing is.
    pub(super) caption: String,
    /// The drawing in words.
    pub(super) summary: String,
    pub(super) marks: Vec<Mark>,
}

/// A span on its lane.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) moment: Moment,
    pub(super) place: String,
}

/// What was said, as paragraphs of words.
#[derive(Debug)]
pub(super) struct TranscriptView {
    pub(super) language: String,
    pub(super) origin: String,
    pub(super) demo: bool,
    pub(super) timed: bool,
    pub(super) paragraphs: Vec<Paragraph>,
}

/// One segment.
#[derive(Debug)]
pub(super) struct Paragraph {
    pub(super) time: Option<String>,
    pub(super) words: Vec<WordView>,
}

/// One word.
#[derive(Debug)]
pub(super) struct WordView {
    pub(super) index: usize,
    pub(super) text: String,
    pub(super) class: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) title: String,
}

/// True where recognised words of this answer (`None`: of any answer) come from the demo speech model.
pub(super) fn recognised_by_demo_model(assessment: &Assessment, answer: Option<&str>) -> bool {
    assessment.reasons.iter().any(|reason| {
        let here = answer.is_none() || reason.answer.is_none() || reason.answer.as_deref() == answer;
        reason.code == Code::DemoSpeechModel && here
    })
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

/// Why this answer lacks a modality, in the words of the first reason that says so.
fn missing_sentence(assessment: &Assessment, answer: &AnswerResult, modality: Modality) -> Option<String> {
    let concerns = |reason: &&Reason| {
        reason.code.makes_partial()
            && reason.answer.as_deref().is_none_or(|id| id == answer.id)
            && reason.modality.is_none_or(|m| m == modality)
    };
    assessment.reasons.iter().find(concerns).map(|reason| reason.code.meaning().to_owned())
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

impl Lane {
    fn new(
        assessment: &Assessment,
        answer: &AnswerResult,
        modality: Modality,
        length: f64,
        here: &[&Moment],
        layout: &mut Layout,
    ) -> Self {
        let points = points(answer, modality);
        let top = points.iter().map(|p| p.2).fold(LANE_MIN_TOP, f64::max);
        let curve = match modality {
            Modality::Verbal => layout::bars(&points, length, top),
            _ => {
                let centres: Vec<(f64, f64)> = points.iter().map(|(s, e, value)| ((s + e) / 2.0, *value)).collect();
                layout::curve(&centres, length, top)
            }
        };
        let marks = here.iter().filter(|moment| moment.span.modality == modality).filter_map(|moment| {
            let (start, end) = moment.span.start.zip(moment.span.end)?;
            Some(Mark { moment: (*moment).clone(), place: layout.place(start / length, (end - start) / length) })
        });
        Lane {
            key: modality.as_str(),
            name: modality_name(modality),
            curve: (!points.is_empty()).then_some(curve),
            even_y: format!("{:.1}", layout::lane_y(1.0, top)),
            caption: caption(assessment, answer, modality, points.is_empty()),
            summary: summary(modality, &points),
            marks: marks.collect(),
        }
    }
}

/// `(start_s, end_s, relative attention)` of each row; relative to an even share of 1. Empty where the answer lacks the
/// modality or its words have no times.
fn points(answer: &AnswerResult, modality: Modality) -> Vec<(f64, f64, f64)> {
    let relative = relative_attention(answer, modality);
    match modality {
        Modality::Verbal => {
            let words = answer.transcript.iter().flat_map(|transcript| &transcript.words);
            words.zip(relative).filter_map(|(word, value)| Some((word.start?, word.end?, value))).collect()
        }
        _ => relative
            .into_iter()
            .enumerate()
            .map(|(k, value)| {
                let (start, end) = window_span(k);
                (start, end, value)
            })
            .collect(),
    }
}

/// Attention times the number of valid rows, for each row: 1 is an even share.
fn relative_attention(answer: &AnswerResult, modality: Modality) -> Vec<f64> {
    let Some(attention) = answer.attention.get(modality) else { return Vec::new() };
    let attended = || attention.rows.iter().filter(|weight| **weight > 0.0).count();
    let valid = answer.tracks.get(modality).map_or_else(attended, |track| track.valid_rows);
    attention.rows.iter().map(|weight| f64::from(*weight) * valid as f64).collect()
}

fn caption(assessment: &Assessment, answer: &AnswerResult, modality: Modality, empty: bool) -> String {
    let rows = answer.tracks.get(modality).map(|track| match modality {
        Modality::Verbal => format!("{} of {}", track.valid_rows, count(track.rows, "word")),
        _ => format!("{} of {}", track.valid_rows, count(track.rows, "window")),
    });
    match (answer.attention.get(modality), rows) {
        (Some(_), rows) if empty => format!("{}; the words have no times", rows.unwrap_or_default()),
        (Some(attention), rows) => {
            let share = percent(f64::from(attention.answer));
            format!("{}; {share} of this modality\u{2019}s attention", rows.unwrap_or_else(|| "used".to_owned()))
        }
        (None, _) => missing_sentence(assessment, answer, modality).unwrap_or_else(|| "Not used.".to_owned()),
    }
}

fn summary(modality: Modality, points: &[(f64, f64, f64)]) -> String {
    let name = modality_name(modality);
    match points.iter().max_by(|a, b| a.2.total_cmp(&b.2)) {
        Some((start, _, value)) => {
            format!("{name}: attention over time, highest at {}, {value:.1} times an even share", clock_tenths(*start))
        }
        None => format!("{name}: nothing to draw"),
    }
}

impl TranscriptView {
    fn new(answer: &AnswerResult, transcript: &Transcript, here: &[&Moment], demo: bool) -> Self {
        let relative = relative_attention(answer, Modality::Verbal);
        let view = |index: usize, word: &Word| {
            let spoken_in = here.iter().find(|moment| {
                let span = &moment.span;
                span.modality == Modality::Verbal
                    && span.word_first.zip(span.word_last).is_some_and(|(first, last)| (first..=last).contains(&index))
            });
            WordView::new(index, word, relative.get(index).copied(), spoken_in.copied())
        };
        let words = &transcript.words;
        let mut paragraphs: Vec<Paragraph> = Vec::new();
        let mut next = 0;
        // Words that no segment names are kept too: a page must not lose what was said.
        let ends = transcript.segments.iter().map(|s| s.word_last.saturating_add(1)).chain([words.len()]);
        for end in ends {
            let end = end.min(words.len());
            if end > next {
                let time = words[next].start.map(clock);
                paragraphs.push(Paragraph { time, words: (next..end).map(|k| view(k, &words[k])).collect() });
                next = end;
            }
        }
        TranscriptView {
            language: transcript.language.clone().unwrap_or_default(),
            origin: origin(transcript),
            demo,
            timed: words.iter().any(|word| word.start.is_some()),
            paragraphs,
        }
    }
}

fn origin(transcript: &Transcript) -> String {
    let language = transcript.language.as_deref().map(|code| format!(", language {code}")).unwrap_or_default();
    let words = count(transcript.words.len(), "word");
    match transcript.source {
        Source::Given => format!("{words}, sent along with the interview{language}"),
        Source::Recognised => {
            let unsure = transcript.words.iter().filter(|word| is_unsure(word)).count();
            format!("{words}, recognised by machine{language}; {unsure} uncertain")
        }
    }
}

fn is_unsure(word: &Word) -> bool {
    word.confidence.is_some_and(|confidence| confidence < LOW_CONFIDENCE)
}

impl WordView {
    fn new(index: usize, word: &Word, relative: Option<f64>, moment: Option<&Moment>) -> Self {
        let level = relative.map_or(0, |value| WORD_LEVELS.iter().filter(|from| value >= **from).count());
        let seconds = |time: Option<f64>| time.map(|t| format!("{t:.3}")).unwrap_or_default();
        let mut class = format!("w a{level}");
        let mut title = Vec::new();
        if let Some(value) = relative.filter(|_| level > 1) {
            title.push(format!("attention {value:.1} times an even share"));
        }
        if is_unsure(word) {
            class.push_str(" unsure");
            title.push(format!("uncertain, confidence {}", percent(f64::from(word.confidence.unwrap_or(0.0)))));
        }
        if let Some(moment) = moment {
            class.push_str(" in");
            title.push(format!("moment {}", moment.rank));
        }
        WordView {
            index,
            text: word.text.clone(),
            class,
            start: seconds(word.start),
            end: seconds(word.end),
            title: title.join("; "),
        }
    }
}
