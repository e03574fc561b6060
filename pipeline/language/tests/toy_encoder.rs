//! An encoder small enough to know its answers: the state of a piece is its number, whatever stands around it.

use std::path::{Path, PathBuf};

use hirenet_language::{Encoder, MAX_TOKENS};
use hirenet_onnx::ModelFile;
use hirenet_onnx::graph::{Attr, Dim, Element, Graph};
use serde_json::{Value, json};

/// Number of pieces that the graph knows.
const PIECES: i64 = 8;

/// `last_hidden_state[0, s] = [id, id * id]`, or without that output under its name.
fn graph(output: &str) -> Vec<u8> {
    let mut g = Graph::new("toy encoder");
    let shape = [Dim::Named("batch"), Dim::Named("pieces")];
    let ids = g.input("input_ids", Element::I64, &shape);
    g.input("attention_mask", Element::I64, &shape);
    let table: Vec<f32> = (0..PIECES).flat_map(|id| [id as f32, (id * id) as f32]).collect();
    let table = g.constant_f32(&[PIECES, 2], &table);
    let states = g.op("Gather", &[&table, &ids], &[("axis", Attr::Int(0))]);
    g.output(output, &states, Element::F32, &[shape[0], shape[1], Dim::Fixed(2)]);
    g.to_bytes()
}

/// Pieces of `selling shoes`: 3 4 5, between the special ones 1 and 2; the file pads and truncates to 4.
fn tokenizer(pre_tokenizer: &Value, model: &Value) -> Value {
    let special = |id: u32, text: &str| {
        json!({"id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
               "special": true})
    };
    let piece = |text: &str| json!({"SpecialToken": {"id": text, "type_id": 0}});
    let sequence = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 4}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [special(1, "[CLS]"), special(2, "[SEP]")],
        "normalizer": null,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [piece("[CLS]"), sequence("A"), piece("[SEP]")],
            "pair": [piece("[CLS]"), sequence("A"), piece("[SEP]"), sequence("B"), piece("[SEP]")],
            "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]},
            },
        },
        "decoder": null,
        "model": model,
    })
}

/// The two families of tokenizers that text encoders use: WordPiece, and Unigram with blanks inside the pieces.
fn tokenizers() -> [Value; 2] {
    let vocabulary = json!({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "sell": 3, "##ing": 4, "shoes": 5});
    let word_piece = json!({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                            "max_input_chars_per_word": 100, "vocab": vocabulary});
    let pieces =
        json!([["[UNK]", 0.0], ["[CLS]", 0.0], ["[SEP]", 0.0], ["▁sell", -1.0], ["ing", -1.0], ["▁shoes", -1.0]]);
    let unigram = json!({"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": false});
    let blanks = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
    [tokenizer(&json!({"type": "BertPreTokenizer"}), &word_piece), tokenizer(&blanks, &unigram)]
}

fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap_or_else(|error| panic!("{error}"));
    path
}

#[test]
fn a_words_vector_is_the_mean_of_its_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let model = ModelFile::unverified(write(folder.path(), "toy.onnx", &graph("last_hidden_state")));
    for tokenizer in tokenizers() {
        let tokenizer = write(folder.path(), "tokenizer.json", tokenizer.to_string().as_bytes());
        let mut encoder = Encoder::onnx(hirenet_tests::runtime(), &model, &tokenizer, "toy").unwrap();
        let (vectors, valid) = encoder.encode(&["selling", "", "shoes", "selling"]).unwrap();
        assert_eq!(valid, [true, false, true, true]);
        let selling = [3.5, 12.5];
        assert_eq!(vectors, ndarray::arr2(&[selling, [0.0, 0.0], [5.0, 25.0], selling]));
        assert_eq!((encoder.verbal_schema().id.as_str(), encoder.verbal_schema().dim()), ("verbal/toy/1", 2));

        let many = ["selling", "shoes"].repeat(MAX_TOKENS);
        let (vectors, valid) = encoder.encode(&many).unwrap();
        assert!(valid.iter().all(|v| *v));
        assert!(vectors.rows().into_iter().skip(1).step_by(2).all(|row| row[0] == 5.0), "every word keeps its place");
        assert_eq!(encoder.encode(&[]).unwrap().0.dim(), (0, 2));
    }
}

#[test]
fn a_graph_without_hidden_states_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let model = ModelFile::unverified(write(folder.path(), "toy.onnx", &graph("pooled")));
    let tokenizer = write(folder.path(), "tokenizer.json", tokenizers()[0].to_string().as_bytes());
    let error = Encoder::onnx(hirenet_tests::runtime(), &model, &tokenizer, "toy").unwrap_err();
    assert!(error.to_string().contains("no output `last_hidden_state`"), "{error}");
}
