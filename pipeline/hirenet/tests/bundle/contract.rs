//! Loading: graphs that keep the contract, and one breach at a time.

use crate::support::known;
use crate::support::toy::{Fault, Toy};
use hirenet_core::{Code, Coded, Modality};
use hirenet_model::{Bundle, BundleError, check};
use hirenet_onnx::graph::{Dim, Element};
use serde_json::json;

fn load(bytes: &[u8]) -> Result<Bundle, BundleError> {
    Bundle::from_bytes(hirenet_tests::runtime(), bytes, &known())
}

/// The refusal of a toy graph after one change.
fn refused(change: impl FnOnce(&mut Toy)) -> (Code, String) {
    let mut toy = Toy::new(&Modality::ALL);
    change(&mut toy);
    match load(&toy.bytes()) {
        Ok(_) => panic!("the graph must be refused"),
        Err(error) => (error.code(), error.to_string()),
    }
}

#[test]
fn a_foreign_graph_that_keeps_the_contract_loads_and_passes() {
    for modalities in [&Modality::ALL[..], &[Modality::Visual], &[Modality::Verbal, Modality::Vocal]] {
        let mut bundle = load(&Toy::new(modalities).bytes()).unwrap();
        assert_eq!(bundle.modalities().collect::<Vec<_>>(), modalities);
        assert_eq!((bundle.info().name.as_str(), bundle.info().version.as_str()), ("toy", "3"));
        assert_eq!(bundle.card().more["licence"], "MIT", "further keys are kept");
        let report = check(&mut bundle);
        assert!(report.passed(), "{:?}", report.findings);
        assert_eq!(report.runs, 10 << modalities.len());
    }
}

#[test]
fn an_outputs_declared_length_does_not_matter_where_it_is_dynamic() {
    let mut toy = Toy::new(&Modality::ALL);
    toy.fault = Fault::TracedShape;
    let report = check(&mut load(&toy.bytes()).unwrap());
    assert!(report.passed(), "{:?}", report.findings);
}

#[test]
fn breaches_of_the_signature_are_named() {
    let contract = |change: fn(&mut Toy), words: &[&str]| {
        let (code, said) = refused(change);
        assert_eq!(code, Code::BundleContract, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} in: {said}");
    };
    contract(|toy| toy.without = "logit_vocal", &["output `logit_vocal` is missing"]);
    contract(|toy| toy.without = "modality_attention", &["output `modality_attention` is missing"]);
    contract(|toy| toy.without = "title_len", &["input `title_len` is missing"]);
    contract(|toy| toy.extra_input = Some("noise"), &["input `noise`", "nothing can fill it"]);
    contract(|toy| toy.answers = Dim::Fixed(4), &["axis 0 of input `verbal`", "A (answers)", "fixed at 4", "dynamic"]);
    contract(|toy| toy.rows = Dim::Fixed(240), &["axis 1 of input `visual`", "T (rows)", "fixed at 240"]);
    contract(|toy| toy.wider_by = 1, &["axis 2 of input `vocal`", "is 52; it must be 51"]);
    contract(|toy| toy.lengths = Element::I32, &["input `vocal_len` has type", "contract has"]);
    contract(|toy| toy.card = None, &["metadata_props[\"hirenet\"] is missing"]);
    contract(|toy| toy.modalities.clear(), &["none of the inputs"]);
}

#[test]
fn breaches_of_the_card_are_named() {
    let (code, said) = refused(|toy| toy.card.as_mut().unwrap()["contract"] = json!(2));
    assert!(code == Code::BundleContract && said.contains("version 1"), "{said}");
    let (code, said) = refused(|toy| {
        let schemas = toy.card.as_mut().unwrap()["schemas"].as_object_mut().unwrap();
        schemas.remove("vocal");
    });
    assert!(code == Code::BundleContract && said.contains("`schemas` lacks it") && said.contains("vocal"), "{said}");
    let (code, said) = refused(|toy| {
        let calibration = toy.card.as_mut().unwrap()["calibration"].as_object_mut().unwrap();
        calibration.remove("visual");
    });
    assert!(code == Code::BundleContract && said.contains("`calibration` lacks `visual`"), "{said}");
}

#[test]
fn a_foreign_schema_names_the_modality_and_both_ids() {
    for (modality, foreign, ours) in [
        ("vocal", "vocal/opensmile88/1", "vocal/lld51/1"),
        ("verbal", "verbal/minilm/1", "verbal/hash256/1"),
        ("context", "context/minilm/1", "context/hash256/1"),
        ("visual", "vocal/lld51/1", "visual/face/1"),
    ] {
        let (code, said) = refused(|toy| toy.card.as_mut().unwrap()["schemas"][modality] = json!(foreign));
        assert_eq!(code, Code::BundleSchema);
        assert!([modality, foreign, ours].iter().all(|word| said.contains(word)), "{said}");
    }
}

