//! Rendered and drawn heads whose pose, gaze, lids and jaw are known.

use std::path::Path;

use crate::support::{blendshape, decode, meter, untracked};
use hirenet_core::Frame;
use hirenet_face::{FaceMeasure, FaceSettings};
use hirenet_tests::shared;

const POSE_DEG: f64 = 1.5;
/// Every third of 30 frames a second: the rate of an analysis.
const KEPT: usize = 3;
const POSE_FPS: f64 = 30.0;
/// A gaze that changes by less has not changed.
const GAZE_STEP_DEG: f64 = 0.2;
const LID_STEP: f64 = 0.01;
const JAW_STEP: f64 = 0.02;
/// Largest distance of a coefficient from MediaPipe's own on the same picture.
const MEDIAPIPE: f64 = 0.15;
/// Frames a second at which the drawn face is shown to a meter that follows it.
const DRAWN_FPS: f64 = 5.0;

fn numbers(csv: &Path) -> Vec<Vec<f64>> {
    let mut reader = csv::Reader::from_path(csv).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(|cell| cell.parse().unwrap()).collect()).collect()
}

#[test]
fn the_pose_of_a_rendered_head_is_found_in_every_frame() {
    let clip = shared("reference/face/pose_head.mp4");
    let (Some(clip), Some(truth)) = (clip, shared("reference/face/pose_head.truth.csv")) else { return };
    let filter = format!("select=not(mod(n\\,{KEPT}))");
    let frames = decode(&clip, &format!("{filter},setpts=N/TB/{POSE_FPS}"), POSE_FPS / KEPT as f64);
    let truth: Vec<_> = numbers(&truth).into_iter().step_by(KEPT).collect();
    assert_eq!(frames.len(), truth.len());
    for settings in [FaceSettings::default(), untracked()] {
        let mut meter = meter(&settings);
        let mut errors = [0.0; 3];
        for (frame, truth) in frames.iter().zip(&truth) {
            let row = meter.measure(frame).unwrap();
            assert!(!row.changed, "a turning head is no other head");
            let face = row.face.unwrap_or_else(|| panic!("no face at {}", row.time_s));
            let found = [face.yaw_deg, face.pitch_deg, face.roll_deg];
            for axis in 0..3 {
                errors[axis] += (f64::from(found[axis]) - truth[axis + 1]).abs() / frames.len() as f64;
            }
        }
        println!("mean absolute error of yaw, pitch, roll: {errors:.2?} degrees (tracking: {})", settings.tracking);
        assert!(errors.iter().all(|error| *error <= POSE_DEG), "{errors:?}");
    }
}

/// The drawn face, and beside it what is drawn and how much of it.
fn drawn_frames() -> Vec<(Frame, (String, f64))> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let frames = decode(&data.join("drawn_face.mp4"), "null", DRAWN_FPS);
    let mut reader = csv::Reader::from_path(data.join("drawn_face.csv")).unwrap();
    let values: Vec<(String, f64)> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(frames.len(), values.len());
    frames.into_iter().zip(values).collect()
}

/// The drawn face at five steps of one thing, detected and then followed.
fn drawn(what: &str) -> [Vec<FaceMeasure>; 2] {
    let frames = drawn_frames();
    [untracked(), FaceSettings::default()].map(|settings| {
        let mut meter = meter(&settings);
        let wanted = frames.iter().filter(|(_, (name, _))| name == what);
        wanted.map(|(frame, _)| meter.measure(frame).unwrap().face.unwrap()).collect()
    })
}

fn assert_rising(steps: &[f64], least: f64) {
    assert_eq!(steps.len(), 5);
    assert!(steps.windows(2).all(|pair| pair[1] - pair[0] >= least), "{steps:?}");
}

#[test]
fn gaze_follows_the_drawn_eyes_with_its_signs() {
    for across in drawn("gaze_right") {
        let yaw: Vec<f64> = across.iter().map(|face| f64::from(face.gaze_yaw_deg)).collect();
        assert_rising(&yaw, GAZE_STEP_DEG);
        assert!(yaw[0] < -10.0 && yaw[4] > 10.0, "{yaw:?}");
        assert_rising(&across.iter().map(|face| blendshape(face, "eyeLookOutLeft")).collect::<Vec<_>>(), 0.005);
    }
    for down in drawn("gaze_down") {
        let pitch: Vec<f64> = down.iter().map(|face| f64::from(face.gaze_pitch_deg)).collect();
        assert_rising(&pitch, GAZE_STEP_DEG);
        assert!(pitch[0] < -1.5 && pitch[4] > 1.5, "{pitch:?}");
        assert_rising(&down.iter().map(|face| blendshape(face, "eyeLookDownLeft")).collect::<Vec<_>>(), 0.005);
    }
}

#[test]
fn lids_and_jaw_follow_the_drawn_ones() {
    for faces in drawn("lids_closed") {
        for name in ["eyeBlinkLeft", "eyeBlinkRight"] {
            let lids: Vec<f64> = faces.iter().map(|face| blendshape(face, name)).collect();
            assert_rising(&lids, LID_STEP);
            assert!(lids[0] < 0.2 && lids[4] > 0.45, "{name} {lids:?}");
        }
    }
    for faces in drawn("jaw_cm") {
        let jaw: Vec<f64> = faces.iter().map(|face| blendshape(face, "jawOpen")).collect();
        assert_rising(&jaw, JAW_STEP);
        assert!(jaw[4] > 0.25, "{jaw:?}");
    }
}

/// `drawn_face.mediapipe.csv`: what MediaPipe Tasks 0.10.21 measured on the decoded pictures, one by one.
#[test]
fn coefficients_of_the_drawn_face_are_near_mediapipes_own() {
    let mut reader = csv::Reader::from_reader(include_str!("../data/drawn_face.mediapipe.csv").as_bytes());
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let expected: Vec<Vec<f64>> = reader.deserialize().map(Result::unwrap).collect();
    let frames = drawn_frames();
    assert_eq!(frames.len(), expected.len());
    for settings in [untracked(), FaceSettings::default()] {
        let mut meter = meter(&settings);
        for ((frame, (what, value)), expected) in frames.iter().zip(&expected) {
            let face = meter.measure(frame).unwrap().face.unwrap();
            for (name, expected) in names.iter().zip(expected) {
                let found = blendshape(&face, name);
                let tracking = settings.tracking;
                assert!(
                    (found - expected).abs() <= MEDIAPIPE,
                    "{name} at {what} {value}, tracking {tracking}: {found}, MediaPipe {expected}"
                );
            }
        }
    }
}
