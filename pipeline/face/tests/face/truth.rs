//! Rendered and drawn heads whose pose, gaze, lids and jaw are known.

use std::path::Path;

use crate::support::{blendshape, decode, meter, untracked};
use hirenet_face::{FaceMeasure, FaceSettings};
use hirenet_tests::shared;

const POSE_DEG: f64 = 1.5;
/// Every third of 30 frames a second: the rate of an analysis.
const KEPT: usize = 3;
const POSE_FPS: f64 = 30.0;
/// A gaze that changes by less has not changed.
const GAZE_STEP_DEG: f64 = 0.2;
const LID_STEP: f64 = 0.02;
const JAW_STEP: f64 = 0.02;

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

/// The drawn face at five steps of one thing.
fn drawn(what: &str) -> Vec<(f64, FaceMeasure)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let frames = decode(&data.join("drawn_face.mp4"), "null", 1.0);
    let mut reader = csv::Reader::from_path(data.join("drawn_face.csv")).unwrap();
    let values: Vec<(String, f64)> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(frames.len(), values.len());
    let mut meter = meter(&untracked());
    let wanted = frames.iter().zip(values).filter(|(_, (name, _))| name == what);
    wanted.map(|(frame, (_, value))| (value, meter.measure(frame).unwrap().face.unwrap())).collect()
}

fn assert_rising(steps: &[f64], least: f64) {
    assert_eq!(steps.len(), 5);
    assert!(steps.windows(2).all(|pair| pair[1] - pair[0] >= least), "{steps:?}");
}

#[test]
fn gaze_follows_the_drawn_eyes_with_its_signs() {
    let across = drawn("gaze_right");
    let yaw: Vec<f64> = across.iter().map(|(_, face)| f64::from(face.gaze_yaw_deg)).collect();
    assert_rising(&yaw, GAZE_STEP_DEG);
    assert!(yaw[0] < -10.0 && yaw[4] > 10.0, "{yaw:?}");
    let down = drawn("gaze_down");
    let pitch: Vec<f64> = down.iter().map(|(_, face)| f64::from(face.gaze_pitch_deg)).collect();
    assert_rising(&pitch, GAZE_STEP_DEG);
    assert!(pitch[0] < 0.0 && pitch[4] > 0.0, "{pitch:?}");
    let left = |(_, face): &(f64, FaceMeasure)| blendshape(face, "eyeLookOutLeft");
    assert_rising(&across.iter().map(left).collect::<Vec<_>>(), 0.005);
}

#[test]
fn lids_and_jaw_follow_the_drawn_ones() {
    for name in ["eyeBlinkLeft", "eyeBlinkRight"] {
        let lids: Vec<f64> = drawn("lids_closed").iter().map(|(_, face)| blendshape(face, name)).collect();
        assert_rising(&lids, LID_STEP);
        assert!(lids[0] < 0.2 && lids[4] > 0.45, "{name} {lids:?}");
    }
    let jaw: Vec<f64> = drawn("jaw_cm").iter().map(|(_, face)| blendshape(face, "jawOpen")).collect();
    assert_rising(&jaw, JAW_STEP);
    assert!(jaw[4] > 0.25, "{jaw:?}");
}
