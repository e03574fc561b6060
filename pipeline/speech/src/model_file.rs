//! The whisper.cpp model file (`ggml` magic), read as far as it takes to know that it is whole: whisper.cpp itself
//! accepts a file that ends inside its vocabulary or its last tensor, and then hears nothing or noise.
//!
//! Layout (`whisper_model_load` of whisper.cpp 1.8.3), little endian: magic, 11 hyper-parameters, mel filters
//! (`n_mel`, `n_fft`, their floats), vocabulary (count, then length and bytes of each), tensors (dimensions, length of
//! the name, type, sizes, name, data) to the end of the file.

use std::io::{self, BufReader, Read};

const MAGIC: u32 = 0x6767_6d6c;
/// Tensors outside the layers, in an encoder layer and in a decoder layer.
const TENSORS_FIXED: u64 = 11;
const TENSORS_ENCODER_LAYER: u64 = 15;
const TENSORS_DECODER_LAYER: u64 = 24;
/// Vocabularies from this size on hold the tokens of all languages (`whisper_vocab::is_multilingual`).
const MULTILINGUAL_VOCABULARY: u32 = 51_865;

/// What a whole model file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModelHeader {
    /// True where the vocabulary has a token for each language.
    pub(crate) multilingual: bool,
}

/// Bytes and elements of one block of a tensor type (`ggml_type`).
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 => (4, 1),
        1 | 30 => (2, 1),
        2 => (18, 32),
        3 => (20, 32),
        6 => (22, 32),
        7 => (24, 32),
        8 => (34, 32),
        10 => (84, 256),
        11 => (110, 256),
        12 => (144, 256),
        13 => (176, 256),
        14 => (210, 256),
        _ => return None,
    })
}

/// Reads the structure of a model file and checks that every tensor is there to its last byte.
///
/// # Errors
/// What is wrong with the file, in words.
pub(crate) fn inspect(file: impl Read) -> Result<ModelHeader, String> {
    let mut reader = Fields { inner: BufReader::with_capacity(1 << 18, file) };
    let ended = |part: &'static str| move |_: io::Error| format!("it ends inside its {part}");
    if reader.u32().map_err(ended("header"))? != MAGIC {
        return Err("it is not a whisper.cpp model".to_owned());
    }
    let mut parameters = [0; 11];
    for slot in &mut parameters {
        *slot = reader.u32().map_err(ended("header"))?;
    }
    let [vocabulary, _, _, _, encoder_layers, _, _, _, decoder_layers, _, _] = parameters;
    if encoder_layers > 256 || decoder_layers > 256 {
        return Err("its header makes no sense".to_owned());
    }
    reader.mel_filters().map_err(ended("mel filters"))?;
    reader.vocabulary().map_err(ended("vocabulary"))?;
    let expected = TENSORS_FIXED
        + TENSORS_ENCODER_LAYER * u64::from(encoder_layers)
        + TENSORS_DECODER_LAYER * u64::from(decoder_layers);
    let mut found = 0;
    while let Some(dimensions) = reader.u32_or_end().map_err(ended("tensors"))? {
        reader.tensor(dimensions).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => error.to_string(),
            _ => "it ends inside its tensors".to_owned(),
        })?;
        found += 1;
    }
    match found {
        0 => Err("it holds no weights".to_owned()),
        _ if found != expected => Err(format!("it holds {found} of {expected} tensors")),
        _ => Ok(ModelHeader { multilingual: vocabulary >= MULTILINGUAL_VOCABULARY }),
    }
}

struct Fields<R> {
    inner: R,
}

impl<R: Read> Fields<R> {
    fn u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.inner.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// The next number, or `None` where the file ends before its first byte.
    fn u32_or_end(&mut self) -> io::Result<Option<u32>> {
        let mut first = [0; 1];
        if self.inner.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut rest = [0; 3];
        self.inner.read_exact(&mut rest)?;
        Ok(Some(u32::from_le_bytes([first[0], rest[0], rest[1], rest[2]])))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.inner.by_ref().take(bytes), &mut io::sink())?;
        if skipped == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn mel_filters(&mut self) -> io::Result<()> {
        let (mels, bins) = (u64::from(self.u32()?), u64::from(self.u32()?));
        self.skip(mels.saturating_mul(bins).saturating_mul(4))
    }

    fn vocabulary(&mut self) -> io::Result<()> {
        for _ in 0..self.u32()? {
            let length = self.u32()?;
            self.skip(u64::from(length))?;
        }
        Ok(())
    }

    fn tensor(&mut self, dimensions: u32) -> io::Result<()> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        if !(1..=4).contains(&dimensions) {
            return Err(wrong("a tensor has an impossible shape"));
        }
        let (name, kind) = (self.u32()?, self.u32()?);
        let mut elements = 1_u64;
        for _ in 0..dimensions {
            elements = elements.saturating_mul(u64::from(self.u32()?));
        }
        let (bytes, size) = block(kind).ok_or_else(|| wrong("a tensor has an unknown type"))?;
        self.skip(u64::from(name))?;
        self.skip((elements / size).saturating_mul(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_tests::{model, shared};

    fn demo() -> Vec<u8> {
        model("ggml-demo-en.bin").read().unwrap()
    }

    #[test]
    fn a_whole_model_is_known_by_its_vocabulary() {
        assert_eq!(inspect(demo().as_slice()), Ok(ModelHeader { multilingual: true }));
    }

    #[test]
    fn a_model_cut_anywhere_is_refused() {
        let bytes = demo();
        for (length, part) in [
            (3, "header"),
            (40, "header"),
            (5_000, "mel"),
            (300_000, "vocabulary"),
            (1_000_000, "tensors"),
            (bytes.len() - 1, "tensors"),
        ] {
            let error = inspect(&bytes[..length]).unwrap_err();
            assert!(error.contains(part), "{length}: {error}");
        }
    }

    #[test]
    fn missing_tensors_are_counted() {
        let mut bytes = demo();
        let end = bytes.len() as u64;
        let reader = io::Cursor::new(&bytes);
        let start = last_tensor(reader, end);
        bytes.truncate(start as usize);
        assert!(inspect(bytes.as_slice()).unwrap_err().contains("of 143 tensors"));
    }

    /// Where the last tensor of a whole model begins.
    fn last_tensor(mut file: io::Cursor<&Vec<u8>>, end: u64) -> u64 {
        let mut reader = Fields { inner: &mut file };
        reader.skip(48).unwrap();
        reader.mel_filters().unwrap();
        reader.vocabulary().unwrap();
        loop {
            let start = reader.inner.position();
            let dimensions = reader.u32().unwrap();
            reader.tensor(dimensions).unwrap();
            if reader.inner.position() == end {
                return start;
            }
        }
    }

    #[test]
    fn a_file_of_another_kind_and_one_without_weights_are_refused() {
        assert!(inspect(b"RIFF, not a model".as_slice()).unwrap_err().contains("not a whisper.cpp model"));
        let Some(path) = shared("models/for-tests-ggml-tiny.bin") else { return };
        let file = std::fs::File::open(path).unwrap();
        assert_eq!(inspect(file), Err("it holds no weights".to_owned()));
    }
}
