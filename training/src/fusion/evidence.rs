//! How much the networks of single modalities are to be believed.

use std::collections::BTreeMap;

use hirenet_core::{ByModality, Modality};
use hirenet_model::Calibration;

use super::Summary;
use crate::eval::calibration::platt;

/// What a modality's logit says beyond the share of hirable candidates, in units of log-odds:
/// `e_m = a_m logit_m + b_m - prior`, with Platt's `a_m` and `b_m` of interviews that its network did not learn from. Of
/// independent modalities the evidence adds up (naive Bayes); a modality that says nothing gets `a_m` near 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    calibrations: ByModality<Calibration>,
    prior: f64,
}

impl Evidence {
    /// Fits it on validation interviews.
    #[must_use]
    pub fn fit(summaries: &BTreeMap<usize, Summary>, validation: &[usize], modalities: &[Modality]) -> Evidence {
        let there: Vec<&Summary> = validation.iter().filter_map(|index| summaries.get(index)).collect();
        let positives = there.iter().filter(|summary| summary.label == 1).count();
        // One interview more of each kind keeps the odds finite.
        let prior = ((positives + 1) as f64 / (there.len() - positives + 1) as f64).ln();
        let mut calibrations = ByModality::default();
        for modality in modalities {
            let said = there.iter().filter_map(|s| s.logits.get(*modality).map(|logit| (*logit, s.label)));
            let (logits, labels): (Vec<f64>, Vec<u8>) = said.unzip();
            calibrations.set(*modality, Some(platt(&logits, &labels)));
        }
        Evidence { calibrations, prior }
    }

    /// Factor and summand that make a modality's logit its evidence.
    pub(super) fn scaling(&self, modality: Modality) -> (f64, f64) {
        self.calibrations.get(modality).map_or((0.0, 0.0), |of| (of.a, of.b - self.prior))
    }

    /// Log-odds of a candidate of whom nothing is known.
    pub(super) fn prior(&self) -> f64 {
        self.prior
    }
}
