//! The words of the domain as types.
//!
//! Everything here is plain data: no room of the pipeline, no model, no file and no network is known. The rooms agree
//! with one another through these types alone.

mod assessment;
mod clock;
mod code;
mod consent;
mod form;
mod frame;
mod hash;
mod message;
mod modality;
mod reason;
mod removal;
mod schema;
mod secret;
mod strict;
mod track;
mod transcript;
mod word_hash;

pub use assessment::{
    AnswerAttention, AnswerResult, Assessment, BundleInfo, BundleKind, ByModality, Software, Span, Status, TrackInfo,
};
pub use clock::{HOP_S, WINDOW_S, WindowStats, window_count, window_span, window_stats};
pub use code::{Code, Coded, Kind};
pub use consent::{Consent, FaceWaiver};
pub use form::is_name;
pub use frame::{Frame, SAMPLE_RATE, SpeechProbability};
pub use hash::{sha256_bytes, sha256_file};
pub use message::{Answer, GivenTranscript, GivenWord, Interview, MessageError, Position};
pub use modality::Modality;
pub use reason::Reason;
pub use removal::{ConsentWithdrawn, EraseRequest, EraseTarget};
pub use schema::{
    BLENDSHAPES, Column, LLD_COLUMNS, LLD_VOICED_FROM, Rows, Schema, context_hash256, verbal_hash256, visual_face,
    vocal_lld51,
};
pub use secret::Secret;
pub use track::Track;
pub use transcript::{Segment, Source, Transcript, Word};
pub use word_hash::{HASH_DIM, hash_word};
