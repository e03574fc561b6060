//! A graph that PyTorch exported (scripts/pytorch_hirenet.py) runs like any other, and says what PyTorch said.

use crate::support::known;
use hirenet_core::{ByModality, Modality, Schema, Track, context_hash256};
use hirenet_model::{AnswerTracks, Bundle, InterviewTracks, check};
use ndarray::{Array2, Axis};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// f32 in two programs.
const TOLERANCE: f64 = 1e-5;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Sequence `at` of an input as a track.
fn track(inputs: &Value, name: &str, at: usize, schema: Arc<Schema>) -> Track {
    let length = numbers(&inputs[format!("{name}_len")]["values"])[at] as usize;
    let shape = numbers(&inputs[name]["shape"]);
    let values: Vec<f32> = numbers(&inputs[name]["values"]).into_iter().map(|v| v as f32).collect();
    let (rows, columns) = (shape[1] as usize, shape[2] as usize);
    let all = Array2::from_shape_vec((shape[0] as usize * rows, columns), values).unwrap();
    let values = all.slice_axis(Axis(0), (at * rows..at * rows + length).into()).to_owned();
    Track { schema, valid: vec![true; length], values }
}

fn interview(inputs: &Value) -> InterviewTracks {
    let answer = |at: usize| {
        let mut tracks = ByModality::default();
        for modality in Modality::ALL {
            let track = track(inputs, modality.as_str(), at, crate::support::schema(modality));
            tracks.set(modality, (track.rows() > 0).then_some(track));
        }
        AnswerTracks { id: format!("a{at}"), question: track(inputs, "question", at, context_hash256()), tracks }
    };
    let answers = numbers(&inputs["verbal"]["shape"])[0] as usize;
    InterviewTracks { title: track(inputs, "title", 0, context_hash256()), answers: (0..answers).map(answer).collect() }
}

#[test]
fn pytorchs_graph_runs_and_says_what_pytorch_said() {
    let mut bundle = Bundle::load(hirenet_tests::runtime(), &file("pytorch.onnx"), &known()).unwrap();
    let report = check(&mut bundle);
    assert!(report.passed(), "{:?}", report.findings);
    let said: Value = serde_json::from_slice(&std::fs::read(file("pytorch.json")).unwrap()).unwrap();
    let (interview, outputs) = (interview(&said["inputs"]), &said["outputs"]);
    let scored = bundle.score(&interview).unwrap();
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < TOLERANCE, "{found} for {expected}");
    close(f64::from(scored.logit), numbers(&outputs["logit"])[0]);
    for (modality, gate) in Modality::ALL.into_iter().zip(numbers(&outputs["modality_attention"])) {
        close(f64::from(scored.modality_weights[&modality]), gate);
        let score = scored.scores.get(modality).unwrap();
        close((score / (1.0 - score)).ln(), numbers(&outputs[format!("logit_{modality}")])[0]);
        let between = numbers(&outputs[format!("{modality}_answer_attention")]);
        let inside = numbers(&outputs[format!("{modality}_attention")]);
        let longest = inside.len() / between.len();
        for (answer, attention) in scored.attention.iter().enumerate() {
            let Some(attention) = attention.get(modality) else { continue };
            close(f64::from(attention.answer), between[answer]);
            for (row, weight) in attention.rows.iter().enumerate() {
                close(f64::from(*weight), inside[answer * longest + row]);
            }
        }
    }
}
