//! Honest numbers.

pub mod bootstrap;
pub mod bundle;
pub mod calibration;
pub mod markdown;
pub mod metrics;
pub mod parity;
pub mod predictions;
pub mod report;
pub mod reported;
pub mod threshold;
