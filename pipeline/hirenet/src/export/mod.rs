//! HireNet as an ONNX graph that keeps the contract: a single-modality network for each modality, after Hemamou et al.,
//! "HireNet" (AAAI 2019), equations as recalled in this project's notes, and a gated [`Fusion`] of them.

mod layers;
mod untrained;
mod weights;

use hirenet_core::Modality;
use hirenet_onnx::graph::{Attr, Dim, Element, Graph, Value};
use ndarray::Array1;

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
    /// Vector of each answer `[A, 2H]`; zeros where it lacks the modality.
    answers: Value,
    /// Whether an answer has the modality, bool `[A, 1]`.
    present: Value,
    /// `[1]`; 0 where no answer has it.
    logit: Value,
}

/// What HireNet's high level says.
struct HighLevel {
    /// `[1, 1]`; 0 where no answer is there.
    logit: Value,
    /// Weight of each answer, `[A]`.
    weights: Value,
}

/// Weights of a high level.
struct HighWeights<'a> {
    high: &'a BiGru,
    title: &'a Gru,
    global: &'a Attention,
    score: &'a Array1<f32>,
    score_bias: f32,
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
    write_fusion(&mut g, &branches, &contexts, &weights.fusion);
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
    let weights =
        HighWeights { high: &w.high, title: &w.title, global: &w.global, score: &w.score, score_bias: w.score_bias };
    let high = write_high_level(g, &summaries, &present, contexts, &weights);
    let logit = reshape(g, &high.logit, &[1]);

    let axis = format!("{modality}_rows");
    g.output(&contract::logit(modality), &logit, Element::F32, &[Dim::Fixed(1)]);
    let shape = [Dim::Named("answers"), Dim::Named(&axis)];
    g.output(&contract::attention(modality), &local, Element::F32, &shape);
    g.output(&contract::answer_attention(modality), &high.weights, Element::F32, &[Dim::Named("answers")]);
    BranchValues { answers, present: unsqueeze(g, &present, 1), logit }
}

