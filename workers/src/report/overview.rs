//! The head of the page: status, score with its sensitivity, modalities, what is missing, and what computed it all.

use hirenet_core::{Assessment, BundleKind, Code, Modality, Reason, Status};

use super::layout::Layout;
use super::reasons::{ReasonView, recognised_by_demo_model};
use super::text::{count, modality_name, percent};

/// Everything above the moments, and the footer.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) heading: String,
    pub(super) titled: bool,
    pub(super) interview_id: String,
    pub(super) status: &'static str,
    pub(super) status_sentence: &'static str,
    pub(super) warnings: Vec<Warning>,
    pub(super) score: Option<Score>,
    pub(super) modalities: Vec<ModalityRow>,
    pub(super) missing: Vec<ReasonView>,
    pub(super) notes: Vec<ReasonView>,
    pub(super) bundle: String,
    pub(super) bundle_kind: &'static str,
    pub(super) bundle_meaning: &'static str,
    pub(super) bundle_sha256: String,
    pub(super) software: String,
    pub(super) settings_sha256: String,
    pub(super) models: Vec<(String, String)>,
}

/// Something that must be read before any number.
#[derive(Debug)]
pub(super) struct Warning {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

/// The fused score on its scale.
#[derive(Debug)]
pub(super) struct Score {
    pub(super) value: String,
    pub(super) place: String,
    pub(super) range: Option<Range>,
}

/// Lowest and highest score with one answer left out.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) low: String,
    pub(super) high: String,
    pub(super) place: String,
}

/// One modality of the whole interview.
#[derive(Debug)]
pub(super) struct ModalityRow {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) score: Option<String>,
    pub(super) weight: String,
    pub(super) weight_width: String,
    pub(super) evidence: String,
}

impl Overview {
    pub(super) fn new(assessment: &Assessment, title: Option<&str>, layout: &mut Layout) -> Self {
        let (missing, notes): (Vec<&Reason>, Vec<&Reason>) =
            assessment.reasons.iter().partition(|reason| reason.code.makes_partial());
        let view = |reasons: Vec<&Reason>| reasons.into_iter().map(|r| ReasonView::new(assessment, r)).collect();
        let (status, status_sentence) = status_words(assessment.status);
        let (bundle, software) = (&assessment.bundle, &assessment.software);
        Overview {
            heading: title.map_or_else(|| format!("Interview {}", assessment.interview_id), str::to_owned),
            titled: title.is_some(),
            interview_id: assessment.interview_id.clone(),
            status,
            status_sentence,
            warnings: warnings(assessment),
            score: assessment.score.map(|score| Score::new(score, assessment.score_range, layout)),
            modalities: Modality::ALL.into_iter().map(|m| ModalityRow::new(assessment, m, layout)).collect(),
            missing: view(missing),
            notes: view(notes),
            bundle: format!("{} {}", bundle.name, bundle.version),
            bundle_kind: bundle.kind.as_str(),
            bundle_meaning: kind_meaning(bundle.kind),
            bundle_sha256: bundle.sha256.clone(),
            software: format!("{} {}", software.name, software.version),
            settings_sha256: software.settings_sha256.clone(),
            models: software.models.iter().map(|(role, sha256)| (role.clone(), sha256.clone())).collect(),
        }
    }
}

impl Score {
    fn new(score: f64, range: Option<[f64; 2]>, layout: &mut Layout) -> Self {
        Score {
            value: format!("{score:.2}"),
            place: layout.at(score),
            range: range.map(|[low, high]| Range {
                low: format!("{low:.2}"),
                high: format!("{high:.2}"),
                place: layout.place(low, high - low),
            }),
        }
    }
}

impl ModalityRow {
    fn new(assessment: &Assessment, modality: Modality, layout: &mut Layout) -> Self {
        let weight = assessment.modality_weights.get(&modality).copied().unwrap_or(0.0);
        let tracks = assessment.answers.iter().filter_map(|answer| answer.tracks.get(modality));
        let used = tracks.filter(|track| track.valid_rows > 0).count();
        let of_all = format!("{used} of {}", count(assessment.answers.len(), "answer"));
        let reason = assessment.reasons.iter().find(|r| r.modality == Some(modality) && r.code.makes_partial());
        let evidence = match reason {
            Some(reason) if used == 0 => reason.code.meaning().to_owned(),
            _ => of_all,
        };
        ModalityRow {
            key: modality.as_str(),
            name: modality_name(modality),
            score: assessment.scores.get(modality).map(|score| format!("{score:.2}")),
            weight: percent(f64::from(weight)),
            weight_width: layout.width(f64::from(weight)),
            evidence,
        }
    }
}

fn status_words(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Scored => ("Scored", "Every piece of evidence that the bundle asks for was there."),
        Status::Partial => ("Partial", "There is a score, and evidence is missing. Read what is missing first."),
        Status::Refused => ("Refused", "There is no score. The reasons say why."),
    }
}

fn kind_meaning(kind: BundleKind) -> &'static str {
    match kind {
        BundleKind::Untrained => "random weights: the numbers mean nothing",
        BundleKind::Demo => "trained on synthetic data, for demonstration",
        BundleKind::Trained => "trained on recruiters\u{2019} decisions",
    }
}

fn warnings(assessment: &Assessment) -> Vec<Warning> {
    let mut warnings = Vec::new();
    match assessment.bundle.kind {
        BundleKind::Untrained => warnings.push(Warning {
            title: "Untrained bundle: the numbers mean nothing",
            text: "Its weights are random. Scores, weights, curves and moments on this page show the form of a result, \
                   and say nothing about the candidate.",
        }),
        BundleKind::Demo => warnings.push(Warning {
            title: "Demonstration bundle",
            text: "It was trained on synthetic data. Its scores show how the program works, and say nothing about a \
                   real candidate.",
        }),
        BundleKind::Trained => {}
    }
    if recognised_by_demo_model(assessment, None) {
        warnings
            .push(Warning { title: "Demo speech model: synthetic voices only", text: Code::DemoSpeechModel.meaning() });
    }
    if assessment.reasons.iter().any(|reason| reason.code == Code::ConsentAssumed) {
        warnings.push(Warning { title: "Consent was assumed", text: Code::ConsentAssumed.meaning() });
    }
    warnings
}
