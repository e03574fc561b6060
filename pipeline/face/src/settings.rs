use serde::{Deserialize, Serialize};

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
