//! HN_AVG: HireNet's hierarchy with means in place of attention, and no context.

use candle_core::Result;

use super::{Network, Output, Sizes};
use crate::data::Batch;
use crate::nn::layers::{Gru, Score, mean};
use crate::nn::{Dropout, Parameters};

/// The network of one modality.
#[derive(Debug, Clone)]
pub struct HnAvg {
    low: Gru,
    high: Gru,
    score: Score,
    parameters: Parameters,
}

impl HnAvg {
    /// Draws the weights.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(mut p: Parameters, columns: usize, sizes: Sizes) -> Result<HnAvg> {
        let Sizes { hidden, both_ways, .. } = sizes;
        let ways = if both_ways { 2 } else { 1 };
        Ok(HnAvg {
            low: Gru::new(&mut p, "low", columns, hidden, 2)?,
            high: Gru::new(&mut p, "high", 2 * hidden, hidden, ways)?,
            score: Score::new(&mut p, "score", ways * hidden)?,
            parameters: p,
        })
    }
}

impl Network for HnAvg {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// ```text
    /// h_t = BiGRU(x)_t   a_i = mean_t h_t   h_i = BiGRU(a)_i   v = mean_i h_i   logit = W_v v + b_v
    /// ```
    fn forward(&self, batch: &Batch, dropout: &mut Dropout) -> Result<Output> {
        let h = self.low.over_data(&batch.rows, &batch.layout)?;
        let (a, alpha) = mean(&h, &batch.layout)?;
        let s = dropout.apply(&a.index_select(&batch.order, 0)?)?;
        let (v, beta) = mean(&self.high.over(&s, &batch.answers)?, &batch.answers)?;
        let logits = self.score.of(&dropout.apply(&v)?)?;
        Ok(Output { logits, answer_logits: None, answers: Some(a), interviews: Some(v), alpha, beta })
    }
}
