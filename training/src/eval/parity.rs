//! The exported graph in ONNX Runtime against the trainer's own computation, on random interviews.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Device;
use hirenet_core::{ByModality, Modality};
use hirenet_model::{BundleError, Calibration};
use hirenet_onnx::Runtime;
use ndarray::Array2;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::bundle::{CardText, Networks, card};
use crate::data::{AnswerSample, Batch, Header, Rows, Sample};
use crate::fusion::{AnswerSummary, FusionTask, Summary};
use crate::models::Network;
use crate::nn::Dropout;
use crate::{Result, TrainError};

/// Lengths that random tracks have: none, one row, some, and long.
const LENGTHS: [usize; 8] = [0, 1, 2, 5, 13, 30, 60, 240];
const MAX_ANSWERS: usize = 12;

/// A random interview with `answers` answers and only the modalities of the bits of `subset`.
fn random(rng: &mut ChaCha8Rng, header: &Header, answers: usize, subset: usize) -> Sample {
    let matrix = |rng: &mut ChaCha8Rng, rows: usize, columns: usize| {
        Array2::from_shape_simple_fn((rows, columns), || rng.random_range(-1.5_f32..1.5))
    };
    let words = header.context_width();
    let answers = (0..answers)
        .map(|_| {
            let mut tracks = ByModality::default();
            for modality in Modality::ALL.into_iter().filter(|m| subset >> *m as usize & 1 == 1) {
                let length = LENGTHS.choose(rng).copied().unwrap_or(1);
                let columns = header.schemas.get(modality).map_or(0, |schema| schema.columns);
                let values = matrix(rng, length, columns);
                tracks.set(modality, (length > 0).then_some(Rows { values, kept: (0..length as u32).collect() }));
            }
            let asked = rng.random_range(0..9);
            AnswerSample { question: matrix(rng, asked, words), tracks, ..AnswerSample::default() }
        })
        .collect();
    let title = rng.random_range(0..5);
    Sample { index: 0, label: 0.0, title: matrix(rng, title, words), answers }
}

/// What the trainer says of one interview.
struct Own {
    logit: f64,
    logits: ByModality<f64>,
    gates: [f64; 3],
    /// Of each answer: its weight, and its rows' weights.
    attention: Vec<ByModality<(f32, Vec<f32>)>>,
}

fn own(networks: &Networks, sample: &Arc<Sample>) -> Result<Own> {
    let answers = sample.answers.len();
    let mut own = Own {
        logit: 0.0,
        logits: ByModality::default(),
        gates: [0.0; 3],
        attention: vec![ByModality::default(); answers],
    };
    let mut summary = Summary {
        index: 0,
        label: 0,
        title: Arc::new(sample.title.clone()),
        answers: sample
            .answers
            .iter()
            .map(|a| AnswerSummary { question: Arc::new(a.question.clone()), vectors: ByModality::default() })
            .collect(),
        interviews: ByModality::default(),
        logits: ByModality::default(),
    };
    for (modality, (network, normalisation)) in &networks.single {
        let Some(batch) = Batch::new([sample.clone()], *modality, normalisation, &Device::Cpu)? else { continue };
        let output = network.forward(&batch, &mut Dropout::off())?;
        let logit = f64::from(output.logits.to_vec1::<f32>()?[0]);
        own.logits.set(*modality, Some(logit));
        summary.logits.set(*modality, Some(logit));
        let vectors = output.answers.map_or_else(|| Ok(Vec::new()), |answers| answers.to_vec2::<f32>())?;
        let beta: BTreeMap<usize, f32> = batch.packed_answers().into_iter().zip(output.beta).collect();
        for ((sequence, (_, answer)), vector) in batch.origin.iter().enumerate().zip(vectors) {
            let rows = batch.layout.start(sequence)..batch.layout.start(sequence) + batch.layout.len(sequence);
            own.attention[*answer].set(*modality, Some((beta[answer], output.alpha[rows].to_vec())));
            summary.answers[*answer].vectors.set(*modality, Some(vector));
        }
    }
    let modalities = networks.fusion.modalities();
    let task = FusionTask {
        summaries: &BTreeMap::new(),
        network: &networks.fusion,
        modality_dropout: 0.0,
        visible: modalities.clone(),
        positive: 1.0,
    };
    if let Some(batch) = task.lay_out(std::iter::once((&summary, modalities.clone())))? {
        let output = networks.fusion.forward(&batch, &mut Dropout::off())?;
        own.logit = f64::from(output.logits.to_vec1::<f32>()?[0]);
        for (gamma, beta) in output.gamma.to_vec2::<f32>()?.into_iter().zip(output.beta) {
            for (modality, gamma) in modalities.iter().zip(gamma) {
                own.gates[*modality as usize] += f64::from(gamma * beta);
            }
        }
    }
    Ok(own)
}

