use serde::{Deserialize, Serialize};

use crate::FaceError;

/// Settings of the face room, section `face` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaceSettings {
    /// Lowest detector score of a face, 0..1.
    pub detector_threshold: f32,
    /// Lowest presence of a face in the landmark network's crop, 0..1; below it the face counts as lost.
    pub presence_threshold: f32,
    /// Follow the face by its landmarks; off: detect in every frame.
    pub tracking: bool,
    /// Seconds between two runs of the detector while a face is tracked, so that other faces and a swap are seen; 0: never.
    pub recheck_interval_s: f64,
}

impl Default for FaceSettings {
    fn default() -> Self {
        FaceSettings { detector_threshold: 0.5, presence_threshold: 0.5, tracking: true, recheck_interval_s: 1.0 }
    }
}

impl FaceSettings {
    /// Checks the ranges that the types cannot say.
    ///
    /// # Errors
    /// [`FaceError::Setting`] with the first setting that is out of range.
    pub fn validate(&self) -> Result<(), FaceError> {
        let unit = |value: f32| (0.0..=1.0).contains(&value);
        let interval = self.recheck_interval_s;
        let checks = [
            ("detector_threshold", unit(self.detector_threshold), "must lie between 0 and 1"),
            ("presence_threshold", unit(self.presence_threshold), "must lie between 0 and 1"),
            ("recheck_interval_s", interval.is_finite() && interval >= 0.0, "must be 0 or more"),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((setting, _, detail)) => Err(FaceError::Setting { setting, detail }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_range_is_named() {
        let valid = FaceSettings::default();
        valid.validate().unwrap();
        let refused = |settings: FaceSettings| settings.validate().unwrap_err().to_string();
        let detector = FaceSettings { detector_threshold: 1.5, ..valid.clone() };
        assert_eq!(refused(detector), "face.detector_threshold: must lie between 0 and 1");
        let presence = FaceSettings { presence_threshold: f32::NAN, ..valid.clone() };
        assert_eq!(refused(presence), "face.presence_threshold: must lie between 0 and 1");
        for recheck_interval_s in [-1.0, f64::INFINITY, f64::NAN] {
            let interval = FaceSettings { recheck_interval_s, ..valid.clone() };
            assert_eq!(refused(interval), "face.recheck_interval_s: must be 0 or more");
        }
    }
}
