//! `hirenet-train fit`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{device, print};
use crate::Result;
use crate::bundle::{CardText, card};
use crate::cli::Fit;
use crate::data::{Corpus, Split};
use crate::eval::metrics::{Measures, measures};
use crate::eval::predictions::{FUSED, Predictions};
use crate::eval::threshold::best_threshold;
use crate::files::{make_folder, write_json, write_whole};
use crate::fit::{Fitted, Observer, Run, Settings, curves};
use crate::progress::Bar;

pub(super) fn run(arguments: &Fit, quiet: bool) -> Result<()> {
    let base = arguments.training.settings();
    let corpus = Corpus::open(&arguments.dataset, &base.modalities, arguments.reading.limits())?;
    let folder = arguments.run.clone().unwrap_or_else(|| arguments.out.with_extension("run"));
    let grid: BTreeMap<String, Vec<f64>> = arguments.grid.iter().cloned().collect();
    let combinations = base.combinations(&grid)?;
    let single = combinations.len() == 1;
    let mut best: Option<(f64, String, Settings, PathBuf, Fitted)> = None;
    let mut tried = Vec::new();
    for (label, settings) in combinations {
        let place = if single { folder.clone() } else { folder.join(&label) };
        let run = Run {
            corpus: &corpus,
            settings: &settings,
            folder: place.clone(),
            device: device(&arguments.training.device)?,
            resume: arguments.resume,
        };
        let prefix = if single { String::new() } else { format!("{label} ") };
        let fitted = run.fit(&|name| -> Box<dyn Observer> { Box::new(Bar::new(&format!("{prefix}{name}"), quiet)) })?;
        let auc = validation_auc(&fitted);
        tried.push(json!({"settings": label, "validation_auc": auc}));
        write_results(&place, &fitted)?;
        if best.as_ref().is_none_or(|(so_far, ..)| auc > *so_far) {
            best = Some((auc, label, settings, place, fitted));
        }
    }
    let Some((_, label, settings, place, fitted)) = best else { return Ok(()) };
    if !single {
        make_folder(&folder)?;
        write_json(&folder.join("grid.json"), &json!({"tried": tried, "best": label}))?;
    }
    export(arguments, &corpus, &settings, &fitted)?;
    print(&format!("{} from {}\n{}", arguments.out.display(), place.display(), summary(&fitted)))
}

fn fused(fitted: &Fitted) -> Option<&Predictions> {
    fitted.predictions.iter().find(|said| said.modality == FUSED)
}

fn validation_auc(fitted: &Fitted) -> f64 {
    let auc = |history: &Vec<crate::fit::Epoch>| history.iter().map(|e| e.validation_auc).fold(0.0, f64::max);
    fitted.histories.get(FUSED).map_or(0.0, auc)
}

/// Measures of calibrated test scores at the validation's threshold.
fn test_measures(said: &Predictions) -> Measures {
    let calibration = said.calibration();
    let calibrated = |scored: &[crate::fit::Scored]| -> (Vec<f64>, Vec<u8>) {
        scored.iter().map(|s| (calibration.score(s.logit as f32), s.label)).unzip()
    };
    let (validation, labels) = calibrated(&said.validation);
    let threshold = best_threshold(&validation, &labels);
    let (test, labels) = calibrated(&said.test);
    measures(&test, &labels, threshold)
}

/// Curves, measures and predictions in the run's folder.
fn write_results(folder: &Path, fitted: &Fitted) -> Result<()> {
    write_whole(&folder.join("curves.svg"), curves::svg(&fitted.histories).as_bytes())?;
    let measured: Map<String, Value> =
        fitted.predictions.iter().map(|said| (said.modality.clone(), json!(test_measures(said)))).collect();
    write_json(&folder.join("metrics.json"), &json!({"test": measured, "history": fitted.histories}))?;
    fitted.predictions.iter().try_for_each(|said| said.save(&folder.join("predictions")))
}

fn export(arguments: &Fit, corpus: &Corpus, settings: &Settings, fitted: &Fitted) -> Result<()> {
    let Some(said) = fused(fitted) else { return Ok(()) };
    let calibration = said.calibration();
    let (validation, labels): (Vec<f64>, Vec<u8>) =
        said.validation.iter().map(|s| (calibration.score(s.logit as f32), s.label)).unzip();
    let counts: Map<String, Value> = Split::ALL
        .iter()
        .map(|split| {
            (
                format!("{split:?}").to_lowercase(),
                json!(corpus.records().iter().filter(|r| r.split == Some(*split)).count()),
            )
        })
        .collect();
    let more = Map::from_iter([
        (
            "model".to_owned(),
            json!("implements HireNet as described by Hemamou et al., AAAI 2019, with a gated fusion"),
        ),
        ("measured_on_test".to_owned(), json!(test_measures(said))),
        ("settings".to_owned(), json!(settings)),
        ("interviews".to_owned(), json!(counts)),
    ]);
    let text = CardText { name: arguments.name.clone(), version: arguments.version.clone(), more };
    let card = card(corpus.header(), &text, best_threshold(&validation, &labels), &fitted.calibration);
    write_whole(&arguments.out, &fitted.networks.bundle(&card)?)
}

fn summary(fitted: &Fitted) -> String {
    let line = |said: &Predictions| {
        let m = test_measures(said);
        format!(
            "{:<7} test AUC {:.3}, F1 {:.3} (all positive {:.3}), calibration error {:.3}",
            said.modality, m.auc, m.f1, m.all_positive_f1, m.calibration_error
        )
    };
    fitted.predictions.iter().map(line).collect::<Vec<_>>().join("\n")
}
