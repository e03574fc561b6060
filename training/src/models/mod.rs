//! The networks of one modality, each in a file that reads like its equation, and the baselines.

mod bigru;
mod hirenet;
mod hn_avg;
mod hn_satt;
pub mod linear;

use candle_core::{Result, Tensor};
use hirenet_model::export::Layers;
use serde::{Deserialize, Serialize};

pub use bigru::BiGruNet;
pub use hirenet::HireNet;
pub use hn_avg::HnAvg;
pub use hn_satt::HnSatt;

use crate::data::Batch;
use crate::nn::{Dropout, Parameters};

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Hidden units of each direction.
    pub hidden: usize,
    /// Hidden units of the question and title encoders.
    pub context: usize,
    /// Units of the attentions.
    pub attention: usize,
    /// Whether the high level reads the answers in both directions.
    pub both_ways: bool,
}

impl Sizes {
    /// The same number of units everywhere, both ways.
    #[must_use]
    pub fn uniform(units: usize) -> Sizes {
        Sizes { hidden: units, context: units, attention: units, both_ways: true }
    }
}

impl From<Layers> for Sizes {
    fn from(layers: Layers) -> Self {
        Sizes { hidden: layers.hidden, context: layers.context, attention: layers.attention, both_ways: true }
    }
}

/// What a network says about a batch.
#[derive(Debug, Clone)]
pub struct Output {
    /// Of each interview, `[B]`.
    pub logits: Tensor,
    /// Of each sequence `[S]`, where the network judges answers.
    pub answer_logits: Option<Tensor>,
    /// Vector of each sequence, `[S, 2H]`.
    pub answers: Option<Tensor>,
    /// Vector of each interview.
    pub interviews: Option<Tensor>,
    /// Weight of each row inside its sequence, `[R]`.
    pub alpha: Vec<f32>,
    /// Weight of each answer inside its interview, in the order of [`Batch::answers`].
    pub beta: Vec<f32>,
}

/// A network of one modality.
pub trait Network: Send + Sync {
    /// Its weights.
    fn parameters(&self) -> &Parameters;

    /// Runs it.
    ///
    /// # Errors
    /// Those of the device.
    fn forward(&self, batch: &Batch, dropout: &mut Dropout) -> Result<Output>;
}

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Kind {
    /// [`HireNet`]
    Hirenet,
    /// [`HnSatt`]
    HnSatt,
    /// [`HnAvg`]
    HnAvg,
    /// [`BiGruNet`]
    Bigru,
}

impl Kind {
    /// Draws a network of this kind.
    ///
    /// # Errors
    /// Those of the device.
    pub fn build(self, p: Parameters, columns: usize, words: usize, sizes: Sizes) -> Result<Box<dyn Network>> {
        Ok(match self {
            Kind::Hirenet => Box::new(HireNet::new(p, columns, words, sizes)?),
            Kind::HnSatt => Box::new(HnSatt::new(p, columns, sizes)?),
            Kind::HnAvg => Box::new(HnAvg::new(p, columns, sizes)?),
            Kind::Bigru => Box::new(BiGruNet::new(p, columns, sizes)?),
        })
    }
}
