//! Bundles from the outside: loading, the exported graph against the equations, scores and moments.

mod contract;
mod parity;
mod scoring;
mod shipped;
mod support;
