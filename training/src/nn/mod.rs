//! Layers over ragged sequences, with gradients.

mod activation;
mod attend;
pub mod composed;
#[cfg(feature = "cuda")]
mod device;
mod dropout;
mod gru;
mod host;
mod input;
pub mod layers;
pub mod parameters;
mod ragged;
#[cfg(test)]
mod tests;

pub use attend::attend;
pub use dropout::Dropout;
pub use gru::gru;
pub use input::project_input;
pub use parameters::Parameters;
pub use ragged::Ragged;
