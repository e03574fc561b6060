//! Fusions of the modalities.

mod evidence;
mod gated;
mod simple;
mod summary;

pub use evidence::Evidence;
pub use gated::{FusionBatch, FusionOutput, FusionTask, GatedFusion};
pub use simple::{Early, late};
pub use summary::{AnswerSummary, Summary, summarise};
