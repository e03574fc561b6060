//! Bidirectional GRU: each answer is judged alone, and the candidate by the mean of the answers.

use candle_core::{Result, Tensor};

use super::{Network, Output, Sizes};
use crate::data::Batch;
use crate::nn::layers::{Gru, Score};
use crate::nn::{Dropout, Parameters};

/// The network of one modality.
#[derive(Debug, Clone)]
pub struct BiGruNet {
    low: Gru,
    score: Score,
    parameters: Parameters,
}

impl BiGruNet {
    /// Draws the weights.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(mut p: Parameters, columns: usize, sizes: Sizes) -> Result<BiGruNet> {
        Ok(BiGruNet {
            low: Gru::new(&mut p, "low", columns, sizes.hidden, 2)?,
            score: Score::new(&mut p, "score", 2 * sizes.hidden)?,
            parameters: p,
        })
    }
}

impl Network for BiGruNet {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// ```text
    /// a_i = [GRU_fwd(x) at the last row; GRU_bwd(x) at the first]   e_i = W a_i + b   logit = mean_i e_i
    /// ```
    /// Trained answer by answer: each carries its candidate's label.
    fn forward(&self, batch: &Batch, dropout: &mut Dropout) -> Result<Output> {
        let (layout, device) = (&batch.layout, batch.rows.device());
        let h = self.low.over_data(&batch.rows, layout)?;
        let rows = |last: bool| {
            let row = |s| if last { layout.start(s) + layout.len(s) - 1 } else { layout.start(s) };
            Tensor::new((0..layout.sequences()).map(|s| row(s) as u32).collect::<Vec<_>>(), device)
        };
        let n = self.low.hidden();
        let forward = h.narrow(1, 0, n)?.contiguous()?.index_select(&rows(true)?, 0)?;
        let backward = h.narrow(1, n, n)?.contiguous()?.index_select(&rows(false)?, 0)?;
        let a = Tensor::cat(&[forward, backward], 1)?;
        let e = self.score.of(&dropout.apply(&a)?)?;
        let counts: Vec<f32> = (0..batch.answers.sequences()).map(|b| batch.answers.len(b) as f32).collect();
        let sums =
            Tensor::zeros(counts.len(), candle_core::DType::F32, device)?.index_add(&batch.interview_of, &e, 0)?;
        let logits = (sums / Tensor::new(counts, device)?)?;
        Ok(Output {
            logits,
            answer_logits: Some(e),
            answers: Some(a),
            interviews: None,
            alpha: Vec::new(),
            beta: Vec::new(),
        })
    }
}
