//! HireNet as an ONNX graph that keeps the contract: a single-modality network for each modality, after Hemamou et al.,
//! "HireNet" (AAAI 2019), equations as recalled in this project's notes, and a gated [`Fusion`] of them.

mod layers;
mod untrained;
mod weights;

use hirenet_core::Modality;
use hirenet_onnx::graph::{Attr, Dim, Element, Graph, Value};

use crate::card::Card;
use crate::contract;
use layers::{
    attend, cast, clear_padding, column, encode_rows, encode_words, indices, is_present, keep, masked_softmax, product,
    reshape, row_mask, unsqueeze, vector,
};
pub use untrained::{UNTRAINED_SEED, typical, untrained, untrained_card, untrained_weights};
pub use weights::{Attention, BiGru, Branch, Fusion, FusionBranch, Gru, LAYERS, Layers, Weights};

/// The two contexts as graph inputs.
struct Contexts {
    question: Value,
    question_len: Value,
    title: Value,
    title_len: Value,
}

/// What a branch hands to the fusion.
struct BranchValues {
    /// Interview vector `[1, 2H]`.
    interview: Value,
    /// Title vector `[1, C]`.
    title: Value,
    /// Whether any answer has the modality, bool `[1, 1]`.
    present: Value,
}

/// The serialised graph of `weights`, with `card` as its metadata. The same input gives the same bytes.
#[must_use]
pub fn export(weights: &Weights, card: &Card) -> Vec<u8> {
    let mut g = Graph::new("hirenet");
    let rows: Vec<(Modality, Value, Value)> = weights
        .branches
        .iter()
        .map(|(modality, branch)| {
            let axis = format!("{modality}_rows");
            let shape = [Dim::Named("answers"), Dim::Named(&axis), Dim::Fixed(branch.mean.len() as i64)];
            let values = g.input(modality.as_str(), Element::F32, &shape);
            let lengths = g.input(&contract::length(modality), Element::I64, &[Dim::Named("answers")]);
            (modality, values, lengths)
        })
        .collect();
    let width = weights.branches.iter().next().map_or(0, |(_, branch)| branch.question.input.ncols() as i64);
    let words = |axis| [Dim::Named(axis), Dim::Fixed(width)];
    let [question_rows, question_width] = words("question_words");
    let [title_rows, title_width] = words("title_words");
    let contexts = Contexts {
        question: g.input(contract::QUESTION, Element::F32, &[Dim::Named("answers"), question_rows, question_width]),
        question_len: g.input(contract::QUESTION_LEN, Element::I64, &[Dim::Named("answers")]),
        title: g.input(contract::TITLE, Element::F32, &[Dim::Fixed(1), title_rows, title_width]),
        title_len: g.input(contract::TITLE_LEN, Element::I64, &[Dim::Fixed(1)]),
    };
    let mut branches = Vec::new();
    for (modality, values, lengths) in &rows {
        if let Some(branch) = weights.branches.get(*modality) {
            branches.push((*modality, write_branch(&mut g, *modality, values, lengths, &contexts, branch)));
        }
    }
    write_fusion(&mut g, &branches, &weights.fusion);
    g.metadata(contract::METADATA_KEY, &card.to_json());
    g.to_bytes()
}

/// One single-modality HireNet and its three outputs.
fn write_branch(
    g: &mut Graph,
    modality: Modality,
    values: &Value,
    lengths: &Value,
    contexts: &Contexts,
    w: &Branch,
) -> BranchValues {
    let mask = row_mask(g, values, lengths);
    let (mean, inverse) = (vector(g, &w.mean), vector(g, &w.std.mapv(|std| 1.0 / std)));
    let centred = g.op("Sub", &[values, &mean], &[]);
    let normal = g.op("Mul", &[&centred, &inverse], &[]);
    let normal = clear_padding(g, &normal, &mask);
    let states = encode_rows(g, &normal, lengths, &w.low);
    let question = encode_words(g, &contexts.question, &contexts.question_len, &w.question);
    let (answers, local) = attend(g, &states, &question, &mask, &w.local);
    let summaries = g.op("Concat", &[&answers, &question], &[("axis", Attr::Int(1))]);

    let present = is_present(g, lengths);
    let (order, packed, count) = pack_left(g, &summaries, &present);
    let states = encode_rows(g, &packed, &count, &w.high);
    let title = encode_words(g, &contexts.title, &contexts.title_len, &w.title);
    let mask = row_mask(g, &packed, &count);
    let (interview, global) = attend(g, &states, &title, &mask, &w.global);
    let global = reshape(g, &global, &[-1]);
    // The weight of packed place j belongs to answer order[j].
    let nothing = g.op("Sub", &[&global, &global], &[]);
    let global = g.op("ScatterElements", &[&nothing, &order, &global], &[("axis", Attr::Int(0))]);

    let score = column(g, &w.score);
    let logit = g.op("MatMul", &[&interview, &score], &[]);
    let bias = g.constant_f32(&[], &[w.score_bias]);
    let logit = g.op("Add", &[&logit, &bias], &[]);
    let any = is_present(g, &count);
    let any = unsqueeze(g, &any, 1);
    let logit = keep(g, &any, &logit, 0.0);
    let logit = reshape(g, &logit, &[1]);

    let axis = format!("{modality}_rows");
    g.output(&contract::logit(modality), &logit, Element::F32, &[Dim::Fixed(1)]);
    let shape = [Dim::Named("answers"), Dim::Named(&axis)];
    g.output(&contract::attention(modality), &local, Element::F32, &shape);
    g.output(&contract::answer_attention(modality), &global, Element::F32, &[Dim::Named("answers")]);
    BranchValues { interview, title, present: any }
}

