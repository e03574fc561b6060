//! Pitch by the autocorrelation of windowed frames and a least-cost path: P. Boersma (1993), "Accurate short-term
//! analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17.

mod candidates;
mod path;

use candidates::CandidateFinder;
use path::{Candidate, Path};

use crate::VoiceSettings;
use crate::frame::{copy_samples, frame_count};

/// Pitch of every frame of a recording.
#[derive(Debug)]
pub(crate) struct PitchTracker {
    finder: CandidateFinder,
    voicing_threshold: f32,
    silence_threshold: f32,
}

impl PitchTracker {
    pub(crate) fn new(settings: &VoiceSettings) -> Self {
        PitchTracker {
            finder: CandidateFinder::new(settings),
            voicing_threshold: settings.voicing_threshold,
            silence_threshold: settings.silence_threshold,
        }
    }

    /// F0 in Hz of each frame, 0 where unvoiced; frames that are not `audible` are unvoiced.
    pub(crate) fn track(&mut self, samples: &[f32], audible: &[bool]) -> Vec<f32> {
        let global_peak = global_peak(samples);
        let mut path = Path::new(frame_count(samples.len()));
        let mut found: Vec<Candidate> = Vec::new();
        for (frame, audible) in audible.iter().enumerate() {
            found.clear();
            let local_peak = if *audible { self.finder.find(samples, frame, &mut found) } else { 0.0 };
            found.push(Candidate { f0_hz: 0.0, strength: self.unvoiced_strength(local_peak, global_peak) });
            path.push(&found);
        }
        path.best()
    }

    /// Strength of the unvoiced candidate (Boersma 1993, eq. 23): grows as the frame grows silent.
    fn unvoiced_strength(&self, local_peak: f32, global_peak: f32) -> f32 {
        if global_peak <= 0.0 {
            return self.voicing_threshold + 2.0;
        }
        let silent = self.silence_threshold / (1.0 + self.voicing_threshold);
        let loudness = local_peak / global_peak / silent.max(f32::MIN_POSITIVE);
        self.voicing_threshold + (2.0 - loudness).max(0.0)
    }
}

/// Largest distance of a sample from the recording's mean.
fn global_peak(samples: &[f32]) -> f32 {
    let mut block = [0.0_f32; 4096];
    let (mut low, mut high, mut sum) = (0.0_f32, 0.0_f32, 0.0_f64);
    for start in (0..samples.len()).step_by(block.len()) {
        let block = &mut block[..4096.min(samples.len() - start)];
        copy_samples(samples, start as isize, block);
        low = block.iter().copied().fold(low, f32::min);
        high = block.iter().copied().fold(high, f32::max);
        sum += block.iter().map(|x| f64::from(*x)).sum::<f64>();
    }
    let mean = (sum / samples.len().max(1) as f64) as f32;
    (high - mean).max(mean - low)
}
