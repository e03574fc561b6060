//! `hirenet-train fit`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hirenet_model::forbidden_word;
use serde_json::{Map, Value, json};

use super::{device, print, tell};
use crate::bundle::{CardText, card};
use crate::cli::Fit;
use crate::data::{Corpus, Split};
use crate::eval::bundle::{SPLIT_KEY, TrainedOn};
use crate::eval::metrics::{Measures, measures};
use crate::eval::predictions::{FUSED, Predictions};
use crate::files::{check_writable, make_folder, write_json, write_whole};
use crate::fit::{Epoch, Fitted, Observer, Run, Settings, best_epoch, curves};
use crate::progress::Bar;
use crate::{Result, TrainError};

pub(super) fn run(arguments: &Fit, quiet: bool) -> Result<()> {
    check_writable(&arguments.out)?;
    let base = arguments.training.settings();
    let corpus = Corpus::open(&arguments.dataset, &base.modalities, arguments.reading.limits())?;
    let folder = arguments.run.clone().unwrap_or_else(|| arguments.out.with_extension("run"));
    check_places(arguments, &folder)?;
    check_card(arguments, &corpus)?;
    let combinations = base.combinations(&grid(&arguments.grid))?;
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
        warn_of_classes(&corpus, &fitted, quiet);
        warn_of_silent_parts(&fitted, quiet);
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

/// Refuses places that would lose something, or cannot be written once everything is trained.
fn check_places(arguments: &Fit, folder: &Path) -> Result<()> {
    let out = &arguments.out;
    if out == folder {
        return Err(TrainError::Usage(format!(
            "{} is the run's folder too: give --out another name, or --run",
            out.display()
        )));
    }
    // Bundles may lie beside the data.
    let is_bundle = out.extension().is_some_and(|extension| extension == "onnx");
    let real = |path: &Path| path.canonicalize().ok();
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (real(parent), real(&arguments.dataset)) {
        (Some(parent), Some(dataset)) if parent.starts_with(&dataset) && out.exists() && !is_bundle => {
            Err(TrainError::Usage(format!("{} is a file of the data set: give --out another place", out.display())))
        }
        _ => Ok(()),
    }
}

/// Refuses before the training what no bundle may say.
fn check_card(arguments: &Fit, corpus: &Corpus) -> Result<()> {
    let header = &corpus.header().name;
    let said = [("--name", &arguments.name), ("--bundle-version", &arguments.version), ("the data set's name", header)];
    for (what, text) in said {
        if text.trim().is_empty() {
            return Err(TrainError::Usage(format!("{what} is empty; a bundle's card must have one")));
        }
        if let Some(word) = forbidden_word(text) {
            return Err(TrainError::Usage(format!(
                "{what} says `{word}`: no bundle that speaks of emotion, mood or personality is ever run"
            )));
        }
    }
    Ok(())
}

/// The grid with the values of each parameter once, in their order.
fn grid(entries: &[(String, Vec<f64>)]) -> BTreeMap<String, Vec<f64>> {
    let mut grid: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, values) in entries {
        let known = grid.entry(name.clone()).or_default();
        for value in values {
            if !known.contains(value) {
                known.push(*value);
            }
        }
    }
    grid
}

/// A part that learned nothing is in the bundle all the same.
fn warn_of_silent_parts(fitted: &Fitted, quiet: bool) {
    for (name, history) in &fitted.histories {
        if !quiet && name != FUSED && best_epoch(history) == 0 {
            tell(&format!("warning: {name}: no epoch was better than random weights, which are what the bundle has"));
        }
    }
    for said in &fitted.predictions {
        if !quiet && said.calibration().a == 0.0 {
            let name = &said.modality;
            tell(&format!(
                "warning: {name}: its logits go against the labels of validation: its score is the same for all"
            ));
        }
    }
}

fn fused(fitted: &Fitted) -> Option<&Predictions> {
    fitted.predictions.iter().find(|said| said.modality == FUSED)
}

