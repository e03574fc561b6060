//! HireNet's weights as plain arrays: what a trainer fills and the graph writer reads.

use hirenet_core::ByModality;
use ndarray::{Array1, Array2};

/// Sizes of the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// Hidden units `H` of each direction of the two encoders.
    pub hidden: usize,
    /// Hidden units `C` of the question and title encoders.
    pub context: usize,
    /// Units of the additive attentions, and of the fusion's gate.
    pub attention: usize,
    /// Units of the fusion's common space.
    pub fusion: usize,
}

/// Sizes of the published bundles: 64 everywhere, so that `H` both ways gives 128.
pub const LAYERS: Layers = Layers { hidden: 64, context: 64, attention: 64, fusion: 64 };

/// One direction of a gated recurrent unit in ONNX's order of gates: update `z`, reset `r`, candidate `h`; the reset
/// gate acts after the recurrent product (`linear_before_reset`), as in PyTorch, whose order is `r`, `z`, `n`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gru {
    /// Input weights `[3H, D]`.
    pub input: Array2<f32>,
    /// Recurrent weights `[3H, H]`.
    pub recurrent: Array2<f32>,
    /// Input biases, then recurrent biases: `[6H]`.
    pub bias: Array1<f32>,
}

/// A bidirectional gated recurrent unit.
#[derive(Debug, Clone, PartialEq)]
pub struct BiGru {
    /// From the first row to the last.
    pub forward: Gru,
    /// From the last row to the first.
    pub backward: Gru,
}

/// Additive attention conditioned on a context: `e_t = u . tanh(W_h h_t + W_c c + b)`, `a = softmax(e)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// `W_h`, `[N, 2H]`.
    pub state: Array2<f32>,
    /// `b`, `[N]`.
    pub bias: Array1<f32>,
    /// `W_c`, `[N, C]`.
    pub context: Array2<f32>,
    /// `u`, `[N]`.
    pub query: Array1<f32>,
}

/// One single-modality HireNet.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Mean of each feature over the training rows, `[D]`.
    pub mean: Array1<f32>,
    /// Standard deviation of each feature, `[D]`; positive.
    pub std: Array1<f32>,
    /// Low-level encoder over the rows of an answer, `D -> 2H`.
    pub low: BiGru,
    /// Question encoder, `E -> C`.
    pub question: Gru,
    /// Low-level attention, conditioned on the question.
    pub local: Attention,
    /// High-level encoder over the answers, `2H + C -> 2H`: the answer's vector, then the question's.
    pub high: BiGru,
    /// Title encoder, `E -> C`.
    pub title: Gru,
    /// High-level attention, conditioned on the title.
    pub global: Attention,
    /// Scoring weights, `[2H]`.
    pub score: Array1<f32>,
    /// Scoring bias.
    pub score_bias: f32,
}

/// What the fusion knows of one modality.
#[derive(Debug, Clone, PartialEq)]
pub struct FusionBranch {
    /// `P_m`, projection of an answer's vector into the common space, `[F, 2H]`.
    pub project: Array2<f32>,
    /// `W_m`, the gate's view of the answer's vector, `[N, 2H]`.
    pub gate: Array2<f32>,
    /// `b_m`, `[N]`.
    pub gate_bias: Array1<f32>,
    /// Factor that makes the modality's own logit log-odds to be added up.
    pub evidence_scale: f32,
    /// What is added to them then: the modality's offset less the prior.
    pub evidence_offset: f32,
}

/// Gated fusion of the modalities that an answer has. A design of this project after the modality attention that the
/// authors' follow-up (IEEE Trans. Affective Computing 14(2), 2023) speaks of; its equations were not at hand. The low
/// level runs for each modality; then for answer `i` with the vectors `a_m` of the modalities that it has
/// `g_m = w . tanh(W_m a_m + W_Q hQ_i + b_m)`, `gamma_i = softmax(g)`, `f_i = sum gamma_im P_m a_m`, and HireNet's high level
/// goes on with `[f_i; hQ_i]`. The modality's weight in the interview is `Gamma_m = sum_i beta_i gamma_im`. The logit is
/// `prior + K sum_m Gamma_m e_m + score(v)` with the evidence `e_m = scale_m logit_m + offset_m` of each of the `K` modalities
/// that the interview has: late fusion, weighed by the gate and corrected by the high level.
#[derive(Debug, Clone, PartialEq)]
pub struct Fusion {
    /// The parts of each modality.
    pub branches: ByModality<FusionBranch>,
    /// Question encoder, `E -> C`.
    pub question: Gru,
    /// `W_Q`, `[N, C]`.
    pub gate_question: Array2<f32>,
    /// `w`, `[N]`.
    pub gate: Array1<f32>,
    /// High-level encoder over the answers, `F + C -> 2H`.
    pub high: BiGru,
    /// Title encoder, `E -> C`.
    pub title: Gru,
    /// High-level attention, conditioned on the title.
    pub global: Attention,
    /// Scoring weights, `[2H]`.
    pub score: Array1<f32>,
    /// Scoring bias.
    pub score_bias: f32,
    /// Log-odds of a candidate of whom nothing is known.
    pub prior: f32,
}

/// All weights of a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// A HireNet for each modality; the graph leaves out what is `None`.
    pub branches: ByModality<Branch>,
    /// What joins them.
    pub fusion: Fusion,
}
