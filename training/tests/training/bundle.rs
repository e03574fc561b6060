//! The exported bundle against the trainer's own numbers.

use candle_core::Device;
use hirenet_core::Modality;
use hirenet_training::bundle::Networks;
use hirenet_training::data::{Corpus, Limits, normalisation};
use hirenet_training::eval::parity::parity;
use hirenet_training::models::Sizes;

use crate::support::{program, small};

const TOLERANCE: f64 = 1e-4;
const INTERVIEWS: usize = 500;

fn largest_difference(sizes: Sizes, modalities: &[Modality], interviews: usize) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), |options| options.interviews = 20);
    let corpus = Corpus::open(dir.path(), modalities, Limits::default()).unwrap();
    let normalisations = normalisation(&corpus, &(0..20).collect::<Vec<_>>()).unwrap();
    let mut networks = Networks::draw(corpus.header(), &normalisations, sizes, 7, &Device::Cpu).unwrap();
    networks.fusion.redraw(0.3).unwrap();
    parity(&networks, corpus.header(), hirenet_tests::runtime(), interviews, 1).unwrap()
}

#[test]
fn the_graph_agrees_with_the_trainer_on_500_random_interviews() {
    let worst = largest_difference(Sizes::uniform(12), &Modality::ALL, INTERVIEWS);
    assert!(worst < TOLERANCE, "{worst}");
}

#[test]
fn a_high_level_of_one_direction_and_a_single_modality_agree_too() {
    let one_way = Sizes { hidden: 5, context: 3, attention: 4, both_ways: false };
    assert!(largest_difference(one_way, &Modality::ALL, 40) < TOLERANCE);
    assert!(largest_difference(Sizes::uniform(5), &[Modality::Visual], 40) < TOLERANCE);
}

#[test]
fn a_freshly_exported_graph_passes_the_checker_of_onnx() {
    let python = hirenet_tests::source_dir().join(".venv/bin/python");
    if !python.exists() {
        return hirenet_tests::skipped("it needs the Python environment of `make setup`");
    }
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("b.onnx"));
    small(&data, |_| {});
    let fitted = program(&[
        "-q",
        "fit",
        data.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--hidden",
        "4",
        "--epochs",
        "1",
    ]);
    assert!(fitted.status.success(), "{}", String::from_utf8_lossy(&fitted.stderr));
    let checker = hirenet_tests::source_dir().join("scripts/check_onnx.py");
    let checked = std::process::Command::new(python).arg(checker).arg(&out).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
