//! Measures of every model over its seeds, in the shape of the paper's table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;

use super::bootstrap::interval;
use super::metrics::{Measures, auc, calibration_error, measures, sigmoid};
use super::predictions::Predictions;
use super::reported::reported;
use super::threshold::best_threshold;
use crate::baselines::random_vote_f1;
use crate::data::Record;
use crate::fit::Scored;

/// A group or position smaller than this is told, but its AUC says little.
pub const SMALL: usize = 20;

/// One seed of one model.
#[derive(Debug, Clone, Serialize)]
pub struct Seed {
    /// Seed of the run.
    pub seed: u64,
    /// At the threshold that was best on validation, after calibration.
    pub test: Measures,
    /// That threshold.
    pub threshold: f64,
    /// Test F1 at 0.5.
    pub f1_at_half: f64,
    /// Calibration error of the uncalibrated scores.
    pub calibration_error_before: f64,
    /// 95 % bootstrap interval of the AUC.
    pub auc_interval: [f64; 2],
    /// 95 % bootstrap interval of F1.
    pub f1_interval: [f64; 2],
}

/// One model on one modality.
#[derive(Debug, Clone, Serialize)]
pub struct ModelReport {
    /// Such as `hirenet`.
    pub model: String,
    /// A modality, or `fused`.
    pub modality: String,
    /// Each seed.
    pub seeds: Vec<Seed>,
    /// Mean and standard deviation over the seeds, by measure.
    pub over_seeds: BTreeMap<&'static str, [f64; 2]>,
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
    let over = |of: fn(&Seed) -> f64| mean_and_deviation(&seeds.iter().map(of).collect::<Vec<_>>());
    let over_seeds = BTreeMap::from([
        ("precision", over(|s| s.test.precision)),
        ("recall", over(|s| s.test.recall)),
        ("f1", over(|s| s.test.f1)),
        ("all_positive_f1", over(|s| s.test.all_positive_f1)),
        ("auc", over(|s| s.test.auc)),
        ("balanced_accuracy", over(|s| s.test.balanced_accuracy)),
        ("calibration_error_before", over(|s| s.calibration_error_before)),
        ("calibration_error", over(|s| s.test.calibration_error)),
    ]);
    let first = predictions[0];
    let by = |keys: &dyn Fn(&Record) -> Vec<String>| by_key(first, seeds[0].threshold, records, keys);
    ModelReport {
        model: first.model.clone(),
        modality: first.modality.clone(),
        over_seeds,
        groups: by(&|record| record.groups.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        positions: by(&|record| vec![record.position.id.clone()]),
        reported: reported(&first.model, &first.modality),
        seeds,
    }
}

fn calibrated(said: &Predictions, scored: &[Scored]) -> (Vec<f64>, Vec<u8>) {
    let calibration = said.calibration();
    scored.iter().map(|s| (calibration.score(s.logit as f32), s.label)).unzip()
}

fn seed(said: &Predictions, draws: usize) -> Seed {
    let (validation, validation_labels) = calibrated(said, &said.validation);
    let threshold = best_threshold(&validation, &validation_labels);
    let (test, labels) = calibrated(said, &said.test);
    let raw: Vec<f64> = said.test.iter().map(|s| sigmoid(s.logit)).collect();
    let mut at_threshold = measures(&test, &labels, threshold);
    if said.model == "random" {
        let share =
            validation_labels.iter().map(|y| f64::from(*y)).sum::<f64>() / validation_labels.len().max(1) as f64;
        at_threshold.f1 = random_vote_f1(&labels, share, said.seed);
        (at_threshold.precision, at_threshold.recall) = (at_threshold.f1, at_threshold.f1);
    }
    Seed {
        seed: said.seed,
        threshold,
        f1_at_half: measures(&test, &labels, 0.5).f1,
        calibration_error_before: calibration_error(&raw, &labels),
        auc_interval: interval(&test, &labels, draws, said.seed, auc),
        f1_interval: interval(&test, &labels, draws, said.seed, |p, y| measures(p, y, threshold).f1),
        test: at_threshold,
    }
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

/// The reports as Markdown.
#[must_use]
pub fn markdown(reports: &[ModelReport]) -> String {
    let mut out = String::from(
        "Test split; mean ± standard deviation over seeds. Threshold: best F1 on validation. \"reported\": precision / recall / \
         F1 of Hemamou et al. (AAAI 2019), as recalled, on another corpus.\n\n\
         | modality | model | P | R | F1 | all-positive F1 | AUC | 95 % AUC (first seed) | balanced accuracy | calibration error before → after | reported |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for report in reports {
        let cell = |name: &str| {
            let [mean, deviation] = report.over_seeds[name];
            if report.seeds.len() > 1 { format!("{mean:.3} ± {deviation:.3}") } else { format!("{mean:.3}") }
        };
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
        let paper =
            report.reported.map_or(String::new(), |(p, r, f1)| format!("{} / {} / {f1:.3}", number(p), number(r)));
        let [low, high] = report.seeds[0].auc_interval;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {low:.3} to {high:.3} | {} | {} → {} | {paper} |",
            report.modality,
            report.model,
            cell("precision"),
            cell("recall"),
            cell("f1"),
            cell("all_positive_f1"),
            cell("auc"),
            cell("balanced_accuracy"),
            cell("calibration_error_before"),
            cell("calibration_error"),
        );
    }
    parts(&mut out, "Groups (first seed; never an input)", reports, |report| &report.groups);
    parts(&mut out, "Positions (first seed)", reports, |report| &report.positions);
    out
}

fn parts(out: &mut String, title: &str, reports: &[ModelReport], of: fn(&ModelReport) -> &BTreeMap<String, Measures>) {
    if reports.iter().all(|report| of(report).is_empty()) {
        return;
    }
    let _ = write!(
        out,
        "\n{title}. Below {SMALL} interviews a number says little.\n\n\
         | modality | model | part | interviews | F1 | all-positive F1 | AUC | balanced accuracy |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for report in reports.iter().filter(|report| matches!(report.model.as_str(), "hirenet" | "gated" | "bundle")) {
        for (part, m) in of(report) {
            let _ = writeln!(
                out,
                "| {} | {} | {part} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
                report.modality, report.model, m.count, m.f1, m.all_positive_f1, m.auc, m.balanced_accuracy
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        Predictions { model: model.into(), modality: "vocal".into(), seed, validation: scored(0), test: scored(60) }
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
        assert!(reports[0].over_seeds["auc"][0] > 0.7 && reports[0].seeds[0].auc_interval[0] > 0.5);
        let text = markdown(&reports);
        assert!(text.contains("0.576 / 0.724 / 0.642") && text.contains("g=0") && text.contains("all-positive F1"));
    }

    #[test]
    fn deviation_is_a_samples() {
        assert_eq!(mean_and_deviation(&[1.0, 3.0]), [2.0, 2.0_f64.sqrt()]);
        assert_eq!(mean_and_deviation(&[4.0]), [4.0, 0.0]);
    }
}
