//! What the networks of single modalities say of an interview: the input of every fusion.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hirenet_core::{ByModality, Modality};
use ndarray::Array2;

use crate::Result;
use crate::fit::{Single, for_batches};
use crate::nn::Dropout;

/// One answer.
#[derive(Debug, Clone)]
pub struct AnswerSummary {
    /// Question words.
    pub question: Arc<Array2<f32>>,
    /// `a_m` of the modalities that it has, `[2H]`.
    pub vectors: ByModality<Vec<f32>>,
}

/// One interview.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Number in the corpus.
    pub index: usize,
    /// 1 hirable, 0 not.
    pub label: u8,
    /// Title words.
    pub title: Arc<Array2<f32>>,
    /// The answers in order.
    pub answers: Vec<AnswerSummary>,
    /// `v_m`, the interview's vector.
    pub interviews: ByModality<Vec<f32>>,
    /// The modalities' own logits.
    pub logits: ByModality<f64>,
}

/// Equal texts share their vectors.
#[derive(Default)]
struct Texts(HashMap<Vec<u32>, Arc<Array2<f32>>>);

impl Texts {
    fn share(&mut self, words: &Array2<f32>) -> Arc<Array2<f32>> {
        let key = words.iter().map(|v| v.to_bits()).collect();
        self.0.entry(key).or_insert_with(|| Arc::new(words.clone())).clone()
    }
}

/// Summaries of interviews under the networks, by number.
///
/// # Errors
/// Those of reading and of the device.
pub fn summarise(networks: &[Single<'_>], interviews: &[usize], batch: usize) -> Result<BTreeMap<usize, Summary>> {
    let mut summaries = BTreeMap::new();
    let mut texts = Texts::default();
    for network in networks {
        for_batches(network, interviews, batch, None, |batch| {
            let output = network.network.forward(&batch, &mut Dropout::off())?;
            let logits: Vec<f32> = output.logits.to_vec1()?;
            let rows = |tensor: &Option<candle_core::Tensor>| {
                tensor.as_ref().map_or_else(|| Ok(Vec::new()), candle_core::Tensor::to_vec2::<f32>)
            };
            let (answers, vectors) = (rows(&output.answers)?, rows(&output.interviews)?);
            let mut places = Vec::new();
            for (place, sample) in batch.samples.iter().enumerate() {
                let summary = summaries.entry(sample.index).or_insert_with(|| empty(sample, &mut texts));
                summary.logits.set(network.modality, Some(f64::from(logits[place])));
                summary.interviews.set(network.modality, vectors.get(place).cloned());
                places.push(sample.index);
            }
            for ((interview, answer), vector) in batch.origin.iter().zip(answers) {
                if let Some(summary) = summaries.get_mut(&places[*interview]) {
                    summary.answers[*answer].vectors.set(network.modality, Some(vector));
                }
            }
            Ok(())
        })?;
    }
    Ok(summaries)
}

fn empty(sample: &crate::data::Sample, texts: &mut Texts) -> Summary {
    let answer = |answer: &crate::data::AnswerSample, texts: &mut Texts| AnswerSummary {
        question: texts.share(&answer.question),
        vectors: ByModality::default(),
    };
    Summary {
        index: sample.index,
        label: u8::from(sample.label > 0.5),
        title: texts.share(&sample.title),
        answers: sample.answers.iter().map(|a| answer(a, texts)).collect(),
        interviews: ByModality::default(),
        logits: ByModality::default(),
    }
}

impl Summary {
    /// The same interview as if only some modalities had been recorded.
    #[must_use]
    pub fn only(&self, kept: &[Modality]) -> Summary {
        let mut summary = self.clone();
        for modality in Modality::ALL.into_iter().filter(|m| !kept.contains(m)) {
            summary.interviews.set(modality, None);
            summary.logits.set(modality, None);
            summary.answers.iter_mut().for_each(|answer| answer.vectors.set(modality, None));
        }
        summary
    }

    /// The modalities that some answer has.
    #[must_use]
    pub fn modalities(&self) -> Vec<Modality> {
        self.logits.iter().map(|(modality, _)| modality).collect()
    }
}
