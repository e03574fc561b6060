//! Levels of speech: clipping is counted, very quiet speech is raised before recognition.

use crate::SpeechSettings;

/// A sample at least this large counts as clipped: coding, resampling and mixing down move the ceiling a little.
const CEILING: f32 = 0.985;
/// The highest peak that raising may cause.
const HEADROOM: f32 = 0.95;

/// Clipping and quietness over the speech of one answer.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    samples: u64,
    clipped: u64,
    raised: bool,
}

impl Levels {
    /// Share of clipped samples in all speech so far.
    pub(crate) fn clipped_share(&self) -> f64 {
        if self.samples == 0 { 0.0 } else { self.clipped as f64 / self.samples as f64 }
    }

    /// True where any stretch was raised.
    pub(crate) fn raised(&self) -> bool {
        self.raised
    }

    /// Counts a stretch's samples, and raises them in place where their speech is quiet.
    ///
    /// `speech` are the parts of `samples` that are speech; their root mean square is the level. The gain is one number
    /// for the whole stretch, so the sound keeps its shape.
    pub(crate) fn prepare<'a>(
        &mut self,
        samples: &mut [f32],
        speech: impl Iterator<Item = std::ops::Range<usize>> + 'a,
        settings: &SpeechSettings,
    ) {
        let (mut count, mut power) = (0_u64, 0.0_f64);
        for sample in speech.filter_map(|range| samples.get(range)).flatten() {
            count += 1;
            power += f64::from(*sample).powi(2);
            self.clipped += u64::from(sample.abs() >= CEILING);
        }
        self.samples += count;
        if count == 0 || power <= 0.0 {
            return;
        }
        let level = (power / count as f64).sqrt();
        if level >= amplitude(settings.quiet_dbfs) {
            return;
        }
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let gain = (amplitude(settings.quiet_target_dbfs) / level).min(f64::from(HEADROOM / peak)).max(1.0) as f32;
        for sample in samples {
            *sample *= gain;
        }
        self.raised = true;
    }
}

/// Amplitude of a level in dB of full scale.
fn amplitude(dbfs: f32) -> f64 {
    10.0_f64.powf(f64::from(dbfs) / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32) -> Vec<f32> {
        (0..16_000).map(|k| amplitude * (k as f32 * 0.1).sin()).collect()
    }

    fn prepared(mut samples: Vec<f32>) -> (Levels, f32) {
        let mut levels = Levels::default();
        levels.prepare(&mut samples, std::iter::once(0..16_000), &SpeechSettings::default());
        (levels, samples.iter().fold(0.0, |peak: f32, s| peak.max(s.abs())))
    }

    #[test]
    fn quiet_speech_is_raised_to_the_target_and_other_speech_is_left_alone() {
        let (levels, peak) = prepared(tone(0.001));
        assert!(levels.raised());
        // A sine of -20 dBFS has a peak of -17 dBFS.
        assert!((peak - 0.1414).abs() < 0.001, "{peak}");
        let (levels, peak) = prepared(tone(0.1));
        assert!(!levels.raised());
        assert!((peak - 0.1).abs() < 1e-4);
    }

    #[test]
    fn raising_never_clips_and_silence_stays_silent() {
        let mut samples = tone(0.001);
        samples[8_000] = 0.4;
        let (levels, peak) = prepared(samples);
        assert!(levels.raised() && peak <= HEADROOM);
        let (levels, peak) = prepared(vec![0.0; 16_000]);
        assert!(!levels.raised() && peak == 0.0);
    }

    #[test]
    fn clipped_samples_are_counted() {
        let clipped: Vec<f32> = tone(2.0).iter().map(|s| s.clamp(-1.0, 1.0)).collect();
        assert!(prepared(clipped).0.clipped_share() > 0.5);
        assert_eq!(prepared(tone(0.9)).0.clipped_share(), 0.0);
    }
}
