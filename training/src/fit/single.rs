//! One network of one modality as something to train.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use hirenet_core::Modality;

use super::train::{Scored, Task, cross_entropy};
use crate::Result;
use crate::data::{Batch, Corpus, Normalisation, Sample};
use crate::models::Network;
use crate::nn::{Dropout, Parameters};

/// A network with what its inputs need.
pub struct Single<'a> {
    /// Where interviews come from.
    pub corpus: &'a Corpus,
    /// Which tracks it reads.
    pub modality: Modality,
    /// Statistics of the training rows.
    pub normalisation: &'a Normalisation,
    /// The network.
    pub network: &'a dyn Network,
    /// Weight of a positive label.
    pub positive: f64,
    /// Labels that stand in for the real ones, for the control; by number of the interview.
    pub labels: Option<&'a [u8]>,
}

impl Single<'_> {
    /// Where it runs.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.network.parameters().device()
    }

    fn sample(&self, index: usize) -> Result<Arc<Sample>> {
        let sample = self.corpus.sample(index)?;
        Ok(match self.labels {
            Some(labels) => Arc::new(Sample { label: f32::from(labels[index]), ..(*sample).clone() }),
            None => sample,
        })
    }

    /// Lays out samples that are in memory.
    ///
    /// # Errors
    /// Those of the device.
    pub fn lay_out(&self, samples: impl IntoIterator<Item = Arc<Sample>>) -> Result<Option<Batch>> {
        Batch::new(samples, self.modality, self.normalisation, self.device())
    }
}

impl Task for Single<'_> {
    type Batch = Batch;

    fn parameters(&self) -> &Parameters {
        self.network.parameters()
    }

    fn batch(&self, interviews: &[usize], _noise: Option<u64>) -> Result<Option<Batch>> {
        let samples: Vec<Arc<Sample>> = interviews.iter().map(|index| self.sample(*index)).collect::<Result<_>>()?;
        self.lay_out(samples)
    }

    fn loss(&self, batch: &Batch, dropout: &mut Dropout) -> Result<Tensor> {
        let output = self.network.forward(batch, dropout)?;
        Ok(match &output.answer_logits {
            Some(logits) => {
                let labels = batch.labels.index_select(&batch.interview_of, 0)?;
                cross_entropy(logits, &labels, self.positive)?
            }
            None => cross_entropy(&output.logits, &batch.labels, self.positive)?,
        })
    }

    fn logits(&self, batch: &Batch) -> Result<Vec<Scored>> {
        let logits: Vec<f32> = self.network.forward(batch, &mut Dropout::off())?.logits.to_vec1()?;
        let scored = |(sample, logit): (&Arc<Sample>, f32)| Scored {
            index: sample.index,
            label: u8::from(sample.label > 0.5),
            logit: f64::from(logit),
        };
        Ok(batch.samples.iter().zip(logits).map(scored).collect())
    }
}
