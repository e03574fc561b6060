/// Candidates of one frame, the unvoiced one included.
pub(crate) const MAX_CANDIDATES: usize = 15;
/// Cost of a change by one octave from frame to frame.
const OCTAVE_JUMP_COST: f32 = 0.35;
/// Cost of a change between voiced and unvoiced.
const VOICING_COST: f32 = 0.14;

/// One reading of a frame: a pitch, or unvoiced (`f0_hz` 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) f0_hz: f32,
    pub(crate) strength: f32,
}

/// The strongest path through the candidates of all frames (Viterbi), found as they come.
#[derive(Debug)]
pub(crate) struct Path {
    /// Pitch of each candidate of each frame.
    f0_hz: Vec<f32>,
    /// Best predecessor of each candidate, as an index into the frame before.
    from: Vec<u8>,
    /// Where each frame's candidates start in the two lists above.
    starts: Vec<usize>,
    /// Logarithm (base 2) of the last frame's pitches; `None` for unvoiced.
    octaves: Vec<Option<f32>>,
    /// Strength of the best path that ends in each candidate of the last frame.
    scores: Vec<f64>,
}

impl Path {
    pub(crate) fn new(frames: usize) -> Self {
        Path {
            f0_hz: Vec::new(),
            from: Vec::new(),
            starts: Vec::with_capacity(frames),
            octaves: Vec::new(),
            scores: Vec::new(),
        }
    }

    /// Extends all paths by one frame, which has at least one candidate and at most [`MAX_CANDIDATES`].
    pub(crate) fn push(&mut self, candidates: &[Candidate]) {
        self.starts.push(self.f0_hz.len());
        let mut scores = Vec::with_capacity(MAX_CANDIDATES);
        let mut octaves = Vec::with_capacity(MAX_CANDIDATES);
        for candidate in candidates {
            let octave = (candidate.f0_hz > 0.0).then(|| candidate.f0_hz.log2());
            let (mut best, mut score) = (0, if self.scores.is_empty() { 0.0 } else { f64::NEG_INFINITY });
            for (index, (before, reached)) in self.octaves.iter().zip(&self.scores).enumerate() {
                let reached = reached - f64::from(transition_cost(*before, octave));
                if reached > score {
                    (best, score) = (index, reached);
                }
            }
            self.f0_hz.push(candidate.f0_hz);
            self.from.push(best as u8);
            octaves.push(octave);
            scores.push(score + f64::from(candidate.strength));
        }
        self.octaves = octaves;
        self.scores = scores;
    }

    /// Pitch of each frame along the best path.
    pub(crate) fn best(&self) -> Vec<f32> {
        let mut track = vec![0.0; self.starts.len()];
        let mut at = 0;
        for (index, score) in self.scores.iter().enumerate() {
            if *score > self.scores[at] {
                at = index;
            }
        }
        for (f0, start) in track.iter_mut().zip(&self.starts).rev() {
            *f0 = self.f0_hz[start + at];
            at = usize::from(self.from[start + at]);
        }
        track
    }
}

fn transition_cost(before: Option<f32>, now: Option<f32>) -> f32 {
    match (before, now) {
        (Some(before), Some(now)) => OCTAVE_JUMP_COST * (before - now).abs(),
        (None, None) => 0.0,
        _ => VOICING_COST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voiced(f0_hz: f32, strength: f32) -> Candidate {
        Candidate { f0_hz, strength }
    }

    #[test]
    fn a_single_octave_error_is_passed_over() {
        let mut path = Path::new(3);
        let unvoiced = voiced(0.0, 0.45);
        path.push(&[voiced(100.0, 0.9), unvoiced]);
        path.push(&[voiced(200.0, 0.95), voiced(100.0, 0.9), unvoiced]);
        path.push(&[voiced(100.0, 0.9), unvoiced]);
        assert_eq!(path.best(), [100.0, 100.0, 100.0]);
    }

    #[test]
    fn a_silent_frame_ends_a_voiced_run() {
        let mut path = Path::new(3);
        path.push(&[voiced(100.0, 0.9), voiced(0.0, 0.45)]);
        path.push(&[voiced(0.0, 2.45)]);
        path.push(&[voiced(100.0, 0.9), voiced(0.0, 0.45)]);
        assert_eq!(path.best(), [100.0, 0.0, 100.0]);
        assert!(Path::new(0).best().is_empty());
    }
}
