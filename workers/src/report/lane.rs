//! The lanes of an answer's timeline: one modality's attention on the common clock, with its moments as marks.

use hirenet_core::{AnswerResult, Assessment, Modality, window_span};

use super::layout::{self, Curve, Layout};
use super::moments::Moment;
use super::reasons::missing_sentence;
use super::text::{clock_tenths, count, modality_name, percent};

/// Lowest top of a lane's scale, so that an even curve looks even.
const LANE_MIN_TOP: f64 = 2.0;

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

impl Lane {
    pub(super) fn new(
        assessment: &Assessment,
        answer: &AnswerResult,
        modality: Modality,
        length: f64,
        here: &[&Moment],
        layout: &mut Layout,
    ) -> Self {
        let points = points(answer, modality);
        let top = points.iter().map(|p| p.2).fold(LANE_MIN_TOP, f64::max);
        let curve = if modality == Modality::Verbal {
            layout::bars(&points, length, top)
        } else {
            let centres: Vec<(f64, f64)> = points.iter().map(|(s, e, value)| (f64::midpoint(*s, *e), *value)).collect();
            layout::curve(&centres, length, top)
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
pub(super) fn relative_attention(answer: &AnswerResult, modality: Modality) -> Vec<f64> {
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
