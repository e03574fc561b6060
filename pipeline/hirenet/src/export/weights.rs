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
    /// Projection into the common space, `[F, 2H]`.
    pub project: Array2<f32>,
    /// Its bias, `[F]`.
    pub project_bias: Array1<f32>,
    /// The gate's view of the modality, `[N, 2H]`.
    pub gate: Array2<f32>,
    /// The gate's view of the title, `[N, C]`.
    pub gate_title: Array2<f32>,
    /// Its bias, `[N]`.
    pub gate_bias: Array1<f32>,
}

/// Gated fusion of the modalities that are there. A design of this project, after the modality attention that the
/// authors' follow-up (IEEE Trans. Affective Computing 14(2), 2023) speaks of and the gated multimodal unit of Arevalo et
/// al. (2017): `g_m = w . tanh(W_m v_m + W_J h_J + b_m)`, `gamma = softmax(g)` over the modalities that are there,
/// `f = sum gamma_m tanh(P_m v_m + p_m)`, `logit = s . f + s_0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fusion {
    /// The parts of each modality.
    pub branches: ByModality<FusionBranch>,
    /// `w`, `[N]`.
    pub gate: Array1<f32>,
    /// `s`, `[F]`.
    pub score: Array1<f32>,
    /// `s_0`.
    pub score_bias: f32,
}

/// All weights of a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// A HireNet for each modality; the graph leaves out what is `None`.
    pub branches: ByModality<Branch>,
    /// What joins them.
    pub fusion: Fusion,
}
