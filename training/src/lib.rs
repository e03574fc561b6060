//! HireNet's trainer: data sets, the model of the paper with its ablations and baselines, fusions, evaluation, explanation,
//! and the export of one ONNX graph that the pipeline runs.

pub mod baselines;
pub mod bundle;
pub mod cli;
pub mod commands;
pub mod compare;
pub mod data;
mod error;
pub mod eval;
pub mod explain;
pub mod files;
pub mod fit;
pub mod fusion;
pub mod models;
pub mod nn;
pub mod progress;
pub mod synth;

pub use error::{Result, TrainError};
