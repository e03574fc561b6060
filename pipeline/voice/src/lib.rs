//! eGeMAPS low-level descriptors: samples to the vocal track.
//!
//! [`VoiceMeter`] measures 25 descriptors every 10 ms (Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter
//! Set", IEEE Transactions on Affective Computing 7(2)); [`track`] averages them on the common clock. The ten spectral
//! descriptors are an ONNX graph; pitch, periods, harmonics and formants are Rust.

mod error;
mod formant;
mod frame;
mod harmonic;
mod hnr;
mod interpolation;
mod meter;
mod period;
mod pitch;
mod residual;
mod settings;
mod smooth;
mod spectral;
mod track;

pub use error::VoiceError;
pub use meter::{Llds, VoiceMeter};
pub use settings::VoiceSettings;
pub use track::track;
