//! HireNet: attention inside answers knows the question, attention between answers knows the position's title.

use candle_core::{Result, Tensor};

use super::{Network, Output, Sizes};
use crate::data::Batch;
use crate::nn::layers::{Attention, Gru, Score};
use crate::nn::{Dropout, Parameters};

/// The network of one modality.
#[derive(Debug, Clone)]
pub struct HireNet {
    low: Gru,
    question: Gru,
    local: Attention,
    high: Gru,
    title: Gru,
    global: Attention,
    score: Score,
    parameters: Parameters,
}

impl HireNet {
    /// Draws the weights.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(mut p: Parameters, columns: usize, words: usize, sizes: Sizes) -> Result<HireNet> {
        let Sizes { hidden, context, attention, both_ways } = sizes;
        let ways = if both_ways { 2 } else { 1 };
        Ok(HireNet {
            low: Gru::new(&mut p, "low", columns, hidden, 2)?,
            question: Gru::new(&mut p, "question", words, context, 1)?,
            local: Attention::new(&mut p, "local", 2 * hidden, Some(context), attention)?,
            high: Gru::new(&mut p, "high", 2 * hidden + context, hidden, ways)?,
            title: Gru::new(&mut p, "title", words, context, 1)?,
            global: Attention::new(&mut p, "global", ways * hidden, Some(context), attention)?,
            score: Score::new(&mut p, "score", ways * hidden)?,
            parameters: p,
        })
    }

    /// For the graph's writer.
    ///
    /// # Errors
    /// Those of the device.
    pub fn export(&self, normalisation: &crate::data::Normalisation) -> Result<hirenet_model::export::Branch> {
        let (states, context) = (2 * self.low.hidden(), self.question.hidden());
        let (score, score_bias) = self.score.export(states)?;
        Ok(hirenet_model::export::Branch {
            mean: normalisation.mean.clone(),
            std: normalisation.std.clone(),
            low: self.low.both()?,
            question: self.question.direction(0)?,
            local: self.local.export(states, context)?,
            high: self.high.both()?,
            title: self.title.direction(0)?,
            global: self.global.export(states, context)?,
            score,
            score_bias,
        })
    }
}

impl Network for HireNet {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// ```text
    /// h_t = BiGRU(x)_t            hQ = GRU_Q(question)      u_t = tanh(W_A h_t + W_Q hQ + b_Q)
    /// alpha = softmax(u_p . u_t)  a_i = sum alpha_t h_t     s_i = [a_i; hQ_i]
    /// h_i = BiGRU(s)_i            hJ = GRU_J(title)         u_i = tanh(W_P h_i + W_J hJ + b_J)
    /// beta = softmax(u_J . u_i)   v = sum beta_i h_i        logit = W_v v + b_v
    /// ```
    fn forward(&self, batch: &Batch, dropout: &mut Dropout) -> Result<Output> {
        let h = self.low.over_data(&batch.rows, &batch.layout)?;
        let h_q = self.question.last(&batch.questions)?;
        let (a, alpha) = self.local.pool(&h, Some(&h_q), &batch.layout)?;
        let s = dropout.apply(&Tensor::cat(&[&a, &h_q], 1)?.index_select(&batch.order, 0)?)?;
        let h = self.high.over(&s, &batch.answers)?;
        let h_j = self.title.last(&batch.titles)?;
        let (v, beta) = self.global.pool(&h, Some(&h_j), &batch.answers)?;
        let logits = self.score.of(&dropout.apply(&v)?)?;
        Ok(Output { logits, answer_logits: None, answers: Some(a), interviews: Some(v), alpha, beta })
    }
}
