//! Bundles from the outside: loading, the exported graph against the equations, scores and moments.

#![expect(clippy::unwrap_used, reason = "what fails in a helper of a test fails the test")]

mod contract;
mod parity;
mod pytorch;
mod scoring;
mod shipped;
mod support;
