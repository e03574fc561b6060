//! HireNet bundles: the graph contract, scoring, attention to spans, and the graph's export.

mod bundle;
mod card;
mod check;
pub mod contract;
mod error;
pub mod export;
mod forbidden;
mod interview;
mod run;
mod score;
mod signature;
mod spans;

pub use bundle::Bundle;
pub use card::{Calibration, Calibrations, Card, SchemaIds};
pub use check::{CheckReport, check};
pub use error::BundleError;
pub use forbidden::in_text as forbidden_word;
pub use interview::{AnswerTracks, InterviewTracks};
pub use score::Scored;
pub use spans::{AnswerTimes, Run, salient_runs};
