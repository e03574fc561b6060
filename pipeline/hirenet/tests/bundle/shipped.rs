//! The untrained bundle in the repository is the generator's, and keeps the contract.

use crate::support::{known, schema};
use hirenet_core::{BundleKind, Modality};
use hirenet_model::export::{UNTRAINED_SEED, untrained, untrained_card};
use hirenet_model::{Bundle, check};

/// The repository carries it, so it stays small.
const MAX_BYTES: usize = 6_000_000;

#[test]
fn the_shipped_bundle_is_the_generators() {
    let file = hirenet_tests::model("hirenet-untrained.onnx").path;
    let shipped = std::fs::read(&file).unwrap();
    assert!(shipped.len() < MAX_BYTES);
    let mut bundle = Bundle::load(hirenet_tests::runtime(), &file, &known()).unwrap();
    assert_eq!(*bundle.card(), untrained_card());
    assert_eq!(bundle.info().kind, BundleKind::Untrained);
    for modality in Modality::ALL {
        assert_eq!(bundle.schemas().get(modality), Some(&schema(modality)));
    }
    assert!(shipped == untrained(UNTRAINED_SEED), "run the example `untrained_bundle` again and commit its file");
    let report = check(&mut bundle);
    assert!(report.passed(), "{:?}", report.findings);
}
