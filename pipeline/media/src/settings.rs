use serde::{Deserialize, Serialize};

use crate::MediaError;

/// The least memory of the decoder in MiB: the program and its libraries take about as much before they see a file.
const LEAST_MEMORY_MB: u64 = 32;

/// Section `media` of the configuration: what is decoded, and the limits it is decoded under.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaSettings {
    /// Frames analysed a second; 0 = every frame.
    pub analysis_fps: f64,
    /// Frames are scaled down until their shorter side has at most this many pixels; 0 = full size.
    pub frame_height: u32,
    /// Longest recording in seconds of media.
    pub max_duration_s: f64,
    /// Largest picture in pixels (width times height, as stored).
    pub max_pixels: u64,
    /// Largest file in bytes.
    pub max_bytes: u64,
    /// Longest time in wall seconds spent waiting for the decoder, over the whole file.
    pub max_decode_s: f64,
    /// Longest time in wall seconds without a sign of life from the decoder.
    pub max_stall_s: f64,
    /// Processor seconds for one file.
    pub max_decode_cpu_s: u64,
    /// Memory of the decoder in MiB, at least 32.
    pub max_decode_memory_mb: u64,
    /// Threads that decode pictures.
    pub decode_threads: usize,
    /// Skip pictures that nothing refers to and that are not analysed. Changes no analysed picture.
    pub skip_unused_pictures: bool,
    /// Decode in this process, without a child and without its limits: for debugging only.
    pub decode_in_process: bool,
}

impl MediaSettings {
    /// Checks the ranges that the types cannot say.
    ///
    /// # Errors
    /// [`MediaError::Setting`] with the first setting that is out of range.
    pub fn validate(&self) -> Result<(), MediaError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let memory = format!("must be at least {LEAST_MEMORY_MB}, and is {}", self.max_decode_memory_mb);
        let checks = [
            ("analysis_fps", self.analysis_fps.is_finite() && self.analysis_fps >= 0.0, "must be 0 or more"),
            ("max_duration_s", positive(self.max_duration_s), "must be above 0"),
            ("max_decode_s", positive(self.max_decode_s), "must be above 0"),
            ("max_stall_s", positive(self.max_stall_s), "must be above 0"),
            ("max_decode_cpu_s", self.max_decode_cpu_s > 0, "must be above 0"),
            ("max_decode_memory_mb", self.max_decode_memory_mb >= LEAST_MEMORY_MB, memory.as_str()),
            ("decode_threads", (1..=64).contains(&self.decode_threads), "must lie between 1 and 64"),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((setting, _, detail)) => Err(MediaError::Setting { setting, detail: detail.to_owned() }),
            None => Ok(()),
        }
    }
}

impl Default for MediaSettings {
    fn default() -> Self {
        MediaSettings {
            analysis_fps: 10.0,
            frame_height: 480,
            max_duration_s: 3600.0,
            max_pixels: 4096 * 2304,
            max_bytes: 8 << 30,
            max_decode_s: 1200.0,
            max_stall_s: 60.0,
            max_decode_cpu_s: 3600,
            max_decode_memory_mb: 2048,
            decode_threads: 2,
            skip_unused_pictures: true,
            decode_in_process: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_range_is_named() {
        MediaSettings::default().validate().unwrap();
        for analysis_fps in [-1.0, f64::NAN, f64::INFINITY] {
            let error = MediaSettings { analysis_fps, ..MediaSettings::default() }.validate().unwrap_err();
            assert_eq!(error.to_string(), "media.analysis_fps: must be 0 or more");
        }
        let with = |max_decode_memory_mb| MediaSettings { max_decode_memory_mb, ..MediaSettings::default() }.validate();
        with(LEAST_MEMORY_MB).unwrap();
        let error = with(16).unwrap_err();
        assert_eq!(error.to_string(), "media.max_decode_memory_mb: must be at least 32, and is 16");
    }
}
