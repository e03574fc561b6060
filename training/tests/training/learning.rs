//! What training does beside following gradients: it stops, balances, tries a grid, and never looks at a group.

use std::collections::BTreeMap;

use candle_core::Device;
use hirenet_core::Modality;
use hirenet_training::data::{Corpus, Limits, read_records, write_records};
use hirenet_training::eval::predictions::Predictions;
use hirenet_training::files::read_json;
use hirenet_training::fit::{Fitted, Run, Unseen, best_epoch, positive_weight};
use serde_json::Value;

use crate::support::{program, settings, small};

fn fit(dataset: &std::path::Path, folder: &str, epochs: usize, patience: usize, rate: f64) -> Fitted {
    let corpus = Corpus::open(dataset, &[Modality::Vocal], Limits::default()).unwrap();
    let mut settings = settings(&[Modality::Vocal], epochs);
    (settings.train.patience, settings.train.rate) = (patience, rate);
    let folder = dataset.join(folder);
    let run = Run { corpus: &corpus, settings: &settings, folder, device: Device::Cpu, resume: false };
    run.fit(&|_| Box::new(Unseen)).unwrap()
}

#[test]
fn a_run_ends_when_its_patience_does() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), |_| {});
    // So large a step that validation soon gets no better.
    let fitted = fit(dir.path(), "run", 40, 2, 0.3);
    let history = &fitted.histories["vocal"];
    assert_eq!(history.len() - 1 - best_epoch(history), 2, "{history:?}");
    assert!(history.len() < 40);
}

#[test]
fn a_positive_label_weighs_what_balances_the_classes() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), |_| {});
    let mut records = read_records(dir.path()).unwrap();
    for (number, record) in records.iter_mut().enumerate() {
        record.label = u8::from(number % 4 == 0);
    }
    write_records(dir.path(), &records).unwrap();
    let corpus = Corpus::open(dir.path(), &[Modality::Vocal], Limits::default()).unwrap();
    let everyone: Vec<usize> = (0..120).collect();
    assert_eq!(positive_weight(&corpus, &everyone, true), 3.0);
    assert_eq!(positive_weight(&corpus, &everyone, false), 1.0);
}

#[test]
fn groups_change_no_weight_and_no_score() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), |_| {});
    let plain = fit(dir.path(), "plain", 2, 2, 3e-3);
    let mut records = read_records(dir.path()).unwrap();
    for record in &mut records {
        // As telling as a group can be.
        record.groups = BTreeMap::from([("group".to_owned(), record.label.to_string())]);
    }
    write_records(dir.path(), &records).unwrap();
    let grouped = fit(dir.path(), "grouped", 2, 2, 3e-3);
    assert_eq!(plain.networks.weights().unwrap(), grouped.networks.weights().unwrap());
    let said = |fitted: &Fitted| -> Vec<Predictions> {
        fitted.predictions.iter().map(|said| Predictions { dataset: None, ..said.clone() }).collect()
    };
    assert_eq!(said(&plain), said(&grouped));
}

#[test]
fn a_grid_keeps_its_best_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("b.onnx"));
    small(&data, |options| options.interviews = 300);
    let words =
        ["fit", data.to_str().unwrap(), "--out", out.to_str().unwrap(), "--modalities", "vocal", "--hidden", "8"];
    // The second rate moves nothing.
    let grid = [&words[..], &["--epochs", "4", "--grid", "rate=0.01,1e-12"]].concat();
    let done = program(&grid);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let run = out.with_extension("run");
    let told: Value = read_json(&run.join("grid.json")).unwrap();
    let tried = told["tried"].as_array().unwrap();
    let aucs: Vec<f64> = tried.iter().map(|entry| entry["validation_auc"].as_f64().unwrap()).collect();
    let best = if aucs[0] > aucs[1] { &tried[0] } else { &tried[1] };
    assert!(tried.len() == 2 && told["best"] == best["settings"], "{told}");
    let place = run.join(told["best"].as_str().unwrap());
    assert!(place.join("metrics.json").exists() && place.join("curves.svg").exists(), "{}", place.display());
    let bundle = std::fs::read(&out).unwrap();
    let again = program(&[&grid[..], &["--resume"]].concat());
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.success() && !said.contains("epoch 1:"), "nothing is trained twice: {said}");
    assert!(std::fs::read(&out).unwrap() == bundle);
}
