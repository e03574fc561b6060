//! ONNX Runtime for every room: one environment a process, one place that chooses the device, one way to open a
//! session; and the one writer of ONNX graphs.

mod error;
mod external;
pub mod graph;
mod proto;
mod runtime;

pub use error::OnnxError;
pub use external::external_files;
/// The runtime's own crate, so that all rooms use one version of it.
pub use ort;
pub use runtime::{Device, ModelFile, OnnxSettings, Runtime, forbid_telemetry};
