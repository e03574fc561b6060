//! Whole runs: the same seed, a kill in mid-run, comparisons.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use candle_core::Device;
use hirenet_core::Modality;
use hirenet_training::compare::{Compared, Comparison};
use hirenet_training::data::{Corpus, Limits};
use hirenet_training::data::{read_records, write_records};
use hirenet_training::eval::bundle::open;
use hirenet_training::eval::predictions::Predictions;
use hirenet_training::eval::report::reports;
use hirenet_training::files::read_json;
use hirenet_training::fit::{Fitted, Run, Unseen, load_run};
use serde_json::Value;

use crate::support::{program, refused, settings, small};

fn fit(dataset: &Path, folder: &Path, modalities: &[Modality]) -> Fitted {
    let corpus = Corpus::open(dataset, modalities, Limits::default()).unwrap();
    let settings = settings(modalities, 3);
    let run =
        Run { corpus: &corpus, settings: &settings, folder: folder.to_owned(), device: Device::Cpu, resume: false };
    run.fit(&|_| Box::new(Unseen)).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_numbers_and_a_run_is_loaded_as_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    small(&data, |_| {});
    let modalities = [Modality::Vocal, Modality::Visual];
    let (first, second) =
        (fit(&data, &dir.path().join("1"), &modalities), fit(&data, &dir.path().join("2"), &modalities));
    assert_eq!(first.histories, second.histories);
    assert_eq!(first.predictions, second.predictions);
    // Reading every interview anew from disk changes nothing either.
    let tight = Limits { cache_bytes: 0, ..Limits::default() };
    let corpus = Corpus::open(&data, &modalities, tight).unwrap();
    let (_, loaded) = load_run(&dir.path().join("1"), &corpus, &Device::Cpu).unwrap();
    assert_eq!(loaded.weights().unwrap(), first.networks.weights().unwrap());
}

#[test]
fn a_killed_run_loses_an_epoch_at_most_and_ends_like_one_that_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    small(&data, |options| options.interviews = 300);
    let arguments = |out: &Path| {
        let words =
            ["fit", "--modalities", "vocal", "--hidden", "8", "--epochs", "6", "--patience", "6", "--rate", "0.003"];
        let mut all: Vec<String> = words.map(str::to_owned).to_vec();
        all.extend([data.display().to_string(), "--out".to_owned(), out.display().to_string()]);
        all
    };
    let (whole, cut) = (dir.path().join("whole.onnx"), dir.path().join("cut.onnx"));
    let run = |arguments: &[String]| {
        let output = program(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    run(&arguments(&whole));
    // A line comes out when an epoch's checkpoint is on the disk: after the second, the program is killed in the third.
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_hirenet-train")).args(arguments(&cut)).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.by_ref().any(|line| line.contains("epoch 2:")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!cut.exists());
    let mut again = arguments(&cut);
    again.push("--resume".to_owned());
    let said = run(&again);
    assert!(!said.contains("vocal epoch 2:") && said.contains("vocal epoch 6:"), "{said}");
    let metrics = |bundle: &Path| std::fs::read_to_string(bundle.with_extension("run").join("metrics.json")).unwrap();
    assert_eq!(metrics(&whole), metrics(&cut));
    assert!(std::fs::read(&whole).unwrap() == std::fs::read(&cut).unwrap(), "both bundles are the same file");
}

#[test]
fn a_comparison_covers_every_model_and_evaluation_puts_it_in_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    small(&data, |options| options.interviews = 160);
    let corpus = Corpus::open(&data, &Modality::ALL, Limits::default()).unwrap();
    let models = [
        Compared::Hirenet,
        Compared::HnSatt,
        Compared::HnAvg,
        Compared::Bigru,
        Compared::NonSequential,
        Compared::BagOfWords,
        Compared::Majority,
        Compared::Random,
        Compared::Fusions,
        Compared::Missing,
    ];
    let settings = settings(&Modality::ALL, 1);
    let comparison =
        Comparison { corpus: &corpus, settings: &settings, models: &models, folder: out.clone(), device: Device::Cpu };
    comparison.seed(1, &|_| Box::new(Unseen)).unwrap();
    let predictions: Vec<Predictions> =
        Predictions::load_all(&out).unwrap().into_iter().map(|(_, said)| said).collect();
    let reports = reports(&predictions, corpus.records(), 20);
    // Six kinds in three modalities, two votes, three fusions, three blind ones, and three fusions without each modality.
    assert_eq!(reports.len(), 6 * 3 + 2 + 3 + 3 + 9);
    let labels = corpus.records();
    for said in &predictions {
        assert!(said.test.iter().all(|s| s.logit.is_finite() && s.label == labels[s.index].label), "{}", said.model);
    }
    let evaluated = program(&[
        "evaluate",
        data.to_str().unwrap(),
        out.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--draws",
        "20",
    ]);
    assert!(evaluated.status.success(), "{}", String::from_utf8_lossy(&evaluated.stderr));
    let table = String::from_utf8_lossy(&evaluated.stdout).into_owned();
    assert!(table.contains("| verbal | hirenet |") && table.contains("0.539 / 0.797 / 0.643"), "{table}");
    resumes_and_refuses(&comparison, &out, dir.path());
}

