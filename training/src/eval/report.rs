//! Measures of every model over its seeds, in the shape of the paper's table.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::bootstrap::interval;
use super::metrics::{Measures, auc, calibration_error, measures, sigmoid};
use super::predictions::Predictions;
use super::reported::reported;
use crate::baselines::random_vote;
use crate::data::Record;

/// A group or position smaller than this is told, but its AUC says little.
pub const SMALL: usize = 20;
/// The model's name of a vote by chance.
const RANDOM: &str = "random";

/// One seed of one model.
#[derive(Debug, Clone, Serialize)]
pub struct Seed {
    /// Seed of the run.
    pub seed: u64,
    /// At the threshold that was best on validation, after calibration; of a bundle at its card's, after its card's
    /// calibration.
    pub test: Measures,
    /// That threshold.
    pub threshold: f64,
    /// Test F1 at 0.5.
    pub f1_at_half: f64,
    /// Calibration error of the uncalibrated scores.
    pub calibration_error_before: f64,
    /// 95 % bootstrap interval of the AUC; `None` where a class is missing.
    pub auc_interval: Option<[f64; 2]>,
    /// 95 % bootstrap interval of F1; `None` of a vote by chance.
    pub f1_interval: Option<[f64; 2]>,
}

/// One model on one modality.
#[derive(Debug, Clone, Serialize)]
pub struct ModelReport {
    /// Such as `hirenet`.
    pub model: String,
    /// A modality, or `fused`.
    pub modality: String,
    /// Whether it is a bundle, with a calibration and threshold of its own.
    pub bundle: bool,
    /// Each seed.
    pub seeds: Vec<Seed>,
    /// Mean and standard deviation over the seeds, by measure; `None` where no seed has it.
    pub over_seeds: BTreeMap<&'static str, Option<[f64; 2]>>,
    /// Measures of the first seed in each group, by attribute and value.
    pub groups: BTreeMap<String, Measures>,
    /// Measures of the first seed in each position.
    pub positions: BTreeMap<String, Measures>,
    /// What the paper reports, as recalled.
    pub reported: Option<super::reported::Reported>,
}

/// Mean and standard deviation (of a sample) of some values.
#[must_use]
pub fn mean_and_deviation(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n.max(1.0);
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    [mean, (squares / (n - 1.0).max(1.0)).sqrt()]
}

/// Reports of all predictions, `records` being the data set's interviews.
#[must_use]
pub fn reports(predictions: &[Predictions], records: &[Record], draws: usize) -> Vec<ModelReport> {
    let names: BTreeSet<(&str, &str)> =
        predictions.iter().map(|said| (said.modality.as_str(), said.model.as_str())).collect();
    names
        .into_iter()
        .map(|(modality, model)| {
            let of: Vec<&Predictions> =
                predictions.iter().filter(|said| said.model == model && said.modality == modality).collect();
            report(&of, records, draws)
        })
        .collect()
}

