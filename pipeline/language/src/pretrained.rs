//! A pretrained encoder as an ONNX graph with its tokenizer: a word's vector is the mean of its pieces' last hidden
//! states, in the context of the segment that the word stands in.

use std::ops::Range;
use std::path::{Path, PathBuf};

use hirenet_onnx::ort::session::{Session, SessionInputValue};
use hirenet_onnx::ort::value::{Outlet, Tensor};
use hirenet_onnx::{ModelFile, OnnxError, Runtime};
use ndarray::{Array1, Array2, ArrayView2, Axis, Ix3, s};
use tokenizers::{Encoding, Tokenizer, TruncationDirection};

use crate::LanguageError;

/// Longest context in pieces, special ones included; a longer segment is halved between two words.
pub const MAX_TOKENS: usize = 256;

const OUTPUT: &str = "last_hidden_state";
const IDS: &str = "input_ids";
const MASK: &str = "attention_mask";
const TYPES: &str = "token_type_ids";

/// An ONNX text encoder and its tokenizer.
#[derive(Debug)]
pub(crate) struct Pretrained {
    session: Session,
    tokenizer: Tokenizer,
    has_types: bool,
    path: PathBuf,
    dim: usize,
}

impl Pretrained {
    /// Opens both files and runs one word through them, which settles the vectors' length.
    pub(crate) fn open(runtime: &Runtime, model: &ModelFile, tokenizer: &Path) -> Result<Self, LanguageError> {
        let session = runtime.open(model)?;
        let contract = |detail: String| LanguageError::Contract { path: model.path.clone(), detail };
        let inputs: Vec<&str> = session.inputs().iter().map(Outlet::name).collect();
        for name in [IDS, MASK] {
            if !inputs.contains(&name) {
                return Err(contract(format!("it has no input `{name}`")));
            }
        }
        if let Some(extra) = inputs.iter().find(|name| ![IDS, MASK, TYPES].contains(name)) {
            return Err(contract(format!("nothing is known to feed its input `{extra}`")));
        }
        if !session.outputs().iter().any(|output| output.name() == OUTPUT) {
            return Err(contract(format!("it has no output `{OUTPUT}`")));
        }
        let has_types = inputs.contains(&TYPES);
        let tokenizer = read_tokenizer(tokenizer)?;
        let mut encoder = Pretrained { session, tokenizer, has_types, path: model.path.clone(), dim: 0 };
        let probe = encoder.tokenise(&["a"])?.0;
        encoder.dim = encoder.hidden(&probe)?.ncols();
        Ok(encoder)
    }

    /// Length of a vector.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Vectors `[words, D]` of one segment's words; a word without pieces is zeros and false.
    pub(crate) fn encode(&mut self, words: &[&str]) -> Result<(Array2<f32>, Vec<bool>), LanguageError> {
        let mut vectors = Array2::zeros((words.len(), self.dim));
        let mut valid = vec![false; words.len()];
        let mut pending: Vec<_> = std::iter::once(0..words.len()).collect();
        while let Some(chunk) = pending.pop().filter(|chunk| !chunk.is_empty()) {
            let (mut encoding, spans) = self.tokenise(&words[chunk.clone()])?;
            if encoding.len() > MAX_TOKENS {
                if chunk.len() > 1 {
                    let middle = chunk.start + chunk.len() / 2;
                    pending.extend([middle..chunk.end, chunk.start..middle]);
                    continue;
                }
                encoding.truncate(MAX_TOKENS, 0, TruncationDirection::Right);
            }
            let hidden = self.hidden(&encoding)?;
            for (word, pieces) in pieces_of_words(&encoding, &spans).iter().enumerate() {
                if let Some(mean) = hidden.select(Axis(0), pieces).mean_axis(Axis(0)) {
                    vectors.row_mut(chunk.start + word).assign(&mean);
                    valid[chunk.start + word] = true;
                }
            }
        }
        Ok((vectors, valid))
    }

    /// The pieces of the words joined by blanks, and each word's range of bytes in that text.
    fn tokenise(&self, words: &[&str]) -> Result<(Encoding, Vec<Range<usize>>), LanguageError> {
        let mut spans = Vec::with_capacity(words.len());
        let mut text = String::new();
        for word in words {
            if !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(word);
            spans.push(start..text.len());
        }
        let encoding = self.tokenizer.encode(text, true).map_err(|error| LanguageError::Failed(error.to_string()))?;
        Ok((encoding, spans))
    }

    /// Last hidden states `[pieces, D]`. One text a run: in a quantised graph, padding changes the numbers.
    fn hidden(&mut self, encoding: &Encoding) -> Result<Array2<f32>, LanguageError> {
        let row = |values: &[u32]| Array1::from_iter(values.iter().map(|value| i64::from(*value))).insert_axis(Axis(0));
        let (ids, mask, types) =
            (row(encoding.get_ids()), row(encoding.get_attention_mask()), row(encoding.get_type_ids()));
        let tensor = |array: &Array2<i64>| -> Result<SessionInputValue<'static>, OnnxError> {
            Ok(Tensor::from_array(array.clone())?.into())
        };
        let mut inputs = vec![(IDS, tensor(&ids)?), (MASK, tensor(&mask)?)];
        if self.has_types {
            inputs.push((TYPES, tensor(&types)?));
        }
        let outputs = self.session.run(inputs).map_err(OnnxError::from)?;
        let states = outputs[OUTPUT].try_extract_array::<f32>().map_err(OnnxError::from)?;
        let contract = |detail: String| LanguageError::Contract { path: self.path.clone(), detail };
        let states = states
            .into_dimensionality::<Ix3>()
            .map_err(|_| contract(format!("its output `{OUTPUT}` is not [batch, pieces, columns]")))?;
        if states.dim().0 != 1 || states.dim().1 != encoding.len() || states.dim().2 == 0 {
            return Err(contract(format!("its output `{OUTPUT}` is not [1, pieces, columns]")));
        }
        let states: ArrayView2<'_, f32> = states.slice_move(s![0, .., ..]);
        if states.iter().any(|value| !value.is_finite()) {
            return Err(LanguageError::Failed("the encoder gave a number that is not finite".to_owned()));
        }
        Ok(states.to_owned())
    }
}

fn read_tokenizer(path: &Path) -> Result<Tokenizer, LanguageError> {
    let corrupt = |detail: String| LanguageError::TokenizerCorrupt { path: path.to_owned(), detail };
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => LanguageError::TokenizerMissing(path.to_owned()),
        _ => corrupt(error.to_string()),
    })?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| corrupt(error.to_string()))?;
    // Published files carry the padding and truncation of their training (MiniLM: to 128 pieces).
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|error| corrupt(error.to_string()))?;
    Ok(tokenizer)
}

/// Which pieces belong to each word: those whose last byte lies in it. Special pieces have no bytes.
fn pieces_of_words(encoding: &Encoding, words: &[Range<usize>]) -> Vec<Vec<usize>> {
    let mut pieces = vec![Vec::new(); words.len()];
    for (piece, (start, end)) in encoding.get_offsets().iter().enumerate() {
        let special = encoding.get_special_tokens_mask()[piece] == 1;
        if special || end <= start {
            continue;
        }
        let word = words.partition_point(|word| word.end < *end);
        if words.get(word).is_some_and(|word| word.start < *end) {
            pieces[word].push(piece);
        }
    }
    pieces
}