#[test]
fn what_speaks_of_emotion_mood_or_personality_is_refused() {
    let forbidden = |change: fn(&mut Toy), word: &str| {
        let (code, said) = refused(change);
        assert_eq!(code, Code::BundleForbidden, "{said}");
        assert!(said.contains(word), "{said}");
    };
    forbidden(|toy| toy.extra_output = Some("emotion_logits"), "output `emotion_logits`");
    forbidden(|toy| toy.extra_output = Some("logitMood"), "output `logitMood`");
    forbidden(|toy| toy.extra_metadata = Some(("personality", "{}")), "metadata key `personality`");
    forbidden(|toy| toy.extra_metadata = Some(("labels", "[\"anger\", \"joy\"]")), "anger");
    forbidden(|toy| toy.extra_metadata = Some(("notes", "Reads the candidate's mood.")), "mood");
    forbidden(|toy| toy.card.as_mut().unwrap()["intended_use"] = json!("Scores emotional stability"), "intended_use");
    forbidden(|toy| toy.card.as_mut().unwrap()["heads"] = json!({"big5": ["openness"]}), "heads.big5[0]");
    let mut harmless = Toy::new(&Modality::ALL);
    harmless.extra_output = Some("interview_vector");
    harmless.extra_metadata = Some(("notes", "Trained after the promotion season; noise may affect it."));
    assert!(load(&harmless.bytes()).is_ok());
}

#[test]
fn files_that_are_no_graph_have_their_codes() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.path().join(name);
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        let error = Bundle::load(hirenet_tests::runtime(), &path, &known()).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        error.code()
    };
    let whole = Toy::new(&Modality::ALL).bytes();
    assert_eq!(open("missing.onnx", None), Code::FileMissing);
    assert_eq!(open("empty.onnx", Some(b"")), Code::BundleUnreadable);
    assert_eq!(open("text.onnx", Some(b"not a graph")), Code::BundleUnreadable);
    assert_eq!(open("cut.onnx", Some(&whole[..whole.len() / 2])), Code::BundleUnreadable);
    assert!(load(&whole).is_ok());
}

#[test]
fn the_check_finds_what_the_signature_cannot_show() {
    let findings = |fault: Fault| {
        let mut toy = Toy::new(&Modality::ALL);
        toy.fault = fault;
        check(&mut load(&toy.bytes()).unwrap()).findings
    };
    let found = |fault: Fault, output: &str, words: &str| {
        let findings = findings(fault);
        assert!(findings.iter().any(|f| f.starts_with(output) && f.contains(words)), "{findings:?}");
    };
    found(Fault::Unmasked, "vocal_attention", "not to 1");
    found(Fault::Unmasked, "verbal_attention", "not in use");
    found(Fault::AbsentLogit, "logit_visual", "must be 0");
    found(Fault::Nan, "graph", "not finite");
    found(Fault::Shape, "graph", "`logit` has shape [2]");
}

/// A field of a protobuf message that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or_else(|_| panic!("a field of this test is short"));
    [&[number << 3 | 2, length], content].concat()
}

/// The graph with one more tensor, `GraphProto.initializer`, whose data lies in `file`. Protobuf joins repeated messages,
/// so it can be appended.
fn with_weights_in(file: &str, graph: &[u8]) -> Vec<u8> {
    let location = [field(1, b"location"), field(2, file.as_bytes())].concat();
    // dims = [1], data_type = FLOAT, name, external_data, data_location = EXTERNAL
    let tensor = [&[1 << 3, 1, 2 << 3, 1][..], &field(8, b"far"), &field(13, &location), &[14 << 3, 1]].concat();
    [graph, &field(7, &field(5, &tensor))].concat()
}

#[test]
fn weights_beside_the_graph_are_read_and_hashed_and_nothing_further_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.onnx");
    let graph = Toy::new(&Modality::ALL).bytes();
    let open = |file: &str| {
        std::fs::write(&path, with_weights_in(file, &graph)).unwrap();
        Bundle::load(hirenet_tests::runtime(), &path, &known()).map(|bundle| bundle.info().sha256.clone())
    };
    let refused = |file: &str, words: &str| {
        let error = open(file).unwrap_err();
        assert_eq!(error.code(), Code::BundleUnreadable);
        assert!(error.to_string().contains(words), "{error}");
    };
    refused("b.onnx.data", "cannot be read");
    refused("../b.onnx.data", "only a file beside the graph");
    refused("/etc/passwd", "only a file beside the graph");
    std::fs::write(folder.path().join("b.onnx.data"), [0; 4]).unwrap();
    let first = open("b.onnx.data").unwrap();
    std::fs::write(folder.path().join("b.onnx.data"), [1; 4]).unwrap();
    assert_ne!(open("b.onnx.data").unwrap(), first, "the hash covers the weights");
    let error = load(&with_weights_in("b.onnx.data", &graph)).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("load it by its path"), "{error}");
}
