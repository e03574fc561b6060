//! The demo bundle in the repository: its schemas are the extractors', and its card says what it is.

use hirenet_core::{BundleKind, Modality, context_hash256};
use hirenet_model::check;
use hirenet_training::eval::bundle::{open, schema};

/// The repository carries it, so it stays small.
const MAX_BYTES: u64 = 6_000_000;

#[test]
fn the_demo_bundle_fits_the_extractors_and_says_what_it_is() {
    let path = hirenet_tests::model("hirenet-demo.onnx").path;
    assert!(std::fs::metadata(&path).unwrap().len() < MAX_BYTES);
    // Opening refuses any schema that the extractors no longer produce.
    let mut bundle = open(hirenet_tests::runtime(), &path).unwrap();
    for modality in Modality::ALL {
        assert_eq!(
            bundle.schemas().get(modality),
            Some(&schema(modality)),
            "train the demo bundle anew: make train-demo"
        );
    }
    assert_eq!(bundle.context_schema(), &context_hash256());
    assert_eq!(bundle.info().kind, BundleKind::Demo);
    let card = serde_json::json!(bundle.card()).to_string();
    for words in ["made up by a program", "no decision about a person", "Demonstration"] {
        assert!(card.contains(words), "{words}: {card}");
    }
    let report = check(&mut bundle);
    assert!(report.passed(), "{:?}", report.findings);
}