fn report(predictions: &[&Predictions], records: &[Record], draws: usize) -> ModelReport {
    let seeds: Vec<Seed> = predictions.iter().map(|said| seed(said, draws)).collect();
    let over = |of: fn(&Seed) -> Option<f64>| {
        let there: Vec<f64> = seeds.iter().filter(|seed| seed.test.count > 0).filter_map(of).collect();
        (!there.is_empty()).then(|| mean_and_deviation(&there))
    };
    let over_seeds = BTreeMap::from([
        ("precision", over(|s| Some(s.test.precision))),
        ("recall", over(|s| Some(s.test.recall))),
        ("f1", over(|s| Some(s.test.f1))),
        ("all_positive_f1", over(|s| Some(s.test.all_positive_f1))),
        ("auc", over(|s| s.test.auc)),
        ("balanced_accuracy", over(|s| s.test.balanced_accuracy)),
        ("calibration_error_before", over(|s| Some(s.calibration_error_before))),
        ("calibration_error", over(|s| Some(s.test.calibration_error))),
    ]);
    let first = predictions[0];
    let by = |keys: &dyn Fn(&Record) -> Vec<String>| match first.model.as_str() {
        // One draw of chance says nothing about a part.
        RANDOM => BTreeMap::new(),
        _ => by_key(first, seeds[0].threshold, records, keys),
    };
    ModelReport {
        model: first.model.clone(),
        modality: first.modality.clone(),
        bundle: first.own.is_some() && first.validation.is_empty(),
        over_seeds,
        groups: by(&|record| record.groups.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        positions: by(&|record| vec![record.position.id.clone()]),
        reported: reported(&first.model, &first.modality),
        seeds,
    }
}

fn seed(said: &Predictions, draws: usize) -> Seed {
    let threshold = said.threshold();
    let (test, labels) = said.calibrated(&said.test);
    let raw: Vec<f64> = said.test.iter().map(|s| sigmoid(s.logit)).collect();
    let at_threshold = measures(&test, &labels, threshold);
    let over = |measure: &(dyn Fn(&[f64], &[u8]) -> f64 + Sync)| interval(&test, &labels, draws, said.seed, measure);
    let seed = Seed {
        seed: said.seed,
        threshold,
        f1_at_half: measures(&test, &labels, 0.5).f1,
        calibration_error_before: calibration_error(&raw, &labels),
        auc_interval: at_threshold.auc.map(|_| over(&auc)),
        f1_interval: (!labels.is_empty()).then(|| over(&|p, y| measures(p, y, threshold).f1)),
        test: at_threshold,
    };
    if said.model == RANDOM { by_chance(said, seed, &labels) } else { seed }
}

/// A vote by chance is the mean of many draws with the training interviews' share, whatever one draw's scores say.
fn by_chance(said: &Predictions, mut seed: Seed, labels: &[u8]) -> Seed {
    let shared = |scored: &[crate::fit::Scored]| {
        scored.iter().map(|s| f64::from(s.label)).sum::<f64>() / scored.len().max(1) as f64
    };
    // Predictions of an earlier version do not tell the share; validation's is the nearest.
    let share = said.train_positive.unwrap_or_else(|| shared(&said.validation));
    let vote = random_vote(labels, share, said.seed);
    (seed.test.precision, seed.test.recall) = (vote.precision, vote.recall);
    (seed.test.f1, seed.test.balanced_accuracy) = (vote.f1, vote.balanced_accuracy);
    (seed.f1_at_half, seed.f1_interval) = (vote.f1, None);
    // One draw's scores rank by luck: the mean of all draws ranks nothing, and says the share to everyone.
    (seed.test.auc, seed.auc_interval) = (seed.test.auc.map(|_| 0.5), None);
    let said = vec![share; labels.len()];
    (seed.test.calibration_error, seed.calibration_error_before) = {
        let error = calibration_error(&said, labels);
        (error, error)
    };
    seed
}

fn by_key(
    said: &Predictions,
    threshold: f64,
    records: &[Record],
    keys: &dyn Fn(&Record) -> Vec<String>,
) -> BTreeMap<String, Measures> {
    let calibration = said.calibration();
    let mut parts: BTreeMap<String, (Vec<f64>, Vec<u8>)> = BTreeMap::new();
    for s in &said.test {
        for key in records.get(s.index).map(keys).into_iter().flatten() {
            let part = parts.entry(key).or_default();
            part.0.push(calibration.score(s.logit as f32));
            part.1.push(s.label);
        }
    }
    parts.into_iter().map(|(key, (scores, labels))| (key, measures(&scores, &labels, threshold))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::markdown::markdown;
    use super::super::predictions::Own;
    use super::*;
    use crate::fit::Scored;
    use hirenet_model::Calibration;

    fn predictions(model: &str, seed: u64) -> Predictions {
        let scored = |from: usize| -> Vec<Scored> {
            (from..from + 60)
                .map(|i| Scored {
                    index: i,
                    label: (i % 2) as u8,
                    logit: (i % 2) as f64 * 2.0 - (i % 7) as f64 * 0.5 + seed as f64 * 0.01,
                })
                .collect()
        };
        Predictions {
            model: model.into(),
            modality: "vocal".into(),
            seed,
            validation: scored(0),
            test: scored(60),
            dataset: None,
            train_positive: None,
            own: None,
        }
    }

    #[test]
    fn a_report_has_seeds_groups_positions_and_what_was_reported() {
        let record = |i: usize| Record {
            id: i.to_string(),
            position: crate::data::PositionRecord { id: format!("p{}", i % 3), title: String::new() },
            answers: Vec::new(),
            label: (i % 2) as u8,
            split: None,
            groups: BTreeMap::from([("g".to_owned(), (i % 2).to_string())]),
        };
        let records: Vec<Record> = (0..120).map(record).collect();
        let all = [predictions("hirenet", 1), predictions("hirenet", 2), predictions("majority", 1)];
        let reports = reports(&all, &records, 50);
        assert_eq!(reports.len(), 2);
        assert_eq!((reports[0].seeds.len(), reports[0].groups.len(), reports[0].positions.len()), (2, 2, 3));
        assert!(reports[0].over_seeds["auc"].unwrap()[0] > 0.7 && reports[0].seeds[0].auc_interval.unwrap()[0] > 0.5);
        // Labels alternate as the groups do: each group has one class only.
        assert_eq!((reports[0].groups["g=0"].auc, reports[0].groups["g=1"].balanced_accuracy), (None, None));
        let text = markdown(&reports);
        // A row a model in the paper's order, its modalities side by side.
        let rows: Vec<&str> =
            text.lines().filter(|l| l.starts_with("| majority |") || l.starts_with("| hirenet |")).collect();
        assert!(rows.len() == 2 && rows[0].starts_with("| majority |  |  | 0."), "{text}");
        assert!(rows[1].contains(" | 0.576 / 0.724 / 0.642 |  |  |") && rows[1].contains(" ± "), "{text}");
        assert!(text.contains("0.576 / 0.724 / 0.642") && text.contains("g=0") && text.contains("all-positive F1"));
        assert!(text.contains("| g=0 | 30 | 0.000 | 0.000 | - | - |"), "{text}");
    }

    #[test]
    fn chance_is_measured_with_the_training_share_and_a_vote_is_not_calibrated() {
        let random = Predictions { train_positive: Some(0.9), ..predictions("random", 1) };
        let seed = &reports(&[random], &[], 20)[0].seeds[0];
        // Half of the labels are positive, nine of ten votes are.
        assert!((seed.test.precision - 0.5).abs() < 0.02 && (seed.test.recall - 0.9).abs() < 0.02, "{seed:?}");
        let own = Own { calibration: Calibration { a: 1.0, b: 0.0 }, threshold: 0.5 };
        let majority = Predictions { own: Some(own), ..predictions("majority", 1) };
        let seed = &reports(&[majority], &[], 20)[0].seeds[0];
        // Scores go through f32, so the last bits differ.
        assert!(seed.threshold == 0.5 && (seed.calibration_error_before - seed.test.calibration_error).abs() < 1e-6);
    }

    #[test]
    fn a_bundle_has_its_own_calibration_before_and_after() {
        let own = Own { calibration: Calibration { a: 0.5, b: -1.0 }, threshold: 0.3 };
        let said = Predictions { own: Some(own), validation: Vec::new(), ..predictions("b.onnx", 1) };
        let raw: Vec<f64> = said.test.iter().map(|s| sigmoid(s.logit)).collect();
        let after: Vec<f64> = said.test.iter().map(|s| sigmoid(0.5 * s.logit - 1.0)).collect();
        let labels: Vec<u8> = said.test.iter().map(|s| s.label).collect();
        let report = &reports(&[said], &[], 20)[0];
        let seed = &report.seeds[0];
        assert!(report.bundle && seed.threshold == 0.3);
        assert!((seed.calibration_error_before - calibration_error(&raw, &labels)).abs() < 1e-6);
        assert!((seed.test.calibration_error - calibration_error(&after, &labels)).abs() < 1e-6);
        assert!((seed.calibration_error_before - seed.test.calibration_error).abs() > 0.05);
    }

    #[test]
    fn without_interviews_there_is_no_number_and_names_do_not_break_the_table() {
        let none = Predictions { test: Vec::new(), ..predictions("of | two\n", 1) };
        let table = markdown(&reports(&[none], &[], 20));
        assert!(table.contains("| of \\| two  |  |  | - / - / - |  |  |  |\n"), "{table}");
        assert!(table.contains("| vocal | of \\| two  | - | - | - | - | - | - | - | - → - |  |"), "{table}");
    }

    #[test]
    fn deviation_is_a_samples() {
        assert_eq!(mean_and_deviation(&[1.0, 3.0]), [2.0, 2.0_f64.sqrt()]);
        assert_eq!(mean_and_deviation(&[4.0]), [4.0, 0.0]);
    }
}