/// What a comparison does with a folder that has predictions.
fn resumes_and_refuses(comparison: &Comparison<'_>, out: &Path, dir: &Path) {
    // What is missing is made again, whatever else is there; what is there is left.
    let files = [out.join("gated.fused.1.json"), out.join("early_trained_without_verbal.fused.1.json")];
    let kept = std::fs::read(&files[1]).unwrap();
    for file in &files {
        std::fs::remove_file(file).unwrap();
        let only =
            Comparison { models: &[Compared::Missing], folder: out.to_owned(), device: Device::Cpu, ..*comparison };
        only.seed(1, &|_| Box::new(Unseen)).unwrap();
        assert!(file.exists(), "{}", file.display());
    }
    assert!(std::fs::read(&files[1]).unwrap() == kept);

    // Other settings and another data set are told by what the folder says of itself.
    let mut other = comparison.settings.clone();
    other.train.rate = 0.01;
    let error = Comparison { settings: &other, folder: out.to_owned(), device: Device::Cpu, ..*comparison }
        .prepare()
        .unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("comparison.json") && said.contains("train.rate") && error.code() == "usage_invalid",
        "{said}"
    );
    let elsewhere = dir.join("elsewhere");
    small(&elsewhere, |options| (options.interviews, options.seed) = (160, 2));
    let corpus = Corpus::open(&elsewhere, &Modality::ALL, Limits::default()).unwrap();
    let error = Comparison { corpus: &corpus, folder: out.to_owned(), device: Device::Cpu, ..*comparison }
        .prepare()
        .unwrap_err();
    assert!(error.to_string().contains("another data set"), "{error}");
    let said = refused(&["evaluate", elsewhere.to_str().unwrap(), out.to_str().unwrap()], 3);
    assert!(said.contains("bag_of_words.verbal.1.json") && said.contains("another data set"), "{said}");
    std::fs::remove_file(out.join("comparison.json")).unwrap();
    let error = comparison.prepare().unwrap_err();
    assert!(error.to_string().contains("no comparison.json"), "{error}");
}

