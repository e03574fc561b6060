//! The exported graph against the equations, over lengths, numbers of answers and missing modalities.

use crate::support::{interview, known, reference};
use hirenet_core::Modality;
use hirenet_model::export::{LAYERS, Layers, Weights, export, untrained_card, untrained_weights};
use hirenet_model::{Bundle, InterviewTracks};

/// f32 in the graph against f64 here, over recurrences of up to 300 steps.
const TOLERANCE: f64 = 1e-4;

/// Random weights whose evidence is not the identity.
fn weights(seed: u64, layers: Layers) -> Weights {
    let mut weights = untrained_weights(seed, layers);
    for (place, modality) in Modality::ALL.into_iter().enumerate() {
        let mut branch = weights.fusion.branches.get(modality).unwrap().clone();
        (branch.evidence_scale, branch.evidence_offset) = (0.5 + place as f32, 0.25 - place as f32);
        weights.fusion.branches.set(modality, Some(branch));
    }
    weights.fusion.prior = -0.4;
    weights
}

fn bundle(seed: u64, layers: Layers) -> Bundle {
    let bytes = export(&weights(seed, layers), &untrained_card());
    Bundle::from_bytes(hirenet_tests::runtime(), &bytes, &known()).unwrap_or_else(|error| panic!("{error}"))
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < TOLERANCE, "{what}: {found} for {expected}");
}

fn compare(bundle: &mut Bundle, seed: u64, layers: Layers, interview: &InterviewTracks) {
    let expected = reference::forward(&weights(seed, layers), interview);
    let found = bundle.score(interview).unwrap_or_else(|error| panic!("{error}"));
    close(f64::from(found.logit), expected.logit, "fused logit");
    for (place, modality) in Modality::ALL.into_iter().enumerate() {
        let branch = &expected.branches[place];
        close(f64::from(found.modality_weights[&modality]), expected.modality_weights[place], "modality weight");
        let sigmoid = 1.0 / (1.0 + (-branch.logit).exp());
        match found.scores.get(modality) {
            Some(score) => close(*score, sigmoid, "modality score"),
            None => assert!(branch.global.iter().all(|weight| *weight == 0.0)),
        }
        for (answer, attention) in found.attention.iter().enumerate() {
            let Some(attention) = attention.get(modality) else { continue };
            close(f64::from(attention.answer), branch.global[answer], "answer attention");
            for (row, weight) in attention.rows.iter().enumerate() {
                close(f64::from(*weight), branch.local[answer][row], "row attention");
            }
        }
    }
}

#[test]
fn real_shape_agrees_with_the_equations() {
    let mut bundle = bundle(7, LAYERS);
    for (seed, answers) in [(1, 1), (2, 6)] {
        compare(&mut bundle, 7, LAYERS, &interview(seed, answers, |answer, _| 20 + 7 * answer));
    }
}

#[test]
fn every_subset_of_modalities_and_lengths_agrees() {
    let layers = Layers { hidden: 6, context: 5, attention: 7, fusion: 4 };
    let mut bundle = bundle(11, layers);
    for answers in 1..=12 {
        for subset in 1..8_usize {
            let rows = |answer: usize, modality: Modality| {
                let bit = modality as usize;
                // Long, single-row and missing ones mixed, differently for each modality.
                let length = [0, 1, 2, 40, 7, 0, 13][(answer * 3 + bit * 2 + answers) % 7];
                if subset >> bit & 1 == 1 { length } else { 0 }
            };
            let interview = interview((answers * 8 + subset) as u64, answers, rows);
            if interview.answers.iter().any(|a| a.tracks.iter().next().is_some()) {
                compare(&mut bundle, 11, layers, &interview);
            }
        }
    }
    compare(&mut bundle, 11, layers, &interview(99, 2, |_, _| 300));
}
