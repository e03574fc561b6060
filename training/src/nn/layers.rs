//! The layers that the models are made of. Initial ranges are PyTorch's: uniform within `1 / sqrt(inputs)`, for recurrent
//! layers within `1 / sqrt(H)`.

use candle_core::{Result, Tensor, Var};
use hirenet_model::export;
use ndarray::{Array1, Array2, s};

use super::parameters::{matrix, vector};
use super::{Parameters, Ragged, attend, gru, project_input};
use crate::data::WordRows;

/// A gated recurrent unit in one or both directions.
#[derive(Debug, Clone)]
pub struct Gru {
    /// `[directions 3H, D]`, gates in the order z, r, n.
    input: Var,
    input_bias: Var,
    /// `[directions 3H, H]`
    recurrent: Var,
    recurrent_bias: Var,
    hidden: usize,
    directions: usize,
}

impl Gru {
    /// Draws the weights.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(p: &mut Parameters, name: &str, columns: usize, hidden: usize, directions: usize) -> Result<Gru> {
        let (range, size) = (1.0 / (hidden as f32).sqrt(), directions * 3 * hidden);
        Ok(Gru {
            input: p.uniform(&format!("{name}.input"), &[size, columns], range)?,
            input_bias: p.uniform(&format!("{name}.input_bias"), &[size], range)?,
            recurrent: p.uniform(&format!("{name}.recurrent"), &[size, hidden], range)?,
            recurrent_bias: p.uniform(&format!("{name}.recurrent_bias"), &[size], range)?,
            hidden,
            directions,
        })
    }

    /// States `[R, directions H]` over data, which needs no gradient.
    ///
    /// # Errors
    /// Those of the device.
    pub fn over_data(&self, x: &Tensor, rows: &Ragged) -> Result<Tensor> {
        gru(&project_input(x, &self.input, &self.input_bias)?, &self.recurrent, &self.recurrent_bias, rows)
    }

    /// States over values that have a gradient.
    ///
    /// # Errors
    /// Those of the device.
    pub fn over(&self, x: &Tensor, rows: &Ragged) -> Result<Tensor> {
        let projected = x.matmul(&self.input.t()?)?.broadcast_add(&self.input_bias)?;
        gru(&projected, &self.recurrent, &self.recurrent_bias, rows)
    }

    /// The forward direction's last state of each text, `[S, H]`; zeros for a text without words.
    ///
    /// # Errors
    /// Those of the device.
    pub fn last(&self, words: &WordRows) -> Result<Tensor> {
        let layout = &words.layout;
        let nothing = Tensor::zeros((1, self.hidden), candle_core::DType::F32, words.rows.device())?;
        let states = if layout.is_empty() {
            nothing
        } else {
            let states = self.over_data(&words.rows, layout)?.narrow(1, 0, self.hidden)?;
            Tensor::cat(&[states, nothing], 0)?
        };
        let zeros = layout.rows();
        let last = |s| if layout.len(s) == 0 { zeros } else { layout.start(s) + layout.len(s) - 1 };
        let places: Vec<u32> = (0..layout.sequences()).map(|s| last(s) as u32).collect();
        states.index_select(&Tensor::new(places, words.rows.device())?, 0)
    }

    /// Hidden units of a direction.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// For the graph's writer: one direction.
    ///
    /// # Errors
    /// Those of the device.
    pub fn direction(&self, number: usize) -> Result<export::Gru> {
        let (size, hidden) = (3 * self.hidden, self.hidden);
        if number >= self.directions {
            // A direction of zeros answers zeros: the gates are open halfway, and the candidate is tanh 0.
            let columns = self.input.dim(1)?;
            return Ok(export::Gru {
                input: Array2::zeros((size, columns)),
                recurrent: Array2::zeros((size, hidden)),
                bias: Array1::zeros(2 * size),
            });
        }
        let rows = number * size..(number + 1) * size;
        let of = |v: &Var| -> Result<Array1<f32>> { Ok(vector(v)?.slice(s![rows.clone()]).to_owned()) };
        Ok(export::Gru {
            input: matrix(&self.input)?.slice(s![rows.clone(), ..]).to_owned(),
            recurrent: matrix(&self.recurrent)?.slice(s![rows.clone(), ..]).to_owned(),
            bias: of(&self.input_bias)?.into_iter().chain(of(&self.recurrent_bias)?).collect(),
        })
    }

    /// For the graph's writer: both directions; a missing one is written as zeros.
    ///
    /// # Errors
    /// Those of the device.
    pub fn both(&self) -> Result<export::BiGru> {
        Ok(export::BiGru { forward: self.direction(0)?, backward: self.direction(1)? })
    }
}

/// Additive attention, with a context or without.
#[derive(Debug, Clone)]
pub struct Attention {
    state: Var,
    bias: Var,
    context: Option<Var>,
    query: Var,
}

