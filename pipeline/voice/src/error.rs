use hirenet_core::{Code, Coded};
use hirenet_onnx::OnnxError;

/// What can go wrong while the voice is measured.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// A setting is out of range.
    #[error("{name} {rule}")]
    Settings {
        /// The setting's full name.
        name: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The spectral graph could not be opened or run.
    #[error("the spectral graph of the voice: {0}")]
    Graph(#[from] OnnxError),
}

impl Coded for VoiceError {
    fn code(&self) -> Code {
        match self {
            VoiceError::Settings { .. } => Code::ConfigInvalid,
            VoiceError::Graph(error) => error.code(),
        }
    }
}
