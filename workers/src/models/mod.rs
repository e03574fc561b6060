//! The model files: what `models/manifest.toml` says of them, whether they are here and whole, and how they are fetched.

mod download;
mod error;
mod manifest;
mod part_file;
mod pull;
mod verify;

#[cfg(test)]
mod pull_tests;
#[cfg(test)]
mod test_server;

pub(crate) use error::ModelsError;
pub(crate) use manifest::{Entry, Manifest, Role};
pub(crate) use pull::Pull;
pub(crate) use verify::State;
