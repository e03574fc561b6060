//! The moments that mattered, strongest first.

use hirenet_core::{Assessment, Span};

use super::text::{effect, modality_name, percent, signed, span_times};

/// One span as the list and the timelines show it.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// Its place in the list, from 1.
    pub(super) rank: usize,
    /// Index of its answer.
    pub(super) answer: usize,
    pub(super) key: &'static str,
    pub(super) modality: &'static str,
    /// Start in seconds, for the script; empty where the words have no times.
    pub(super) start: String,
    /// Index of the first word said in it; empty where there is none.
    pub(super) word: String,
    pub(super) times: String,
    pub(super) text: String,
    /// What stands in the place of the words where there are none.
    pub(super) no_text: &'static str,
    pub(super) weight: String,
    pub(super) influence: String,
    pub(super) effect: &'static str,
    /// What a screen reader says for its button.
    pub(super) label: String,
    pub(super) span: Span,
}

/// The moments of all answers, in the assessment's order. A span of an unknown answer has nowhere to be shown.
pub(super) fn moments(assessment: &Assessment) -> Vec<Moment> {
    let place = |span: &Span| assessment.answers.iter().position(|answer| answer.id == span.answer);
    let known = assessment.spans.iter().filter_map(|span| Some((place(span)?, span)));
    let timed = |answer: usize| {
        let transcript = assessment.answers[answer].transcript.as_ref();
        transcript.is_none_or(|t| t.words.is_empty() || t.words.iter().any(|word| word.start.is_some()))
    };
    known.enumerate().map(|(k, (answer, span))| Moment::new(k + 1, answer, span, timed(answer))).collect()
}

impl Moment {
    fn new(rank: usize, answer: usize, span: &Span, timed: bool) -> Self {
        let (modality, times) = (modality_name(span.modality), span_times(span));
        let influence = f64::from(span.influence);
        let said = if span.text.is_empty() { String::new() } else { format!(" Words: {}", span.text) };
        Moment {
            rank,
            answer,
            key: span.modality.as_str(),
            modality,
            start: span.start.map(|start| format!("{start:.3}")).unwrap_or_default(),
            word: span.word_first.map(|word| word.to_string()).unwrap_or_default(),
            label: format!(
                "Moment {rank}: answer {}, {}, {times}, {} ({}), {} of the attention.{said}",
                answer + 1,
                modality.to_lowercase(),
                effect(influence),
                signed(influence),
                percent(f64::from(span.weight))
            ),
            times,
            text: span.text.clone(),
            no_text: if timed { "no words in it" } else { "which words were said is unknown: they have no times" },
            weight: percent(f64::from(span.weight)),
            influence: signed(influence),
            effect: effect(influence),
            span: span.clone(),
        }
    }
}
