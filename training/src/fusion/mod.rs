//! Fusions of the modalities.

mod gated;
mod simple;
mod summary;

pub use gated::{FusionBatch, FusionOutput, FusionTask, GatedFusion};
pub use simple::{Early, late};
pub use summary::{AnswerSummary, Summary, summarise};
