//! What is missing and what is to be read with care, in the reader's words.

use hirenet_core::{AnswerResult, Assessment, Code, Modality, Reason};

use super::text::modality_name;

/// A reason as the reader sees it.
#[derive(Debug)]
pub(super) struct ReasonView {
    pub(super) code: &'static str,
    pub(super) scope: String,
    pub(super) sentence: String,
    pub(super) detail: Option<String>,
    pub(super) advice: Option<&'static str>,
}

impl ReasonView {
    pub(super) fn new(assessment: &Assessment, reason: &Reason) -> Self {
        let answer = reason.answer.as_ref().map(|id| {
            let index = assessment.answers.iter().position(|answer| answer.id == *id);
            index.map_or_else(|| format!("Answer {id}"), |index| format!("Answer {}", index + 1))
        });
        let modality = reason.modality.map(|m| modality_name(m).to_owned());
        let scope: Vec<String> = answer.into_iter().chain(modality).collect();
        let scope = if scope.is_empty() { "Whole interview".to_owned() } else { scope.join(", ") };
        Self::scoped(reason, scope)
    }

    /// The same inside its answer's own section.
    pub(super) fn in_answer(reason: &Reason) -> Self {
        Self::scoped(reason, reason.modality.map_or("This answer", modality_name).to_owned())
    }

    fn scoped(reason: &Reason, scope: String) -> Self {
        let meaning = reason.code.meaning();
        ReasonView {
            code: reason.code.as_str(),
            scope,
            sentence: meaning.to_owned(),
            detail: (!reason.detail.is_empty() && reason.detail != meaning).then(|| reason.detail.clone()),
            advice: reason.code.to_do(),
        }
    }
}

/// True where recognised words of this answer (`None`: of any answer) come from the demo speech model.
pub(super) fn recognised_by_demo_model(assessment: &Assessment, answer: Option<&str>) -> bool {
    assessment.reasons.iter().any(|reason| {
        let here = answer.is_none() || reason.answer.is_none() || reason.answer.as_deref() == answer;
        reason.code == Code::DemoSpeechModel && here
    })
}

/// Why this answer lacks a modality, in the words of the first reason that says so.
pub(super) fn missing_sentence(assessment: &Assessment, answer: &AnswerResult, modality: Modality) -> Option<String> {
    let concerns = |reason: &&Reason| {
        reason.code.makes_partial()
            && reason.answer.as_deref().is_none_or(|id| id == answer.id)
            && reason.modality.is_none_or(|m| m == modality)
    };
    assessment.reasons.iter().find(concerns).map(|reason| reason.code.meaning().to_owned())
}
