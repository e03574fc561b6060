//! Layers as ONNX operators (opset 17, those that ONNX Runtime has for CPU and CUDA alike).

use hirenet_onnx::graph::{Attr, Element, Graph, Value};
use ndarray::{Array1, Array2};

use super::weights::{Attention, BiGru, Gru};

/// Scores of masked rows before the softmax; far enough that their weight is exactly 0.
const MASKED: f32 = -1e9;

pub(crate) fn matrix_transposed(g: &mut Graph, matrix: &Array2<f32>) -> Value {
    let (rows, columns) = matrix.dim();
    let data: Vec<f32> = matrix.t().iter().copied().collect();
    g.constant_f32(&[columns as i64, rows as i64], &data)
}

pub(crate) fn vector(g: &mut Graph, values: &Array1<f32>) -> Value {
    g.constant_f32(&[values.len() as i64], &values.to_vec())
}

/// A vector as a matrix of one column, `[N, 1]`.
pub(crate) fn column(g: &mut Graph, values: &Array1<f32>) -> Value {
    g.constant_f32(&[values.len() as i64, 1], &values.to_vec())
}

pub(crate) fn unsqueeze(g: &mut Graph, value: &Value, axis: i64) -> Value {
    let axes = g.constant_i64(&[1], &[axis]);
    g.op("Unsqueeze", &[value, &axes], &[])
}

pub(crate) fn squeeze(g: &mut Graph, value: &Value, axis: i64) -> Value {
    let axes = g.constant_i64(&[1], &[axis]);
    g.op("Squeeze", &[value, &axes], &[])
}

pub(crate) fn reshape(g: &mut Graph, value: &Value, shape: &[i64]) -> Value {
    let shape = g.constant_i64(&[shape.len() as i64], shape);
    g.op("Reshape", &[value, &shape], &[])
}

pub(crate) fn cast(g: &mut Graph, value: &Value, element: Element) -> Value {
    g.op("Cast", &[value], &[("to", Attr::Int(i64::from(element.code())))])
}

/// `value` where `mask` holds, else `other`.
pub(crate) fn keep(g: &mut Graph, mask: &Value, value: &Value, other: f32) -> Value {
    let other = g.constant_f32(&[], &[other]);
    g.op("Where", &[mask, value, &other], &[])
}

/// `[0, 1, ..., n)` as i64, where `n` is the length of `axis` of `value`.
pub(crate) fn indices(g: &mut Graph, value: &Value, axis: i64) -> Value {
    let length = g.op("Shape", &[value], &[("start", Attr::Int(axis)), ("end", Attr::Int(axis + 1))]);
    let length = squeeze(g, &length, 0);
    let (zero, one) = (g.constant_i64(&[], &[0]), g.constant_i64(&[], &[1]));
    g.op("Range", &[&zero, &length, &one], &[])
}

/// `[B, N]`: true for rows in use, where `lengths` is `[B]` and `value` is `[B, N, ...]`.
pub(crate) fn row_mask(g: &mut Graph, value: &Value, lengths: &Value) -> Value {
    let index = indices(g, value, 1);
    let index = unsqueeze(g, &index, 0);
    let lengths = unsqueeze(g, lengths, 1);
    g.op("Less", &[&index, &lengths], &[])
}

/// True where a length is above 0; the same shape.
pub(crate) fn is_present(g: &mut Graph, lengths: &Value) -> Value {
    let zero = g.constant_i64(&[], &[0]);
    g.op("Greater", &[lengths, &zero], &[])
}

/// Zeros in the rows that are not in use, so that whatever lies there cannot spread.
pub(crate) fn clear_padding(g: &mut Graph, value: &Value, mask: &Value) -> Value {
    let mask = unsqueeze(g, mask, 2);
    keep(g, &mask, value, 0.0)
}

/// Lengths for a recurrence: i32, at least 1, because an empty sequence is undefined there. Callers mask what comes out.
fn recurrence_lengths(g: &mut Graph, lengths: &Value) -> Value {
    let one = g.constant_i64(&[], &[1]);
    let lengths = g.op("Max", &[lengths, &one], &[]);
    cast(g, &lengths, Element::I32)
}

