//! The model files: what `models/manifest.toml` says of them, whether they are here and whole, how they are fetched, and
//! what to do where they are not.

mod cure;
mod download;
mod error;
mod manifest;
mod named;
mod part_file;
mod pull;
mod verify;

#[cfg(test)]
mod pull_tests;
#[cfg(test)]
mod test_server;

pub(crate) use error::ModelsError;
pub(crate) use manifest::{Entry, Manifest, Role};
pub(crate) use named::Named;
pub(crate) use pull::Pull;
pub(crate) use verify::State;
