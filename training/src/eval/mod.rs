//! Honest numbers.

pub mod metrics;
