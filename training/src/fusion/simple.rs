//! Early and late fusion, as the paper has them.

use std::collections::BTreeMap;

use hirenet_core::Modality;
use ndarray::Array2;

use super::Summary;
use crate::Result;
use crate::eval::metrics::sigmoid;
use crate::fit::Scored;
use crate::models::linear::{Classifier, Learner};

/// Late fusion: the mean of the modalities' probabilities, as a logit.
#[must_use]
pub fn late(summaries: &BTreeMap<usize, Summary>, interviews: &[usize], visible: &[Modality]) -> Vec<Scored> {
    let score = |summary: &Summary| {
        let there: Vec<f64> =
            summary.logits.iter().filter(|(m, _)| visible.contains(m)).map(|(_, logit)| sigmoid(*logit)).collect();
        let mean = (!there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)?;
        // Certainty itself has no finite logit.
        let mean = mean.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        Some(Scored { index: summary.index, label: summary.label, logit: (mean / (1.0 - mean)).ln() })
    };
    interviews.iter().filter_map(|index| summaries.get(index)).filter_map(score).collect()
}

/// Early fusion: a classic learner on the interviews' vectors side by side; a missing modality's are zeros.
pub struct Early {
    classifier: Classifier,
    modalities: Vec<Modality>,
    width: usize,
}

impl Early {
    /// Fits ridge and logistic regression and keeps the one that is better on validation.
    ///
    /// # Errors
    /// Where the equations cannot be solved.
    pub fn fit(
        summaries: &BTreeMap<usize, Summary>,
        train: &[usize],
        validation: &[usize],
        modalities: &[Modality],
    ) -> Result<Early> {
        let width = summaries
            .values()
            .find_map(|summary| summary.interviews.iter().next().map(|(_, vector)| vector.len()))
            .unwrap_or(0);
        let rows = |interviews: &[usize]| rows(summaries, interviews, modalities, width);
        let (x, y, _) = rows(train);
        let (validation_x, validation_y, _) = rows(validation);
        let classifier = Classifier::best(&Learner::ALL, (&x, &y), (&validation_x, &validation_y))?;
        Ok(Early { classifier, modalities: modalities.to_vec(), width })
    }

    /// Logits of interviews, as if only the `visible` modalities had been recorded.
    #[must_use]
    pub fn score(
        &self,
        summaries: &BTreeMap<usize, Summary>,
        interviews: &[usize],
        visible: &[Modality],
    ) -> Vec<Scored> {
        let seen: Vec<Modality> = self.modalities.iter().copied().filter(|m| visible.contains(m)).collect();
        let of = |summary: &Summary| {
            let there = seen.iter().any(|m| summary.interviews.get(*m).is_some());
            let x = row(summary, &self.modalities, &seen, self.width);
            there.then(|| Scored { index: summary.index, label: summary.label, logit: self.classifier.logit(&x) })
        };
        interviews.iter().filter_map(|index| summaries.get(index)).filter_map(of).collect()
    }
}

fn row(summary: &Summary, modalities: &[Modality], seen: &[Modality], width: usize) -> Vec<f32> {
    let of = |m: &Modality| summary.interviews.get(*m).filter(|_| seen.contains(m)).cloned();
    modalities.iter().flat_map(|m| of(m).unwrap_or_else(|| vec![0.0; width])).collect()
}

type Table = (Array2<f32>, Vec<u8>, Vec<usize>);

fn rows(summaries: &BTreeMap<usize, Summary>, interviews: &[usize], modalities: &[Modality], width: usize) -> Table {
    let there: Vec<&Summary> = interviews.iter().filter_map(|index| summaries.get(index)).collect();
    let mut x = Array2::zeros((there.len(), modalities.len() * width));
    for (mut to, summary) in x.rows_mut().into_iter().zip(&there) {
        to.iter_mut().zip(row(summary, modalities, modalities, width)).for_each(|(to, from)| *to = from);
    }
    (x, there.iter().map(|s| s.label).collect(), there.iter().map(|s| s.index).collect())
}
