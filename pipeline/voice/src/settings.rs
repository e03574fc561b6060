use serde::{Deserialize, Serialize};

use crate::VoiceError;

/// Settings of the voice room, section `voice` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VoiceSettings {
    /// Lowest pitch that is looked for, in Hz. Three periods of it are the analysis window.
    pub pitch_floor_hz: f32,
    /// Highest pitch that is looked for, in Hz.
    pub pitch_ceiling_hz: f32,
    /// Periodicity (0..1) above which a frame counts as voiced.
    pub voicing_threshold: f32,
    /// Peak of a frame, relative to the recording's, below which it tends to unvoiced.
    pub silence_threshold: f32,
    /// Level in dB relative to full scale below which a frame carries no sound.
    pub silence_floor_dbfs: f32,
}

impl Default for VoiceSettings {
    /// The thresholds that Boersma (1993) recommends, and a range that holds the voices of adults.
    fn default() -> Self {
        VoiceSettings {
            pitch_floor_hz: 60.0,
            pitch_ceiling_hz: 600.0,
            voicing_threshold: 0.45,
            silence_threshold: 0.03,
            silence_floor_dbfs: -80.0,
        }
    }
}

impl VoiceSettings {
    /// # Errors
    /// [`VoiceError::Settings`] names the first setting that is out of range.
    pub fn check(&self) -> Result<(), VoiceError> {
        let refuse = |name: &'static str, rule: &'static str| Err(VoiceError::Settings { name, rule });
        if !(40.0..=200.0).contains(&self.pitch_floor_hz) {
            return refuse("voice.pitch_floor_hz", "must lie between 40 and 200");
        }
        if !(self.pitch_floor_hz * 2.0..=1000.0).contains(&self.pitch_ceiling_hz) {
            return refuse("voice.pitch_ceiling_hz", "must lie between twice the floor and 1000");
        }
        if !(0.0..=1.0).contains(&self.voicing_threshold) {
            return refuse("voice.voicing_threshold", "must lie between 0 and 1");
        }
        if !(0.0..=1.0).contains(&self.silence_threshold) {
            return refuse("voice.silence_threshold", "must lie between 0 and 1");
        }
        if !(-200.0..=0.0).contains(&self.silence_floor_dbfs) {
            return refuse("voice.silence_floor_dbfs", "must lie between -200 and 0");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_named() {
        assert!(VoiceSettings::default().check().is_ok());
        let floor = VoiceSettings { pitch_floor_hz: 10.0, ..VoiceSettings::default() };
        assert!(floor.check().unwrap_err().to_string().starts_with("voice.pitch_floor_hz"));
        let ceiling = VoiceSettings { pitch_ceiling_hz: 100.0, ..VoiceSettings::default() };
        assert!(ceiling.check().unwrap_err().to_string().starts_with("voice.pitch_ceiling_hz"));
        let threshold = VoiceSettings { voicing_threshold: f32::NAN, ..VoiceSettings::default() };
        assert!(threshold.check().unwrap_err().to_string().starts_with("voice.voicing_threshold"));
    }
}
