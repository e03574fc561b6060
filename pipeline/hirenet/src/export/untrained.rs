//! A bundle of HireNet's real shape with seeded random weights: it exercises the whole pipeline, and its numbers mean
//! nothing.

use std::sync::Arc;

use hirenet_core::{
    BundleKind, ByModality, LLD_COLUMNS, Modality, Schema, context_hash256, verbal_hash256, visual_face, vocal_lld51,
};
use ndarray::{Array1, Array2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::weights::{Attention, BiGru, Branch, Fusion, FusionBranch, Gru, LAYERS, Layers, Weights};
use crate::card::{Calibration, Calibrations, Card, SchemaIds};
use crate::contract;

/// Seed of the shipped bundle.
pub const UNTRAINED_SEED: u64 = 1907;

/// How much wider than PyTorch's usual range the attention's matrices are drawn. Usual ranges give nearly uniform
/// attention; these make it uneven enough that moments stand out, so that spans can be seen and tested.
const ATTENTION_GAIN: f32 = 3.0;
/// Range of the attention's query vector.
const QUERY_RANGE: f32 = 0.4;

/// Mean and standard deviation of the 25 LLDs' window means, in their order: measured over four recordings of read speech in
/// English and French and rounded. They only bring random weights into a sensible range.
const LLD_TYPICAL: [(f32, f32); 25] = [
    (0.4, 0.25),
    (-11.0, 6.5),
    (21.0, 7.5),
    (0.008, 0.03),
    (-0.017, 0.007),
    (0.3, 0.2),
    (28.0, 8.0),
    (-1.0, 16.0),
    (24.0, 15.0),
    (-9.0, 10.0),
    (26.0, 10.0),
    (0.02, 0.015),
    (1.0, 0.5),
    (10.0, 5.0),
    (1.0, 7.0),
    (19.0, 16.0),
    (460.0, 190.0),
    (130.0, 80.0),
    (3.0, 8.0),
    (1550.0, 590.0),
    (170.0, 110.0),
    (-10.0, 14.0),
    (2550.0, 830.0),
    (210.0, 110.0),
    (-19.0, 16.0),
];

/// The shipped bundle's graph.
#[must_use]
pub fn untrained(seed: u64) -> Vec<u8> {
    super::export(&untrained_weights(seed, LAYERS), &untrained_card())
}

/// Its card.
#[must_use]
pub fn untrained_card() -> Card {
    let identity = Calibration { a: 1.0, b: 0.0 };
    let note = "Random weights: the score, the attention and the moments mean nothing. They show what an assessment looks \
                like and prove that the pipeline runs.";
    let use_note = "Trying and testing the program. Never for a decision about a person.";
    Card {
        contract: contract::VERSION,
        name: "hirenet-untrained".to_owned(),
        version: "1".to_owned(),
        kind: BundleKind::Untrained,
        schemas: SchemaIds {
            verbal: Some(verbal_hash256().id.clone()),
            vocal: Some(vocal_lld51().id.clone()),
            visual: Some(visual_face().id.clone()),
            context: context_hash256().id.clone(),
        },
        threshold: 0.5,
        calibration: Calibrations {
            fused: identity,
            verbal: Some(identity),
            vocal: Some(identity),
            visual: Some(identity),
        },
        trained_on: json!("nothing: seeded random weights"),
        intended_use: json!(use_note),
        more: std::iter::once(("model_card".to_owned(), json!(note))).collect(),
    }
}

/// Seeded random weights of the given sizes for the schemas of [`untrained_card`].
#[must_use]
pub fn untrained_weights(seed: u64, layers: Layers) -> Weights {
    let mut draw = Draw(ChaCha8Rng::seed_from_u64(seed));
    let words = context_hash256().dim();
    let mut branches = ByModality::default();
    for modality in Modality::ALL {
        let (schema, mean, std) = statistics(modality);
        branches.set(modality, Some(draw.branch(schema.dim(), words, layers, mean, std)));
    }
    let mut fusion_branches = ByModality::default();
    for modality in Modality::ALL {
        fusion_branches.set(modality, Some(draw.fusion_branch(layers)));
    }
    let fusion = draw.fusion(fusion_branches, words, layers);
    Weights { branches, fusion }
}

/// Plausible mean and standard deviation of each column of a modality's track: what real recordings roughly give.
#[must_use]
pub fn typical(modality: Modality) -> (Array1<f32>, Array1<f32>) {
    let (_, mean, std) = statistics(modality);
    (mean, std)
}

/// Schema and plausible normalisation statistics of a modality.
fn statistics(modality: Modality) -> (Arc<Schema>, Array1<f32>, Array1<f32>) {
    match modality {
        Modality::Verbal => {
            let schema = verbal_hash256();
            // A unit vector of 256 components.
            let std = 1.0 / (schema.dim() as f32).sqrt();
            (schema.clone(), Array1::zeros(schema.dim()), Array1::from_elem(schema.dim(), std))
        }
        Modality::Vocal => {
            let schema = vocal_lld51();
            // Inside half a second a column moves by more than half of its spread.
            let means = LLD_TYPICAL.iter().copied().chain(LLD_TYPICAL.iter().map(|(_, std)| (0.7 * std, 0.5 * std)));
            let (mean, std): (Vec<f32>, Vec<f32>) = means.chain(std::iter::once((0.6, 0.4))).unzip();
            debug_assert_eq!(mean.len(), 2 * LLD_COLUMNS.len() + 1);
            (schema, mean.into(), std.into())
        }
        Modality::Visual => {
            let schema = visual_face();
            let typical =
                schema.columns.iter().map(|column| match (column.unit.as_str(), column.name.ends_with("_std")) {
                    ("deg", false) => (0.0, 8.0),
                    ("deg", true) => (1.5, 1.5),
                    (_, false) => (0.1, 0.15),
                    (_, true) => (0.03, 0.04),
                });
            let (mean, std): (Vec<f32>, Vec<f32>) = typical.unzip();
            (schema, mean.into(), std.into())
        }
    }
}

/// Uniform random weights; the order of draws is part of the shipped file.
struct Draw(ChaCha8Rng);

impl Draw {
    fn vector(&mut self, length: usize, range: f32) -> Array1<f32> {
        Array1::from_shape_simple_fn(length, || self.0.random_range(-range..range))
    }

    fn matrix(&mut self, rows: usize, columns: usize, range: f32) -> Array2<f32> {
        Array2::from_shape_simple_fn((rows, columns), || self.0.random_range(-range..range))
    }

    /// PyTorch's own initialisation of a GRU: uniform within 1 / sqrt(H).
    fn gru(&mut self, columns: usize, hidden: usize) -> Gru {
        let range = 1.0 / (hidden as f32).sqrt();
        Gru {
            input: self.matrix(3 * hidden, columns, range),
            recurrent: self.matrix(3 * hidden, hidden, range),
            bias: self.vector(6 * hidden, range),
        }
    }

    fn bi_gru(&mut self, columns: usize, hidden: usize) -> BiGru {
        BiGru { forward: self.gru(columns, hidden), backward: self.gru(columns, hidden) }
    }

    fn attention(&mut self, layers: Layers) -> Attention {
        let states = 2 * layers.hidden;
        let range = ATTENTION_GAIN / (states as f32).sqrt();
        Attention {
            state: self.matrix(layers.attention, states, range),
            bias: self.vector(layers.attention, range),
            context: self.matrix(layers.attention, layers.context, range),
            query: self.vector(layers.attention, QUERY_RANGE),
        }
    }

    fn branch(&mut self, columns: usize, words: usize, layers: Layers, mean: Array1<f32>, std: Array1<f32>) -> Branch {
        let states = 2 * layers.hidden;
        Branch {
            mean,
            std,
            low: self.bi_gru(columns, layers.hidden),
            question: self.gru(words, layers.context),
            local: self.attention(layers),
            high: self.bi_gru(states + layers.context, layers.hidden),
            title: self.gru(words, layers.context),
            global: self.attention(layers),
            score: self.vector(states, 0.5),
            score_bias: 0.0,
        }
    }

    fn fusion_branch(&mut self, layers: Layers) -> FusionBranch {
        let states = 2 * layers.hidden;
        let range = ATTENTION_GAIN / (states as f32).sqrt();
        FusionBranch {
            project: self.matrix(layers.fusion, states, range),
            gate: self.matrix(layers.attention, states, range),
            gate_bias: self.vector(layers.attention, range),
            evidence_scale: 1.0,
            evidence_offset: 0.0,
        }
    }

    fn fusion(&mut self, branches: ByModality<FusionBranch>, words: usize, layers: Layers) -> Fusion {
        let range = ATTENTION_GAIN / (layers.context as f32).sqrt();
        Fusion {
            branches,
            question: self.gru(words, layers.context),
            gate_question: self.matrix(layers.attention, layers.context, range),
            gate: self.vector(layers.attention, QUERY_RANGE),
            high: self.bi_gru(layers.fusion + layers.context, layers.hidden),
            title: self.gru(words, layers.context),
            global: self.attention(layers),
            score: self.vector(2 * layers.hidden, 0.5),
            score_bias: 0.0,
            prior: 0.0,
        }
    }
}
