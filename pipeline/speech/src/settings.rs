use serde::{Deserialize, Serialize};

use crate::SpeechError;
use crate::recogniser::language_code;

/// Settings of voice activity and recognition, section `speech` of the configuration.
///
/// Seconds throughout; thresholds of whisper.cpp keep their published meaning (`whisper_full_params`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpeechSettings {
    /// Recognition model: a name of `models/manifest.toml` or a path to a whisper.cpp file.
    pub model: String,
    /// ISO 639-1 code of the spoken language; empty: detect it once an answer.
    pub language: String,
    /// Seconds of speech that language detection listens to before it decides.
    pub language_speech_s: f64,
    /// Speech begins where the probability reaches this.
    pub vad_threshold: f32,
    /// Speech goes on until the probability falls below this.
    pub vad_release: f32,
    /// A shorter run of speech is taken for a noise.
    pub min_speech_s: f64,
    /// A shorter dip of the probability does not end speech.
    pub min_silence_s: f64,
    /// Speech with a shorter pause between belongs to one stretch.
    pub merge_gap_s: f64,
    /// A longer pause inside a stretch is recognised as one of this length.
    pub longest_pause_s: f64,
    /// Sound kept before and after each stretch.
    pub pad_s: f64,
    /// The longest stretch as it is recognised, padding included; whisper hears 30 s at most. Longer speech is cut at a
    /// pause.
    pub max_stretch_s: f64,
    /// Threads inside whisper.cpp. They spin while they wait: keep them below the number of cores.
    pub threads: usize,
    /// Width of the beam search; 1 is greedy.
    pub beam_size: u32,
    /// Candidates at each temperature above zero.
    pub best_of: u32,
    /// Step of the temperature fallback, up to 1; 0 switches the fallback off.
    pub temperature_step: f32,
    /// A mean log-probability of the tokens below this asks for a higher temperature.
    pub logprob_threshold: f32,
    /// An entropy of the last 32 tokens below this (a loop) asks for a higher temperature.
    pub entropy_threshold: f32,
    /// With a mean log-probability below its threshold, a no-speech probability above this drops the stretch.
    pub no_speech_threshold: f32,
    /// Tokens a stretch at most; 0: whisper's own limit of 220.
    pub max_tokens: u32,
    /// Keep the decoder from writing brackets, notes and other marks that are not speech.
    pub suppress_non_speech: bool,
    /// Flash attention: faster on GPUs; the no-speech probability becomes less sharp.
    pub flash_attention: bool,
    /// Encode only as much sound as the stretch has, rather than 30 s: faster, but a model must have been trained for it.
    pub fit_audio_context: bool,
    /// A phrase of two words or more said this often in a row is a loop and collapses to one.
    pub loop_phrase_repeats: usize,
    /// A single word said this often in a row is a loop and collapses to one.
    pub loop_word_repeats: usize,
    /// A median word confidence below this is reported as `low_confidence`.
    pub low_confidence: f32,
    /// Speech below this level (dB of full scale, root mean square) is raised before recognition.
    pub quiet_dbfs: f32,
    /// The level that quiet speech is raised to.
    pub quiet_target_dbfs: f32,
    /// A share of clipped samples in speech above this is reported as `sound_clipped`.
    pub clipped_share: f32,
}

impl Default for SpeechSettings {
    fn default() -> Self {
        SpeechSettings {
            model: "ggml-demo-en".to_owned(),
            language: String::new(),
            language_speech_s: 4.0,
            vad_threshold: 0.5,
            vad_release: 0.35,
            min_speech_s: 0.15,
            min_silence_s: 0.15,
            merge_gap_s: 2.0,
            longest_pause_s: 0.4,
            pad_s: 0.2,
            max_stretch_s: 30.0,
            threads: 1,
            beam_size: 1,
            best_of: 1,
            temperature_step: 0.2,
            logprob_threshold: -1.0,
            entropy_threshold: 2.4,
            no_speech_threshold: 0.6,
            max_tokens: 0,
            suppress_non_speech: true,
            flash_attention: false,
            fit_audio_context: false,
            loop_phrase_repeats: 3,
            loop_word_repeats: 5,
            low_confidence: 0.5,
            quiet_dbfs: -45.0,
            quiet_target_dbfs: -20.0,
            clipped_share: 0.001,
        }
    }
}

impl SpeechSettings {
    /// Checks the ranges that the types cannot say.
    ///
    /// # Errors
    /// [`SpeechError::Setting`] with the first setting that is out of range.
    pub fn validate(&self) -> Result<(), SpeechError> {
        let unit = |value: f32| value > 0.0 && value < 1.0;
        let checks = [
            (
                "language",
                self.language.is_empty() || language_code(&self.language).is_ok_and(|code| code == self.language),
                "must be empty or an ISO 639-1 code that whisper knows, such as en or fr",
            ),
            ("vad_threshold", unit(self.vad_threshold), "must lie between 0 and 1"),
            (
                "vad_release",
                self.vad_release > 0.0 && self.vad_release <= self.vad_threshold,
                "must be above 0 and at most vad_threshold",
            ),
            ("min_speech_s", self.min_speech_s >= 0.0, "must not be negative"),
            ("min_silence_s", self.min_silence_s >= 0.0, "must not be negative"),
            ("merge_gap_s", self.merge_gap_s >= self.min_silence_s, "must be at least min_silence_s"),
            ("longest_pause_s", self.longest_pause_s >= 0.1, "must be at least 0.1"),
            ("pad_s", (0.0..=1.0).contains(&self.pad_s), "must lie between 0 and 1"),
            (
                "max_stretch_s",
                (2.0 + 2.0 * self.pad_s..=30.0).contains(&self.max_stretch_s),
                "must lie between 2 s plus the padding and 30",
            ),
            ("threads", (1..=64).contains(&self.threads), "must lie between 1 and 64"),
            ("beam_size", (1..=8).contains(&self.beam_size), "must lie between 1 and 8"),
            ("best_of", (1..=8).contains(&self.best_of), "must lie between 1 and 8"),
            ("temperature_step", (0.0..=1.0).contains(&self.temperature_step), "must lie between 0 and 1"),
            ("loop_phrase_repeats", self.loop_phrase_repeats >= 2, "must be at least 2"),
            ("loop_word_repeats", self.loop_word_repeats >= 2, "must be at least 2"),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((setting, _, detail)) => Err(SpeechError::Setting { setting, detail }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        SpeechSettings::default().validate().unwrap();
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let error = SpeechSettings { max_stretch_s: 31.0, ..SpeechSettings::default() }.validate().unwrap_err();
        assert!(error.to_string().starts_with("speech.max_stretch_s:"), "{error}");
        for (language, is_code) in
            [("", true), ("en", true), ("haw", true), ("english", false), ("EN", false), ("xx", false)]
        {
            let settings = SpeechSettings { language: language.to_owned(), ..SpeechSettings::default() };
            assert_eq!(settings.validate().is_ok(), is_code, "{language}");
        }
        let nan = SpeechSettings { vad_threshold: f32::NAN, ..SpeechSettings::default() };
        assert!(nan.validate().is_err());
    }
}
