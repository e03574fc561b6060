//! Compares a graph's inputs and outputs with the contract.

use hirenet_core::{Modality, Schema};
use hirenet_onnx::ort::value::{Outlet, TensorElementType, ValueType};
use std::sync::Arc;

use crate::contract;

/// What an axis must be.
#[derive(Clone, Copy)]
enum Axis {
    /// A length known at run time, by its letter in the contract.
    Dynamic(&'static str),
    /// This length; unknown until run time is accepted.
    Length(usize, &'static str),
}

struct Expected {
    name: String,
    element: TensorElementType,
    axes: Vec<Axis>,
}

const F32: TensorElementType = TensorElementType::Float32;
const I64: TensorElementType = TensorElementType::Int64;
const A: Axis = Axis::Dynamic("A (answers)");
const T: Axis = Axis::Dynamic("T (rows)");
const L: Axis = Axis::Dynamic("L (words)");

fn expect(name: impl Into<String>, element: TensorElementType, axes: &[Axis]) -> Expected {
    Expected { name: name.into(), element, axes: axes.to_vec() }
}

/// The modalities that a graph speaks of, in any of its names.
pub(crate) fn modalities(inputs: &[Outlet], outputs: &[Outlet]) -> Vec<Modality> {
    Modality::ALL
        .into_iter()
        .filter(|m| {
            let ins = [m.as_str().to_owned(), contract::length(*m)];
            let outs = [contract::logit(*m), contract::attention(*m), contract::answer_attention(*m)];
            inputs.iter().any(|input| ins.iter().any(|name| name == input.name()))
                || outputs.iter().any(|output| outs.iter().any(|name| name == output.name()))
        })
        .collect()
}

/// Every way in which the inputs and outputs differ from the contract, as sentences.
pub(crate) fn findings(
    inputs: &[Outlet],
    outputs: &[Outlet],
    schemas: &[(Modality, Arc<Schema>)],
    context: &Schema,
) -> Vec<String> {
    let mut expected_inputs = Vec::new();
    let mut expected_outputs = vec![
        expect(contract::LOGIT, F32, &[Axis::Length(1, "1")]),
        expect(contract::MODALITY_ATTENTION, F32, &[Axis::Length(3, "3 (verbal, vocal, visual)")]),
    ];
    for (m, schema) in schemas {
        expected_inputs.push(expect(m.as_str(), F32, &[A, T, Axis::Length(schema.dim(), "D (columns)")]));
        expected_inputs.push(expect(contract::length(*m), I64, &[A]));
        expected_outputs.push(expect(contract::logit(*m), F32, &[Axis::Length(1, "1")]));
        expected_outputs.push(expect(contract::attention(*m), F32, &[A, T]));
        expected_outputs.push(expect(contract::answer_attention(*m), F32, &[A]));
    }
    let width = Axis::Length(context.dim(), "E (word vector)");
    expected_inputs.extend([
        expect(contract::QUESTION, F32, &[A, L, width]),
        expect(contract::QUESTION_LEN, I64, &[A]),
        expect(contract::TITLE, F32, &[Axis::Length(1, "1"), L, width]),
        expect(contract::TITLE_LEN, I64, &[Axis::Length(1, "1")]),
    ]);
    let mut findings = compare("input", inputs, &expected_inputs);
    findings.extend(compare("output", outputs, &expected_outputs));
    for input in inputs.iter().filter(|input| expected_inputs.iter().all(|e| e.name != input.name())) {
        findings.push(format!("input `{}` is not in the contract, so nothing can fill it", input.name()));
    }
    if schemas.is_empty() {
        findings.push("the graph has none of the inputs `verbal`, `vocal` and `visual`".to_owned());
    }
    findings
}

fn compare(side: &str, found: &[Outlet], expected: &[Expected]) -> Vec<String> {
    let mut findings = Vec::new();
    for wanted in expected {
        let Some(outlet) = found.iter().find(|outlet| outlet.name() == wanted.name) else {
            findings.push(format!("{side} `{}` is missing", wanted.name));
            continue;
        };
        let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
            findings.push(format!("{side} `{}` is not a tensor", wanted.name));
            continue;
        };
        if *ty != wanted.element {
            findings.push(format!("{side} `{}` has type {ty}; the contract has {}", wanted.name, wanted.element));
        }
        // Some exporters leave an output's shape out, which reads as rank 0; each run checks the real one.
        if side == "output" && shape.is_empty() {
            continue;
        }
        if shape.len() != wanted.axes.len() {
            let (is, must) = (shape.len(), wanted.axes.len());
            findings.push(format!("{side} `{}` has {is} axes; the contract has {must}", wanted.name));
            continue;
        }
        for (position, (length, axis)) in shape.iter().zip(&wanted.axes).enumerate() {
            findings.extend(axis_finding(side, &wanted.name, position, *length, *axis));
        }
    }
    findings
}

fn axis_finding(side: &str, name: &str, position: usize, length: i64, axis: Axis) -> Option<String> {
    match axis {
        // What an exporter writes for an output may be a trace's own length; a run shows whether it is so.
        Axis::Dynamic(letter) if length >= 0 && side == "input" => Some(format!(
            "axis {position} of {side} `{name}`, {letter}, is fixed at {length}; export it as a dynamic axis"
        )),
        Axis::Length(wanted, letter) if length >= 0 && length != wanted as i64 => {
            Some(format!("axis {position} of {side} `{name}`, {letter}, is {length}; it must be {wanted}"))
        }
        _ => None,
    }
}