impl Attention {
    /// Draws the weights for states of width `states` and contexts of width `context`.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(
        p: &mut Parameters,
        name: &str,
        states: usize,
        context: Option<usize>,
        units: usize,
    ) -> Result<Attention> {
        let range = |inputs: usize| 1.0 / (inputs as f32).sqrt();
        Ok(Attention {
            state: p.uniform(&format!("{name}.state"), &[units, states], range(states))?,
            bias: p.uniform(&format!("{name}.bias"), &[units], range(states))?,
            context: context
                .map(|width| p.uniform(&format!("{name}.context"), &[units, width], range(width)))
                .transpose()?,
            query: p.uniform(&format!("{name}.query"), &[1, units], range(units))?,
        })
    }

    /// Pooled states `[S, H]` and the weight of each row.
    ///
    /// # Errors
    /// Those of the device.
    pub fn pool(&self, states: &Tensor, context: Option<&Tensor>, rows: &Ragged) -> Result<(Tensor, Vec<f32>)> {
        self.pool_values(states, states, context, rows)
    }

    /// As [`Attention::pool`], but what is pooled are `values`, of any width.
    ///
    /// # Errors
    /// Those of the device.
    pub fn pool_values(
        &self,
        states: &Tensor,
        values: &Tensor,
        context: Option<&Tensor>,
        rows: &Ragged,
    ) -> Result<(Tensor, Vec<f32>)> {
        let projected = states.matmul(&self.state.t()?)?.broadcast_add(&self.bias)?;
        let contexts = match (&self.context, context) {
            (Some(weights), Some(context)) => context.matmul(&weights.t()?)?,
            _ => Tensor::zeros((rows.sequences(), self.query.dim(1)?), candle_core::DType::F32, states.device())?,
        };
        attend(values, &projected, &Tensor::cat(&[&contexts, self.query.as_tensor()], 0)?, rows)
    }

    /// For the graph's writer. States narrower than `states` are those of a missing direction: their weights are zeros.
    ///
    /// # Errors
    /// Those of the device.
    pub fn export(&self, states: usize, context: usize) -> Result<export::Attention> {
        let units = self.query.dim(1)?;
        Ok(export::Attention {
            state: widened(&matrix(&self.state)?, states),
            bias: vector(&self.bias)?,
            context: match &self.context {
                Some(weights) => matrix(weights)?,
                None => Array2::zeros((units, context)),
            },
            query: vector(&self.query)?,
        })
    }
}

/// The mean of the states of each sequence, and the weight of each row.
///
/// # Errors
/// Those of the device.
pub fn mean(states: &Tensor, rows: &Ragged) -> Result<(Tensor, Vec<f32>)> {
    let zeros = |count| Tensor::zeros((count, 1), candle_core::DType::F32, states.device());
    attend(states, &zeros(rows.rows())?, &zeros(rows.sequences() + 1)?, rows)
}

/// A weight matrix with columns of zeros added up to `columns`.
pub(crate) fn widened(weights: &Array2<f32>, columns: usize) -> Array2<f32> {
    let mut wide = Array2::zeros((weights.nrows(), columns));
    wide.slice_mut(s![.., ..weights.ncols()]).assign(weights);
    wide
}

/// `W x + b` to one number.
#[derive(Debug, Clone)]
pub struct Score {
    weights: Var,
    bias: Var,
}

impl Score {
    /// Draws the weights.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(p: &mut Parameters, name: &str, inputs: usize) -> Result<Score> {
        let range = 1.0 / (inputs as f32).sqrt();
        Ok(Score {
            weights: p.uniform(&format!("{name}.weights"), &[1, inputs], range)?,
            bias: p.uniform(&format!("{name}.bias"), &[1], range)?,
        })
    }

    /// Weights of zeros: it says 0 of everything until it is trained.
    ///
    /// # Errors
    /// Those of the device.
    pub fn zero(p: &mut Parameters, name: &str, inputs: usize) -> Result<Score> {
        Ok(Score {
            weights: p.zeros(&format!("{name}.weights"), &[1, inputs])?,
            bias: p.zeros(&format!("{name}.bias"), &[1])?,
        })
    }

    /// Logits `[B]` of vectors `[B, D]`.
    ///
    /// # Errors
    /// Those of the device.
    pub fn of(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.weights.t()?)?.broadcast_add(&self.bias)?.squeeze(1)
    }

    /// For the graph's writer: weights, zeros added up to `inputs`, and the bias.
    ///
    /// # Errors
    /// Those of the device.
    pub fn export(&self, inputs: usize) -> Result<(Array1<f32>, f32)> {
        Ok((widened(&matrix(&self.weights)?, inputs).row(0).to_owned(), vector(&self.bias)?[0]))
    }
}
