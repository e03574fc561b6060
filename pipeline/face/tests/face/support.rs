//! Frames for the golden tests: decoded by the `ffmpeg` program, so that the face room is tested alone.

use std::path::Path;
use std::process::{Command, Stdio};

use hirenet_core::{BLENDSHAPES, Frame};
use hirenet_face::{FaceMeasure, FaceMeter, FaceModels, FaceSettings};
use hirenet_tests::{model, runtime};

/// The model files that the repository ships.
pub(crate) fn models() -> FaceModels {
    FaceModels {
        detector: model("mediapipe_face_detector.onnx"),
        landmarks: model("mediapipe_face_landmarks.onnx"),
        blendshapes: model("mediapipe_face_blendshapes.onnx"),
    }
}

/// A meter with these settings.
pub(crate) fn meter(settings: &FaceSettings) -> FaceMeter {
    FaceMeter::new(runtime(), &models(), settings).unwrap()
}

/// The default settings without tracking.
pub(crate) fn untracked() -> FaceSettings {
    FaceSettings { tracking: false, ..FaceSettings::default() }
}

/// One blendshape by name.
pub(crate) fn blendshape(face: &FaceMeasure, name: &str) -> f64 {
    let index = BLENDSHAPES.iter().position(|known| *known == name).unwrap();
    f64::from(face.blendshapes[index])
}

/// All frames of a clip or picture after an ffmpeg filter (`null` for none), timed at `fps`.
pub(crate) fn decode(file: &Path, filter: &str, fps: f64) -> Vec<Frame> {
    let (width, height) = size(file, filter);
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(file)
        .args(["-vf", filter, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    output
        .stdout
        .chunks_exact(width * height * 3)
        .enumerate()
        .map(|(n, rgb)| frame(width, height, n as f64 / fps, rgb.to_vec()))
        .collect()
}

/// A frame at its full size.
pub(crate) fn frame(width: usize, height: usize, time_s: f64, rgb: Vec<u8>) -> Frame {
    let (width, height) = (u32::try_from(width).unwrap(), u32::try_from(height).unwrap());
    Frame { time_s, width, height, full_width: width, full_height: height, rgb }
}

/// The size of what a filter gives: ffmpeg writes it in the header of a PPM picture.
fn size(file: &Path, filter: &str) -> (usize, usize) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(file)
        .args(["-vf", filter, "-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "-"])
        .output()
        .unwrap();
    let header = String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(40)]).into_owned();
    let mut words = header.split_whitespace().skip(1).map(|word| word.parse().unwrap());
    (words.next().unwrap(), words.next().unwrap())
}
