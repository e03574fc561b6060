/// Watches an extraction; every method has a quiet default.
pub trait Observer: Sync {
    /// The media is open; its duration where the header has one.
    fn opened(&self, _duration_s: Option<f64>) {}
    /// So much of the media is decoded.
    fn decoded(&self, _seconds: f64) {}
    /// Decoding is done; this stage still works.
    fn finishing(&self, _stage: &'static str) {}
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy)]
pub struct NoObserver;

impl Observer for NoObserver {}
