//! Honest numbers.

pub mod calibration;
pub mod metrics;
