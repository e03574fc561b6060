//! Statistics of each feature over an answer's rows: the order of rows is lost.

use hirenet_core::Modality;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::Fitted;
use crate::Result;
use crate::data::split::Splits;
use crate::data::{Corpus, Normalisation, Split};
use crate::fit::Scored;
use crate::models::linear::{Classifier, Learner};

/// Mean, deviation and maximum of each feature.
pub(super) struct NonSequential {
    modality: Modality,
    normalisation: Normalisation,
    classifier: Classifier,
}

/// A table of answers: one row each, its interview's number and label.
pub(super) struct Answers {
    pub(super) x: Array2<f32>,
    pub(super) labels: Vec<u8>,
    pub(super) index: Vec<usize>,
}

/// Turns every answer of interviews that has the modality into one row.
pub(super) fn table(
    corpus: &Corpus,
    interviews: &[usize],
    modality: Modality,
    width: usize,
    describe: impl Fn(&Array2<f32>) -> Vec<f32> + Sync,
) -> Result<Answers> {
    let parts: Vec<Vec<(usize, u8, Vec<f32>)>> = interviews
        .par_iter()
        .map(|index| {
            let sample = corpus.sample(*index)?;
            let rows = sample.answers.iter().filter_map(|answer| answer.tracks.get(modality));
            Ok(rows.map(|rows| (*index, u8::from(sample.label > 0.5), describe(&rows.values))).collect())
        })
        .collect::<Result<_>>()?;
    let rows: Vec<(usize, u8, Vec<f32>)> = parts.into_iter().flatten().collect();
    let mut x = Array2::zeros((rows.len(), width));
    for (mut to, (_, _, from)) in x.rows_mut().into_iter().zip(&rows) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
    Ok(Answers { x, labels: rows.iter().map(|r| r.1).collect(), index: rows.iter().map(|r| r.0).collect() })
}

/// The mean of a classifier's logits over the answers of each interview.
pub(super) fn by_interview(answers: &Answers, classifier: &Classifier) -> Vec<Scored> {
    let mut scored: Vec<Scored> = Vec::new();
    let mut count = 0.0;
    for ((row, index), label) in answers.x.rows().into_iter().zip(&answers.index).zip(&answers.labels) {
        let logit = classifier.logit(&row.to_vec());
        match scored.last_mut() {
            Some(last) if last.index == *index => {
                count += 1.0;
                last.logit += (logit - last.logit) / count;
            }
            _ => {
                count = 1.0;
                scored.push(Scored { index: *index, label: *label, logit });
            }
        }
    }
    scored
}

fn statistics(rows: &Array2<f32>, normalisation: &Normalisation) -> Vec<f32> {
    let normal = (rows - &normalisation.mean) / &normalisation.std;
    let mean = normal.mean_axis(Axis(0)).unwrap_or_default();
    let std = normal.std_axis(Axis(0), 0.0);
    let highest = normal.fold_axis(Axis(0), f32::MIN, |a, b| a.max(*b));
    mean.into_iter().chain(std).chain(highest).collect()
}

impl NonSequential {
    pub(super) fn fit(
        corpus: &Corpus,
        modality: Modality,
        normalisation: &Normalisation,
        splits: &Splits,
    ) -> Result<NonSequential> {
        let width = 3 * normalisation.mean.len();
        let of = |split| table(corpus, splits.of(split), modality, width, |rows| statistics(rows, normalisation));
        let (train, validation) = (of(Split::Train)?, of(Split::Validation)?);
        let classifier =
            Classifier::best(&Learner::ALL, (&train.x, &train.labels), (&validation.x, &validation.labels))?;
        Ok(NonSequential { modality, normalisation: normalisation.clone(), classifier })
    }
}

impl Fitted for NonSequential {
    fn score(&self, corpus: &Corpus, interviews: &[usize]) -> Result<Vec<Scored>> {
        let width = 3 * self.normalisation.mean.len();
        let rows = table(corpus, interviews, self.modality, width, |rows| statistics(rows, &self.normalisation))?;
        Ok(by_interview(&rows, &self.classifier))
    }
}