#[test]
fn bundles_are_rows_of_their_own_and_keep_to_their_split() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    small(&data, |_| {});
    // As imported data sets are: nothing says which interview serves for what.
    let mut records = read_records(&data).unwrap();
    for record in &mut records {
        record.split = None;
    }
    write_records(&data, &records).unwrap();
    let bundles = [("a.onnx", "random"), ("b.onnx", "grouped")].map(|(name, how)| {
        let out = dir.path().join(name);
        let words =
            ["-q", "fit", data.to_str().unwrap(), "--out", out.to_str().unwrap(), "--split", how, "--hidden", "4"];
        let more = ["--modalities", "vocal", "--epochs", "1", "--max-windows", "15"];
        let fitted = program(&[&words[..], &more[..]].concat());
        assert!(fitted.status.success(), "{}", String::from_utf8_lossy(&fitted.stderr));
        let said = String::from_utf8_lossy(&fitted.stdout).into_owned();
        assert!(said.contains("kept at its start") || said.contains("epoch 1 of 1"), "{said}");
        out
    });
    let [a, b] = [&bundles[0], &bundles[1]].map(|path| path.to_str().unwrap());
    let out = dir.path().join("out");
    let words = ["evaluate", data.to_str().unwrap(), a, b, "--draws", "20", "--out", out.to_str().unwrap()];
    let evaluated = program(&words);
    assert!(evaluated.status.success(), "{}", String::from_utf8_lossy(&evaluated.stderr));
    let found: Value = read_json(&out.join("evaluation.json")).unwrap();
    let names: Vec<(&str, &str)> =
        found.as_array().unwrap().iter().map(|r| (text(&r["model"]), text(&r["modality"]))).collect();
    assert_eq!(names, [("a.onnx", "fused"), ("b.onnx", "fused"), ("a.onnx", "vocal"), ("b.onnx", "vocal")]);
    for (report, bundle) in found.as_array().unwrap().iter().zip(&bundles) {
        let seed = &report["seeds"][0];
        let metrics: Value = read_json(&bundle.with_extension("run").join("metrics.json")).unwrap();
        // The bundle's own test interviews, at its own threshold, after its own calibration: as `fit` measured it.
        assert_eq!(seed["test"]["count"], metrics["test"]["fused"]["count"]);
        let [here, there] =
            [&seed["test"], &metrics["test"]["fused"]].map(|m| m["calibration_error"].as_f64().unwrap());
        assert!((here - there).abs() < 1e-4, "{here} for {there}");
        let card = open(hirenet_tests::runtime(), bundle).unwrap().card().clone();
        assert_eq!(card.more["interviews"]["test"], metrics["test"]["fused"]["count"]);
        assert_eq!(card.more["split"]["read"]["max_windows"], 15);
    }
    let elsewhere = dir.path().join("elsewhere");
    small(&elsewhere, |options| options.seed = 2);
    records = read_records(&elsewhere).unwrap();
    for record in &mut records {
        record.split = None;
    }
    write_records(&elsewhere, &records).unwrap();
    let said = refused(&["evaluate", elsewhere.to_str().unwrap(), a, "--on", "validation"], 2);
    assert!(said.contains("split `validation`") && said.contains("a.onnx") && said.contains("--on all"), "{said}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn a_part_that_no_epoch_made_better_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("b.onnx"));
    small(&data, |_| {});
    // Steps so small that nothing moves.
    let words =
        ["fit", data.to_str().unwrap(), "--out", out.to_str().unwrap(), "--modalities", "vocal", "--hidden", "4"];
    let fitted = program(&[&words[..], &["--epochs", "2", "--rate", "1e-12"]].concat());
    let said = String::from_utf8_lossy(&fitted.stdout).into_owned();
    assert!(fitted.status.success() && said.matches("kept at its start").count() == 2, "{said}");
    let metrics: Value = read_json(&out.with_extension("run").join("metrics.json")).unwrap();
    assert_eq!((&metrics["kept"]["fused"]["epoch"], &metrics["history"]["fused"][0]["epoch"]), (&0.into(), &0.into()));
    assert!(metrics["history"]["vocal"][0]["train_loss"].is_null());
}

#[test]
fn a_run_is_explained_with_its_control() {
    let dir = tempfile::tempdir().unwrap();
    let (data, folder) = (dir.path().join("data"), dir.path().join("run"));
    small(&data, |_| {});
    fit(&data, &folder, &[Modality::Verbal]);
    let explained = program(&["-q", "explain", data.to_str().unwrap(), folder.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.status.success(), "{}", String::from_utf8_lossy(&explained.stderr));
    for part in ["influence", "planted moments", "control on shuffled labels", "words by importance", "question weight"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(folder.join("explanation.json").exists());
}
