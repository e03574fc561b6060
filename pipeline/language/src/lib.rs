//! Words to vectors: the verbal track, question and title vectors.
//!
//! Answers, questions and titles go through one [`Encoder`], so that a bundle sees the same vectors for the same words.

mod encoder;
mod error;
mod hash;
mod pretrained;
mod settings;

pub use encoder::Encoder;
pub use error::LanguageError;
pub use hash::{HASH_DIM, hash_word};
pub use pretrained::MAX_TOKENS;
pub use settings::{EncoderKind, LanguageSettings};
