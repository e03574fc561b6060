//! Whole runs: the same seed, a kill in mid-run, comparisons.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use candle_core::Device;
use hirenet_core::Modality;
use hirenet_training::compare::{Compared, Comparison};
use hirenet_training::data::{Corpus, Limits};
use hirenet_training::eval::predictions::Predictions;
use hirenet_training::eval::report::reports;
use hirenet_training::fit::{Fitted, Run, Unseen, load_run};

use crate::support::{program, settings, small};

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
    let predictions = Predictions::load_all(&out).unwrap();
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
    assert!(evaluated.status.success());
    let table = String::from_utf8_lossy(&evaluated.stdout).into_owned();
    assert!(table.contains("| verbal | hirenet |") && table.contains("0.539 / 0.797 / 0.643"), "{table}");
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
