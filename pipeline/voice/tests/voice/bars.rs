//! What constructed vowels are held to, wherever they come from.

pub(crate) const F0_TOLERANCE: f64 = 0.005;
/// F1, F2, F3.
pub(crate) const FORMANT_TOLERANCES: [f64; 3] = [0.05, 0.04, 0.03];
/// F1 below this many times F0 lies between harmonics that do not show it, and may be off by so much.
pub(crate) const SPARSE: f64 = 1.6;
pub(crate) const SPARSE_TOLERANCE: f64 = 0.25;
pub(crate) const SHIMMER_RANGE_DB: (f64, f64) = (0.7, 1.1);
pub(crate) const CLEAN_JITTER: f64 = 0.001;
pub(crate) const CLEAN_SHIMMER_DB: f64 = 0.1;