/// The recurrence over the answers that are `present` (bool `[A]`), attention under the title, and the score.
fn write_high_level(
    g: &mut Graph,
    summaries: &Value,
    present: &Value,
    contexts: &Contexts,
    w: &HighWeights<'_>,
) -> HighLevel {
    let (order, packed, count) = pack_left(g, summaries, present);
    let states = encode_rows(g, &packed, &count, w.high);
    let title = encode_words(g, &contexts.title, &contexts.title_len, w.title);
    let mask = row_mask(g, &packed, &count);
    let (interview, global) = attend(g, &states, &title, &mask, w.global);
    let global = reshape(g, &global, &[-1]);
    // The weight of packed place j belongs to answer order[j].
    let nothing = g.op("Sub", &[&global, &global], &[]);
    let weights = g.op("ScatterElements", &[&nothing, &order, &global], &[("axis", Attr::Int(0))]);

    let score = column(g, w.score);
    let logit = g.op("MatMul", &[&interview, &score], &[]);
    let bias = g.constant_f32(&[], &[w.score_bias]);
    let logit = g.op("Add", &[&logit, &bias], &[]);
    let any = is_present(g, &count);
    let any = unsqueeze(g, &any, 1);
    HighLevel { logit: keep(g, &any, &logit, 0.0), weights }
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
fn write_fusion(g: &mut Graph, branches: &[(Modality, BranchValues)], contexts: &Contexts, w: &Fusion) {
    let question = encode_words(g, &contexts.question, &contexts.question_len, &w.question);
    let from_question = product(g, &question, &w.gate_question);
    let gate = column(g, &w.gate);
    let (mut scores, mut presences, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for modality in Modality::ALL {
        let values = branches.iter().find(|(m, _)| *m == modality).map(|(_, values)| values);
        let (Some(values), Some(branch)) = (values, w.branches.get(modality)) else { continue };
        let own = product(g, &values.answers, &branch.gate);
        let bias = vector(g, &branch.gate_bias);
        let sum = g.op("Sum", &[&own, &from_question, &bias], &[]);
        let hidden = g.op("Tanh", &[&sum], &[]);
        scores.push((modality, g.op("MatMul", &[&hidden, &gate], &[])));
        presences.push((modality, cast(g, &values.present, Element::F32)));
        features.push((modality, product(g, &values.answers, &branch.project)));
    }
    let Some((_, some)) = presences.first() else { return };
    let absent = g.op("Sub", &[some, some], &[]);
    let scores = join_modalities(g, &scores, &absent);
    let presences = join_modalities(g, &presences, &absent);
    let mask = cast(g, &presences, Element::Bool);
    let gamma = masked_softmax(g, &scores, &mask);

    let mut weighted = Vec::new();
    for (modality, feature) in &features {
        let place = g.constant_i64(&[1], &[*modality as i64]);
        let own = g.op("Gather", &[&gamma, &place], &[("axis", Attr::Int(1))]);
        weighted.push(g.op("Mul", &[&own, feature], &[]));
    }
    let fused = g.op("Sum", &weighted.iter().collect::<Vec<_>>(), &[]);
    let summaries = g.op("Concat", &[&fused, &question], &[("axis", Attr::Int(1))]);
    let any = g.op("ReduceMax", &[&presences], &[("axes", Attr::Ints(&[1])), ("keepdims", Attr::Int(0))]);
    let any = cast(g, &any, Element::Bool);
    let weights =
        HighWeights { high: &w.high, title: &w.title, global: &w.global, score: &w.score, score_bias: w.score_bias };
    let high = write_high_level(g, &summaries, &any, contexts, &weights);

    let beta = unsqueeze(g, &high.weights, 0);
    let of_interview = g.op("MatMul", &[&beta, &gamma], &[]);
    let of_interview = reshape(g, &of_interview, &[3]);
    let believed = weighed_evidence(g, branches, &presences, &of_interview, w);
    let correction = reshape(g, &high.logit, &[1]);
    let logit = g.op("Add", &[&correction, &believed], &[]);
    g.output(contract::LOGIT, &logit, Element::F32, &[Dim::Fixed(1)]);
    g.output(contract::MODALITY_ATTENTION, &of_interview, Element::F32, &[Dim::Fixed(3)]);
}

/// `prior + K sum_m Gamma_m e_m`, `[1]`, from `presences` `[A, 3]` and `Gamma` `[3]`; 0 where no answer has any modality.
fn weighed_evidence(
    g: &mut Graph,
    branches: &[(Modality, BranchValues)],
    presences: &Value,
    of_interview: &Value,
    w: &Fusion,
) -> Value {
    let present = g.op("ReduceMax", &[presences], &[("axes", Attr::Ints(&[0])), ("keepdims", Attr::Int(0))]);
    let mut evidence = Vec::new();
    for (modality, values) in branches {
        let Some(branch) = w.branches.get(*modality) else { continue };
        let place = g.constant_i64(&[1], &[*modality as i64]);
        let of = |g: &mut Graph, from: &Value| g.op("Gather", &[from, &place], &[("axis", Attr::Int(0))]);
        let (there, weight) = (of(g, &present), of(g, of_interview));
        let (scale, offset) =
            (g.constant_f32(&[], &[branch.evidence_scale]), g.constant_f32(&[], &[branch.evidence_offset]));
        let scaled = g.op("Mul", &[&values.logit, &scale], &[]);
        let offset = g.op("Mul", &[&there, &offset], &[]);
        let own = g.op("Add", &[&scaled, &offset], &[]);
        evidence.push(g.op("Mul", &[&own, &weight], &[]));
    }
    let sum = g.op("Sum", &evidence.iter().collect::<Vec<_>>(), &[]);
    let whole = [("axes", Attr::Ints(&[0])), ("keepdims", Attr::Int(1))];
    let any = g.op("ReduceMax", &[&present], &whole);
    let axes = g.constant_i64(&[1], &[0]);
    let count = g.op("ReduceSum", &[&present, &axes], &[("keepdims", Attr::Int(1))]);
    let sum = g.op("Mul", &[&sum, &count], &[]);
    let prior = g.constant_f32(&[], &[w.prior]);
    let prior = g.op("Mul", &[&any, &prior], &[]);
    g.op("Add", &[&sum, &prior], &[])
}

/// Columns `[A, 1]` of the modalities in the contract's order, `[A, 3]`; `absent` for those that are left out.
fn join_modalities(g: &mut Graph, columns: &[(Modality, Value)], absent: &Value) -> Value {
    let of = |modality| columns.iter().find(|(m, _)| *m == modality).map_or(absent, |(_, value)| value);
    g.op("Concat", &Modality::ALL.map(of), &[("axis", Attr::Int(1))])
}