/// Answers `[A, S]` that have the modality moved to the front in their order, so that the recurrence skips the others:
/// the order i64 `[A]`, the packed rows `[1, A, S]`, and how many are in use, i64 `[1]`.
fn pack_left(g: &mut Graph, answers: &Value, present: &Value) -> (Value, Value, Value) {
    let index = indices(g, answers, 0);
    let index = cast(g, &index, Element::F32);
    let length = g.op("Shape", &[answers], &[("start", Attr::Int(0)), ("end", Attr::Int(1))]);
    let behind = cast(g, &length, Element::F32);
    let late = g.op("Add", &[&index, &behind], &[]);
    // Keys differ, so any sort is stable: an absent answer's place comes A later.
    let keys = g.op("Where", &[present, &index, &late], &[]);
    let attributes = [("axis", Attr::Int(0)), ("largest", Attr::Int(0)), ("sorted", Attr::Int(1))];
    let [_, order] = g.op_n("TopK", &[&keys, &length], &attributes);
    let packed = g.op("Gather", &[answers, &order], &[("axis", Attr::Int(0))]);
    let packed = unsqueeze(g, &packed, 0);
    let present = cast(g, present, Element::I64);
    let axes = g.constant_i64(&[1], &[0]);
    let count = g.op("ReduceSum", &[&present, &axes], &[("keepdims", Attr::Int(1))]);
    (order, packed, count)
}

/// The gated fusion, see [`Fusion`]. A modality that the bundle leaves out takes a masked place.
fn write_fusion(g: &mut Graph, branches: &[(Modality, BranchValues)], w: &Fusion) {
    let units = w.score.len();
    let (mut scores, mut presences, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for modality in Modality::ALL {
        let values = branches.iter().find(|(m, _)| *m == modality).map(|(_, values)| values);
        if let (Some(values), Some(branch)) = (values, w.branches.get(modality)) {
            let (gate_bias, project_bias) = (vector(g, &branch.gate_bias), vector(g, &branch.project_bias));
            let own = product(g, &values.interview, &branch.gate);
            let title = product(g, &values.title, &branch.gate_title);
            let sum = g.op("Sum", &[&own, &title, &gate_bias], &[]);
            let hidden = g.op("Tanh", &[&sum], &[]);
            let gate = column(g, &w.gate);
            scores.push(g.op("MatMul", &[&hidden, &gate], &[]));
            presences.push(cast(g, &values.present, Element::F32));
            let projected = product(g, &values.interview, &branch.project);
            let projected = g.op("Add", &[&projected, &project_bias], &[]);
            features.push(g.op("Tanh", &[&projected], &[]));
        } else {
            let absent = g.constant_f32(&[1, 1], &[0.0]);
            scores.push(absent.clone());
            presences.push(absent);
            features.push(g.constant_f32(&[1, units as i64], &vec![0.0; units]));
        }
    }
    let join = |g: &mut Graph, parts: &[Value], axis| {
        g.op("Concat", &parts.iter().collect::<Vec<_>>(), &[("axis", Attr::Int(axis))])
    };
    let scores = join(g, &scores, 1);
    let presences = join(g, &presences, 1);
    let mask = cast(g, &presences, Element::Bool);
    let weights = masked_softmax(g, &scores, &mask);
    let features = join(g, &features, 0);
    let fused = g.op("MatMul", &[&weights, &features], &[]);
    let score = column(g, &w.score);
    let logit = g.op("MatMul", &[&fused, &score], &[]);
    let bias = g.constant_f32(&[], &[w.score_bias]);
    let logit = g.op("Add", &[&logit, &bias], &[]);
    let any = g.op("ReduceMax", &[&presences], &[("keepdims", Attr::Int(1))]);
    let logit = g.op("Mul", &[&logit, &any], &[]);
    let logit = reshape(g, &logit, &[1]);
    let weights = reshape(g, &weights, &[3]);
    g.output(contract::LOGIT, &logit, Element::F32, &[Dim::Fixed(1)]);
    g.output(contract::MODALITY_ATTENTION, &weights, Element::F32, &[Dim::Fixed(3)]);
}