fn gru(g: &mut Graph, time_major: &Value, lengths: &Value, directions: &[&Gru]) -> [Value; 2] {
    let hidden = directions[0].recurrent.ncols() as i64;
    let stack = |part: fn(&Gru) -> Vec<f32>| directions.iter().flat_map(|d| part(d)).collect::<Vec<f32>>();
    let count = directions.len() as i64;
    let columns = directions[0].input.ncols() as i64;
    let input = g.constant_f32(&[count, 3 * hidden, columns], &stack(|d| d.input.iter().copied().collect()));
    let recurrent = g.constant_f32(&[count, 3 * hidden, hidden], &stack(|d| d.recurrent.iter().copied().collect()));
    let bias = g.constant_f32(&[count, 6 * hidden], &stack(|d| d.bias.to_vec()));
    let lengths = recurrence_lengths(g, lengths);
    let direction = if directions.len() == 2 { "bidirectional" } else { "forward" };
    let attributes = [
        ("hidden_size", Attr::Int(hidden)),
        ("direction", Attr::Str(direction)),
        ("linear_before_reset", Attr::Int(1)),
    ];
    g.op_n("GRU", &[time_major, &input, &recurrent, &bias, &lengths], &attributes)
}

/// States `[B, N, 2H]` of both directions over `rows` `[B, N, D]`, of which `lengths` `[B]` are in use.
pub(crate) fn encode_rows(g: &mut Graph, rows: &Value, lengths: &Value, weights: &BiGru) -> Value {
    let time_major = g.op("Transpose", &[rows], &[("perm", Attr::Ints(&[1, 0, 2]))]);
    let [states, _] = gru(g, &time_major, lengths, &[&weights.forward, &weights.backward]);
    let states = g.op("Transpose", &[&states], &[("perm", Attr::Ints(&[2, 0, 1, 3]))]);
    reshape(g, &states, &[0, 0, 2 * weights.forward.recurrent.ncols() as i64])
}

/// The last state `[B, C]` over the words `[B, L, E]`; zeros where `lengths` is 0.
pub(crate) fn encode_words(g: &mut Graph, words: &Value, lengths: &Value, weights: &Gru) -> Value {
    let mask = row_mask(g, words, lengths);
    let words = clear_padding(g, words, &mask);
    let time_major = g.op("Transpose", &[&words], &[("perm", Attr::Ints(&[1, 0, 2]))]);
    let [_, last] = gru(g, &time_major, lengths, &[weights]);
    let last = squeeze(g, &last, 0);
    let present = is_present(g, lengths);
    let present = unsqueeze(g, &present, 1);
    keep(g, &present, &last, 0.0)
}

/// `x W^T` for `W` `[N, D]`.
pub(crate) fn product(g: &mut Graph, x: &Value, matrix: &Array2<f32>) -> Value {
    let matrix = matrix_transposed(g, matrix);
    g.op("MatMul", &[x, &matrix], &[])
}

/// Softmax over the last axis among the places where `mask` holds; 0 elsewhere, and everywhere where it holds nowhere.
pub(crate) fn masked_softmax(g: &mut Graph, scores: &Value, mask: &Value) -> Value {
    let scores = keep(g, mask, scores, MASKED);
    let weights = g.op("Softmax", &[&scores], &[("axis", Attr::Int(-1))]);
    let mask = cast(g, mask, Element::F32);
    g.op("Mul", &[&weights, &mask], &[])
}

/// Pooled states `[B, 2H]` and weights `[B, N]` of states `[B, N, 2H]` under contexts `[B, C]`.
pub(crate) fn attend(g: &mut Graph, states: &Value, context: &Value, mask: &Value, w: &Attention) -> (Value, Value) {
    let bias = vector(g, &w.bias);
    let state_part = product(g, states, &w.state);
    let state_part = g.op("Add", &[&state_part, &bias], &[]);
    let context_part = product(g, context, &w.context);
    let context_part = unsqueeze(g, &context_part, 1);
    let sum = g.op("Add", &[&state_part, &context_part], &[]);
    let hidden = g.op("Tanh", &[&sum], &[]);
    let query = column(g, &w.query);
    let scores = g.op("MatMul", &[&hidden, &query], &[]);
    let scores = squeeze(g, &scores, 2);
    let weights = masked_softmax(g, &scores, mask);
    let row = unsqueeze(g, &weights, 1);
    let pooled = g.op("MatMul", &[&row, states], &[]);
    (squeeze(g, &pooled, 1), weights)
}
