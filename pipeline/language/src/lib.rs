//! Words to vectors: the verbal track, question and title vectors.
//!
//! Answers, questions and titles go through one [`Encoder`], so that a bundle sees the same vectors for the same words.

mod encoder;
mod error;
mod pretrained;
mod settings;

pub use encoder::Encoder;
pub use error::LanguageError;
/// The default word vectors; they belong to the schemas, which `core` owns.
pub use hirenet_core::{HASH_DIM, hash_word};
pub use pretrained::MAX_TOKENS;
pub use settings::{EncoderKind, LanguageSettings};