/// The largest absolute difference of a logit, an attention or a gate over `count` random interviews: 1 to 12 answers, every
/// subset of modalities, lengths 0, 1 and long.
///
/// # Errors
/// Those of the device, of the runtime and of the bundle.
pub fn parity(networks: &Networks, header: &Header, runtime: &Runtime, count: usize, seed: u64) -> Result<f64> {
    let identity = Calibration { a: 1.0, b: 0.0 };
    let calibration = networks.single.keys().map(|m| (Some(*m), identity)).chain([(None, identity)]).collect();
    let text = CardText { name: "parity".into(), version: "1".into(), more: serde_json::Map::new() };
    let bytes = networks.bundle(&card(header, &text, 0.5, &calibration))?;
    let known = Modality::ALL.map(super::bundle::schema).into_iter().chain([hirenet_core::context_hash256()]);
    let mut bundle = hirenet_model::Bundle::from_bytes(runtime, &bytes, &known.collect::<Vec<_>>())?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut worst, mut compared) = (0.0_f64, 0);
    let mut case = 0;
    while compared < count {
        let sample = Arc::new(random(&mut rng, header, case % MAX_ANSWERS + 1, 1 + case % 7));
        case += 1;
        let expected = own(networks, &sample)?;
        let found = match bundle.score(&super::bundle::tracks(&sample)) {
            Ok(found) => found,
            // Every length may come out as 0.
            Err(BundleError::NothingToScore) => continue,
            Err(error) => return Err(error.into()),
        };
        compared += 1;
        let mut differ =
            |a: f64, b: f64| worst = if (a - b).is_nan() { f64::INFINITY } else { worst.max((a - b).abs()) };
        differ(f64::from(found.logit), expected.logit);
        for (modality, score) in found.scores.iter() {
            let logit = (score / (1.0 - score)).ln();
            differ(logit, expected.logits.get(modality).copied().unwrap_or(f64::NAN));
        }
        // What the graph leaves out is no agreement.
        let said = |m: Modality| (found.scores.get(m).is_some(), expected.logits.get(m).is_some());
        if Modality::ALL.into_iter().map(said).any(|(found, expected)| found != expected) {
            return Err(TrainError::Compute("logits of other modalities".to_owned()));
        }
        for (modality, weight) in &found.modality_weights {
            differ(f64::from(*weight), expected.gates[*modality as usize]);
        }
        for (found, expected) in found.attention.iter().zip(&expected.attention) {
            for (modality, attention) in found.iter() {
                let (answer, rows) = expected.get(modality).cloned().unwrap_or((0.0, vec![0.0; attention.rows.len()]));
                differ(f64::from(attention.answer), f64::from(answer));
                if rows.len() != attention.rows.len() {
                    return Err(TrainError::Compute("attention of another length".to_owned()));
                }
                attention.rows.iter().zip(rows).for_each(|(a, b)| differ(f64::from(*a), f64::from(b)));
            }
        }
    }
    Ok(worst)
}
