use hirenet_core::{Code, Coded};
use hirenet_onnx::{OnnxError, ort};

/// What can go wrong while faces are measured.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// A model file is missing or damaged, or a network failed.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// OpenCV refused a resampling.
    #[error("OpenCV: {0}")]
    Opencv(#[from] opencv::Error),
    /// A network's output does not have the shape of its contract.
    #[error("network {network}: output `{output}` has {found} values, its contract says {expected}")]
    Output {
        /// Which network.
        network: &'static str,
        /// Which output.
        output: &'static str,
        /// Number of values found.
        found: usize,
        /// Number of values of the contract.
        expected: usize,
    },
    /// A picture whose sizes and bytes disagree.
    #[error("a frame of {width} x {height} pixels came with {bytes} bytes of RGB")]
    Frame {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Length of the pixel buffer.
        bytes: usize,
    },
    /// A setting is outside its range.
    #[error("face.{setting}: {detail}")]
    Setting {
        /// Name inside the section `face`.
        setting: &'static str,
        /// What it must be.
        detail: &'static str,
    },
    /// The built-in mesh cannot be read.
    #[error("the canonical face mesh cannot be read: {0}")]
    Mesh(String),
}

impl Coded for FaceError {
    fn code(&self) -> Code {
        match self {
            FaceError::Onnx(error) => error.code(),
            FaceError::Output { .. } => Code::ModelCorrupt,
            FaceError::Setting { .. } => Code::ConfigInvalid,
            FaceError::Opencv(_) => Code::ModelFailed,
            FaceError::Frame { .. } | FaceError::Mesh(_) => Code::Internal,
        }
    }
}

impl<T> From<ort::Error<T>> for FaceError {
    fn from(error: ort::Error<T>) -> Self {
        FaceError::Onnx(error.into())
    }
}
