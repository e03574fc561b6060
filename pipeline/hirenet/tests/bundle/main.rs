//! Bundles from the outside: loading, the exported graph against the equations, scores and moments.

mod contract;
mod parity;
mod pytorch;
mod scoring;
mod shipped;
mod support;
