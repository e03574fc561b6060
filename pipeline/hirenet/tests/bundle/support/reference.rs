use std::collections::BTreeSet;

use hirenet_core::Modality;
use hirenet_model::InterviewTracks;
use hirenet_model::export::{Attention, BiGru, Branch, Fusion, Gru, Weights};
use ndarray::Array2;

/// Logits and attentions of one modality.
#[derive(Default)]
pub(crate) struct BranchResult {
    pub(crate) logit: f64,
    /// For each answer the weights of its rows; empty where it lacks the modality.
    pub(crate) local: Vec<Vec<f64>>,
    /// The weight of each answer.
    pub(crate) global: Vec<f64>,
}

pub(crate) struct Result {
    pub(crate) logit: f64,
    pub(crate) branches: Vec<BranchResult>,
    pub(crate) modality_weights: [f64; 3],
}

type Vector = Vec<f64>;

fn product(matrix: &Array2<f32>, x: &[f64]) -> Vector {
    matrix.rows().into_iter().map(|row| dot(row, x)).collect()
}

fn dot<'a>(weights: impl IntoIterator<Item = &'a f32>, x: &[f64]) -> f64 {
    weights.into_iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One step: `h' = (1 - z) n + z h` with `n = tanh(W x + b + r (U h + c))`.
fn step(gru: &Gru, x: &[f64], h: &[f64]) -> Vector {
    let n = h.len();
    let (from_input, from_state) = (product(&gru.input, x), product(&gru.recurrent, h));
    let bias = |i: usize| f64::from(gru.bias[i]);
    (0..n)
        .map(|i| {
            let z = sigmoid(from_input[i] + from_state[i] + bias(i) + bias(3 * n + i));
            let r = sigmoid(from_input[n + i] + from_state[n + i] + bias(n + i) + bias(4 * n + i));
            let candidate =
                (from_input[2 * n + i] + bias(2 * n + i) + r * (from_state[2 * n + i] + bias(5 * n + i))).tanh();
            (1.0 - z) * candidate + z * h[i]
        })
        .collect()
}

fn states(gru: &Gru, xs: impl Iterator<Item = Vector>) -> Vec<Vector> {
    let mut h = vec![0.0; gru.recurrent.ncols()];
    xs.map(|x| {
        h = step(gru, &x, &h);
        h.clone()
    })
    .collect()
}

fn both_ways(gru: &BiGru, xs: &[Vector]) -> Vec<Vector> {
    let forward = states(&gru.forward, xs.iter().cloned());
    let mut backward = states(&gru.backward, xs.iter().rev().cloned());
    backward.reverse();
    forward.into_iter().zip(backward).map(|(f, b)| [f, b].concat()).collect()
}

fn last(gru: &Gru, words: &Array2<f32>) -> Vector {
    let rows = words.rows().into_iter().map(|row| row.iter().map(|v| f64::from(*v)).collect());
    states(gru, rows).pop().unwrap_or_else(|| vec![0.0; gru.recurrent.ncols()])
}

fn softmax(scores: &[f64]) -> Vector {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vector = scores.iter().map(|e| (e - top).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
}

fn attend(w: &Attention, states: &[Vector], context: &[f64]) -> (Vector, Vector) {
    let from_context = product(&w.context, context);
    let scores: Vector = states
        .iter()
        .map(|h| {
            let from_state = product(&w.state, h);
            let hidden: Vector = (0..from_state.len())
                .map(|i| (from_state[i] + from_context[i] + f64::from(w.bias[i])).tanh())
                .collect();
            dot(&w.query, &hidden)
        })
        .collect();
    let weights = softmax(&scores);
    let mut pooled = vec![0.0; states[0].len()];
    for (h, a) in states.iter().zip(&weights) {
        pooled.iter_mut().zip(h).for_each(|(p, h)| *p += a * h);
    }
    (pooled, weights)
}

/// Vector of each answer (`None` where it lacks the modality) and results of one modality; `None` where no answer has it.
fn branch(w: &Branch, modality: Modality, interview: &InterviewTracks) -> Option<(Vec<Option<Vector>>, BranchResult)> {
    let mut result = BranchResult::default();
    let (mut summaries, mut places) = (Vec::new(), Vec::new());
    let mut vectors = vec![None; interview.answers.len()];
    for (place, answer) in interview.answers.iter().enumerate() {
        result.global.push(0.0);
        result.local.push(Vec::new());
        let Some(track) = answer.tracks.get(modality) else { continue };
        let rows: Vec<Vector> = track
            .compact()
            .0
            .rows()
            .into_iter()
            .map(|row| {
                row.iter().zip(&w.mean).zip(&w.std).map(|((x, m), s)| f64::from(x - m) / f64::from(*s)).collect()
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        let question = last(&w.question, &answer.question.compact().0);
        let (pooled, weights) = attend(&w.local, &both_ways(&w.low, &rows), &question);
        result.local[place] = weights;
        vectors[place] = Some(pooled.clone());
        summaries.push([pooled, question].concat());
        places.push(place);
    }
    if summaries.is_empty() {
        return None;
    }
    let title = last(&w.title, &interview.title.compact().0);
    let (interview, weights) = attend(&w.global, &both_ways(&w.high, &summaries), &title);
    for (place, weight) in places.into_iter().zip(weights) {
        result.global[place] = weight;
    }
    result.logit = dot(&w.score, &interview) + f64::from(w.score_bias);
    Some((vectors, result))
}

/// Gates and summary of one answer; `None` where it has no modality.
fn fuse(w: &Fusion, vectors: &[(usize, &Vector)], question: &[f64]) -> Option<([f64; 3], Vector)> {
    let branch = |place: usize| w.branches.get(Modality::ALL[place]).unwrap();
    let scores: Vector = vectors
        .iter()
        .map(|(place, a)| {
            let (own, asked) = (product(&branch(*place).gate, a), product(&w.gate_question, question));
            let bias = &branch(*place).gate_bias;
            let hidden: Vector =
                own.iter().zip(&asked).zip(bias).map(|((x, y), b)| (x + y + f64::from(*b)).tanh()).collect();
            dot(&w.gate, &hidden)
        })
        .collect();
    if scores.is_empty() {
        return None;
    }
    let mut gammas = [0.0; 3];
    let mut fused = vec![0.0; w.high.forward.input.ncols() - question.len()];
    for ((place, a), gamma) in vectors.iter().zip(softmax(&scores)) {
        gammas[*place] = gamma;
        fused.iter_mut().zip(product(&branch(*place).project, a)).for_each(|(sum, x)| *sum += gamma * x);
    }
    Some((gammas, [fused, question.to_vec()].concat()))
}

/// The equations of the three HireNets and their fusion.
pub(crate) fn forward(weights: &Weights, interview: &InterviewTracks) -> Result {
    let mut out = Result { logit: 0.0, branches: Vec::new(), modality_weights: [0.0; 3] };
    let mut vectors = Vec::new();
    for (place, modality) in Modality::ALL.into_iter().enumerate() {
        let found = weights.branches.get(modality).and_then(|w| branch(w, modality, interview));
        let (of_answers, result) = found.unwrap_or_default();
        vectors.extend(of_answers.into_iter().enumerate().filter_map(|(answer, a)| Some((answer, place, a?))));
        out.branches.push(result);
    }
    let w = &weights.fusion;
    let (mut gates, mut summaries) = (Vec::new(), Vec::new());
    for (number, answer) in interview.answers.iter().enumerate() {
        let question = last(&w.question, &answer.question.compact().0);
        let here: Vec<(usize, &Vector)> =
            vectors.iter().filter(|(a, ..)| *a == number).map(|(_, place, a)| (*place, a)).collect();
        let Some((gammas, summary)) = fuse(w, &here, &question) else { continue };
        gates.push(gammas);
        summaries.push(summary);
    }
    if summaries.is_empty() {
        return out;
    }
    let title = last(&w.title, &interview.title.compact().0);
    let (v, betas) = attend(&w.global, &both_ways(&w.high, &summaries), &title);
    out.logit = dot(&w.score, &v) + f64::from(w.score_bias);
    for (gammas, beta) in gates.iter().zip(betas) {
        out.modality_weights.iter_mut().zip(gammas).for_each(|(sum, gamma)| *sum += beta * gamma);
    }
    out.logit += weighed_evidence(w, &out, &vectors);
    out
}

/// `prior + K sum_m Gamma_m e_m` over the `K` modalities that some answer has.
fn weighed_evidence(w: &Fusion, out: &Result, vectors: &[(usize, usize, Vector)]) -> f64 {
    let there: BTreeSet<usize> = vectors.iter().map(|(_, place, _)| *place).collect();
    let evidence = |place: usize| {
        let of = w.branches.get(Modality::ALL[place]).unwrap();
        f64::from(of.evidence_scale) * out.branches[place].logit + f64::from(of.evidence_offset)
    };
    let sum: f64 = there.iter().map(|place| out.modality_weights[*place] * evidence(*place)).sum();
    f64::from(w.prior) + there.len() as f64 * sum
}
