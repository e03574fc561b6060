/// Samples a second of all sound inside the pipeline: mono `f32` in -1..1.
pub const SAMPLE_RATE: u32 = 16_000;

/// One analysed picture, upright (display matrix applied).
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Seconds since media time zero.
    pub time_s: f64,
    /// Width of `rgb` in pixels.
    pub width: u32,
    /// Height of `rgb` in pixels.
    pub height: u32,
    /// Width of the upright full-size picture that `rgb` was scaled from, in pixels.
    pub full_width: u32,
    /// Height of the upright full-size picture, in pixels.
    pub full_height: u32,
    /// `height` rows of `width` RGB triples, no padding.
    pub rgb: Vec<u8>,
}

/// Speech probability on a regular grid, from the one voice activity detector.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechProbability {
    /// Seconds from one value to the next; value `k` covers `[k hop_s, (k + 1) hop_s)`.
    pub hop_s: f64,
    /// Probability of speech, 0..1.
    pub values: Vec<f32>,
}

impl SpeechProbability {
    /// Share of `[start, end)` (seconds) whose probability is at least `threshold`; 0 for an empty range.
    #[must_use]
    pub fn share(&self, start: f64, end: f64, threshold: f32) -> f32 {
        let mut covered = 0.0;
        let mut speech = 0.0;
        let first = (start / self.hop_s).floor().max(0.0) as usize;
        for (k, p) in self.values.iter().enumerate().skip(first) {
            let (from, to) = (k as f64 * self.hop_s, (k + 1) as f64 * self.hop_s);
            if from >= end {
                break;
            }
            let overlap = to.min(end) - from.max(start);
            if overlap > 0.0 {
                covered += overlap;
                if *p >= threshold {
                    speech += overlap;
                }
            }
        }
        if covered > 0.0 { (speech / covered) as f32 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_weighs_partly_covered_values() {
        let p = SpeechProbability { hop_s: 0.1, values: vec![0.9, 0.1, 0.9, 0.9] };
        assert!((p.share(0.0, 0.4, 0.5) - 0.75).abs() < 1e-6);
        assert!((p.share(0.05, 0.15, 0.5) - 0.5).abs() < 1e-6);
        assert_eq!(p.share(0.5, 0.9, 0.5), 0.0);
    }
}
