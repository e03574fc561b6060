//! A pole pair of the source-filter model.

/// A pair of conjugate poles, of unit gain at 0 Hz.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pole {
    hz: f64,
    bandwidth_hz: f64,
    /// Square of the distance from the origin, in Hz.
    square: f64,
}

impl Pole {
    pub(crate) fn new(hz: f64, bandwidth_hz: f64) -> Self {
        Pole { hz, bandwidth_hz, square: hz * hz + 0.25 * bandwidth_hz * bandwidth_hz }
    }

    /// Square of the denominator's magnitude at a frequency.
    fn denominator(&self, hz: f64) -> f64 {
        (self.square - hz * hz).powi(2) + (hz * self.bandwidth_hz).powi(2)
    }

    /// Square of the gain.
    pub(crate) fn power(&self, hz: f64) -> f64 {
        self.square * self.square / self.denominator(hz)
    }

    /// Slopes of the level over the natural logarithms of frequency and bandwidth.
    pub(crate) fn slopes_db(&self, hz: f64) -> [f64; 2] {
        let denominator = self.denominator(hz);
        let per_square = 2.0 / self.square - 2.0 * (self.square - hz * hz) / denominator;
        let own = -2.0 * (hz * self.bandwidth_hz).powi(2) / denominator;
        let db = 10.0 / std::f64::consts::LN_10;
        [
            db * per_square * 2.0 * self.hz * self.hz,
            db * (per_square * 0.5 * self.bandwidth_hz * self.bandwidth_hz + own),
        ]
    }
}
