//! Honest numbers.

pub mod calibration;
pub mod metrics;
pub mod predictions;
pub mod threshold;