/// Validation AUC of the fusion's weights that are kept: it ranks a grid.
fn validation_auc(fitted: &Fitted) -> f64 {
    fitted.histories.get(FUSED).map_or(0.0, |history| history[best_epoch(history)].validation_auc)
}

/// The epoch whose weights are kept, in words.
fn kept(history: &[Epoch]) -> String {
    match best_epoch(history) {
        0 => "kept at its start: no epoch was better".to_owned(),
        epoch => format!("epoch {epoch} of {}", history.len() - 1),
    }
}

/// Validation of one class chooses nothing: neither the epoch to stop at nor calibration and threshold.
fn warn_of_classes(corpus: &Corpus, fitted: &Fitted, quiet: bool) {
    for (split, what) in [(Split::Validation, "chosen"), (Split::Test, "measured")] {
        let mut labels = fitted.splits.of(split).iter().map(|index| corpus.records()[*index].label);
        let first = labels.next();
        if !quiet && labels.all(|label| Some(label) == first) {
            tell(&format!("warning: all {split} interviews have the same label: nothing can be {what} on them"));
        }
    }
}

/// Measures of calibrated test scores at the validation's threshold.
fn test_measures(said: &Predictions) -> Measures {
    let (test, labels) = said.calibrated(&said.test);
    measures(&test, &labels, said.threshold())
}

/// Curves, measures and predictions in the run's folder.
fn write_results(folder: &Path, fitted: &Fitted) -> Result<()> {
    write_whole(&folder.join("curves.svg"), curves::svg(&fitted.histories).as_bytes())?;
    let measured: Map<String, Value> =
        fitted.predictions.iter().map(|said| (said.modality.clone(), json!(test_measures(said)))).collect();
    let kept: Map<String, Value> = fitted
        .histories
        .iter()
        .map(|(name, history)| (name.clone(), json!({"epoch": best_epoch(history), "in_words": kept(history)})))
        .collect();
    let metrics = json!({"test": measured, "kept": kept, "history": fitted.histories});
    write_json(&folder.join("metrics.json"), &metrics)?;
    fitted.predictions.iter().try_for_each(|said| said.save(&folder.join("predictions")))
}

fn export(arguments: &Fit, corpus: &Corpus, settings: &Settings, fitted: &Fitted) -> Result<()> {
    let Some(said) = fused(fitted) else { return Ok(()) };
    let counts: Map<String, Value> =
        Split::ALL.iter().map(|split| (split.to_string(), json!(fitted.splits.of(*split).len()))).collect();
    let trained_on = TrainedOn {
        how: settings.split,
        seed: settings.train.seed,
        read: fitted.config.read,
        dataset: fitted.config.dataset.clone(),
    };
    let more = Map::from_iter([
        (
            "model".to_owned(),
            json!("implements HireNet as described by Hemamou et al., AAAI 2019, with a gated fusion"),
        ),
        ("measured_on_test".to_owned(), json!(test_measures(said))),
        ("settings".to_owned(), json!(settings)),
        ("interviews".to_owned(), json!(counts)),
        (SPLIT_KEY.to_owned(), json!(trained_on)),
    ]);
    let text = CardText { name: arguments.name.clone(), version: arguments.version.clone(), more };
    let card = card(corpus.header(), &text, said.threshold(), &fitted.calibration);
    write_whole(&arguments.out, &fitted.networks.bundle(&card)?)
}

fn summary(fitted: &Fitted) -> String {
    let line = |said: &Predictions| {
        let m = test_measures(said);
        let auc = m.auc.map_or("-".to_owned(), |auc| format!("{auc:.3}"));
        let kept = fitted.histories.get(&said.modality).map_or(String::new(), |history| kept(history));
        format!(
            "{:<7} test AUC {auc}, F1 {:.3} (all positive {:.3}), calibration error {:.3}; {kept}",
            said.modality, m.f1, m.all_positive_f1, m.calibration_error
        )
    };
    fitted.predictions.iter().map(line).collect::<Vec<_>>().join("\n")
}
