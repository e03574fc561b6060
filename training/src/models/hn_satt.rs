//! HN_SATT: HireNet's hierarchy with attention that knows neither question nor title.

use candle_core::Result;

use super::{Network, Output, Sizes};
use crate::data::Batch;
use crate::nn::layers::{Attention, Gru, Score};
use crate::nn::{Dropout, Parameters};

/// The network of one modality.
#[derive(Debug, Clone)]
pub struct HnSatt {
    low: Gru,
    local: Attention,
    high: Gru,
    global: Attention,
    score: Score,
    parameters: Parameters,
}

impl HnSatt {
    /// Draws the weights.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(mut p: Parameters, columns: usize, sizes: Sizes) -> Result<HnSatt> {
        let Sizes { hidden, attention, both_ways, .. } = sizes;
        let ways = if both_ways { 2 } else { 1 };
        Ok(HnSatt {
            low: Gru::new(&mut p, "low", columns, hidden, 2)?,
            local: Attention::new(&mut p, "local", 2 * hidden, None, attention)?,
            high: Gru::new(&mut p, "high", 2 * hidden, hidden, ways)?,
            global: Attention::new(&mut p, "global", ways * hidden, None, attention)?,
            score: Score::new(&mut p, "score", ways * hidden)?,
            parameters: p,
        })
    }
}

impl Network for HnSatt {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// ```text
    /// h_t = BiGRU(x)_t   alpha = softmax(u_p . tanh(W_A h_t + b_Q))   a_i = sum alpha_t h_t
    /// h_i = BiGRU(a)_i   beta = softmax(u_J . tanh(W_P h_i + b_J))    v = sum beta_i h_i     logit = W_v v + b_v
    /// ```
    fn forward(&self, batch: &Batch, dropout: &mut Dropout) -> Result<Output> {
        let h = self.low.over_data(&batch.rows, &batch.layout)?;
        let (a, alpha) = self.local.pool(&h, None, &batch.layout)?;
        let s = dropout.apply(&a.index_select(&batch.order, 0)?)?;
        let h = self.high.over(&s, &batch.answers)?;
        let (v, beta) = self.global.pool(&h, None, &batch.answers)?;
        let logits = self.score.of(&dropout.apply(&v)?)?;
        Ok(Output { logits, answer_logits: None, answers: Some(a), interviews: Some(v), alpha, beta })
    }
}
