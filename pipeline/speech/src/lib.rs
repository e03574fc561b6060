//! Voice activity and speech recognition: samples to transcript.
//!
//! Silero VAD finds stretches of speech; whisper.cpp recognises each stretch by itself, so that words cannot drift over
//! pauses and a mistake cannot spread. [`Listener`] does both while the sound arrives.

mod activity;
mod error;
mod format;
mod level;
mod listener;
mod model_file;
mod recogniser;
mod recognition;
mod settings;
mod shortened;
mod stretch;
mod times;
mod transcript;
mod words;

pub use activity::{ACTIVITY_HOP_S, ActivityStream, VoiceActivity};
pub use error::SpeechError;
pub use format::{to_srt, to_txt, to_vtt};
pub use listener::{DetectedLanguage, Heard, Listener};
pub use recogniser::{Recogniser, language_code};
pub use settings::SpeechSettings;
pub use stretch::{Stretch, StretchFinder};
pub use transcript::{forget_late_times, given_transcript};
