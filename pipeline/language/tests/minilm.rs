//! The encoder of the shared data, all-MiniLM-L6-v2 in int8, through the same door as any other.

use hirenet_core::{Coded, Segment, Source, Transcript, Word};
use hirenet_language::{Encoder, LanguageError, MAX_TOKENS};
use hirenet_onnx::ModelFile;
use hirenet_tests::{runtime, shared};
use ndarray::{Array1, Axis};

/// Cosines published for the float32 model, on mean-pooled sentences.
const PUBLISHED: [(usize, usize, f32); 3] = [(0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411)];
/// int8 weights, and special and punctuation pieces that words leave out or weigh otherwise.
const COSINE_TOLERANCE: f32 = 0.12;

fn minilm() -> Option<Encoder> {
    let model = shared("models/all-MiniLM-L6-v2.int8.onnx")?;
    let tokenizer = shared("models/all-MiniLM-L6-v2.tokenizer.json")?;
    let model = ModelFile::unverified(model);
    let encoder = Encoder::onnx(runtime(), &model, &tokenizer, "minilm-l6-v2-int8");
    Some(encoder.unwrap_or_else(|error| panic!("{error}")))
}

fn cosine(a: &Array1<f32>, b: &Array1<f32>) -> f32 {
    a.dot(b) / (a.dot(a) * b.dot(b)).sqrt()
}

#[test]
fn means_of_words_are_near_the_published_cosines() {
    let Some(mut encoder) = minilm() else { return };
    let sentences =
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."].map(|sentence| {
            let track = encoder.context(sentence).unwrap();
            assert_eq!(track.values.dim(), (sentence.split(' ').count(), 384));
            assert!(track.valid.iter().all(|v| *v));
            track.values.mean_axis(Axis(0)).unwrap()
        });
    for (a, b, published) in PUBLISHED {
        let ours = cosine(&sentences[a], &sentences[b]);
        assert!((ours - published).abs() < COSINE_TOLERANCE, "{a} {b}: {ours} for {published}");
    }
}

#[test]
fn a_word_is_seen_in_the_context_of_its_segment() {
    let Some(mut encoder) = minilm() else { return };
    let word = |text: &str| Word { text: text.to_owned(), start: None, end: None, confidence: None };
    let mut transcript = Transcript::empty(Source::Given, None);
    transcript.words = "river bank money bank".split(' ').map(word).collect();
    let segment =
        |first, last| Segment { start: None, end: None, word_first: first, word_last: last, text: String::new() };
    transcript.segments = vec![segment(0, 1), segment(2, 3)];
    let track = encoder.verbal_track(&transcript).unwrap();
    assert_eq!(track.schema.id, "verbal/minilm-l6-v2-int8/1");
    assert_eq!(encoder.context_schema().id, "context/minilm-l6-v2-int8/1");
    let alone = encoder.encode(&["money", "bank"]).unwrap().0;
    assert_eq!(track.values.row(3), alone.row(1), "segments are encoded apart");
    assert!(
        cosine(&track.values.row(1).to_owned(), &track.values.row(3).to_owned()) < 0.95,
        "context tells banks apart"
    );
}

#[test]
fn long_segments_are_split_and_every_word_keeps_its_row() {
    let Some(mut encoder) = minilm() else { return };
    let words: Vec<&str> = ["extraordinarily", "long", "answers,"].into_iter().cycle().take(2 * MAX_TOKENS).collect();
    let (vectors, valid) = encoder.encode(&words).unwrap();
    assert_eq!(vectors.nrows(), words.len());
    assert!(valid.iter().all(|v| *v) && vectors.iter().all(|v| v.is_finite()));
    let endless = "ab".repeat(2 * MAX_TOKENS);
    assert_eq!(encoder.encode(&[&endless]).unwrap().1, [true]);
    assert_eq!(encoder.encode(&["", "word"]).unwrap().1, [false, true]);
    assert_eq!(encoder.encode(&words).unwrap().0, vectors, "the same input gives the same vectors");
}

#[test]
fn wrong_files_are_named() {
    let Some(tokenizer) = shared("models/all-MiniLM-L6-v2.tokenizer.json") else { return };
    let Some(model) = shared("models/all-MiniLM-L6-v2.int8.onnx") else { return };
    let open = |model: ModelFile, tokenizer: &std::path::Path, name: &str| {
        Encoder::onnx(runtime(), &model, tokenizer, name).unwrap_err()
    };
    let other = open(hirenet_tests::model("silero_vad_16k_op15.onnx"), &tokenizer, "x");
    assert!(matches!(&other, LanguageError::Contract { detail, .. } if detail.contains("input_ids")), "{other}");
    let missing = open(ModelFile::unverified(&model), std::path::Path::new("nowhere.json"), "x");
    assert_eq!(missing.code().as_str(), "model_missing");
    let broken = open(ModelFile::unverified(&model), std::path::Path::new("Cargo.toml"), "x");
    assert_eq!(broken.code().as_str(), "model_corrupt");
    for name in ["", "hash256", "Mini LM", "a/b"] {
        assert_eq!(open(ModelFile::unverified(&model), &tokenizer, name).code().as_str(), "config_invalid");
    }
}
