//! Real clips against what MediaPipe's networks measured on them elsewhere (`expected.json`), detected and followed.

use crate::support::{blendshape, decode, meter, untracked};
use hirenet_face::{FaceMeasure, FaceSettings};
use hirenet_tests::shared;
use serde_json::Value;

/// The rotated clip is coded anew.
const ANGLE_DEG: f64 = 0.5;
const BOX_PX: f64 = 3.0;
const BLENDSHAPE: f64 = 0.05;
const LANDMARK_PX: f64 = 1.5;
const SAMPLED_FPS: f64 = 5.0;

fn measured(clip: &str, filter: &str, fps: f64, settings: &FaceSettings) -> Option<Vec<FaceMeasure>> {
    let mut meter = meter(settings);
    let frames = decode(&shared(&format!("media/{clip}"))?, filter, fps);
    let rows: Vec<_> = frames.iter().map(|frame| meter.measure(frame).unwrap()).collect();
    assert!(rows.iter().all(|row| !row.changed), "{clip}: one person is one face");
    Some(rows.iter().map(|row| row.face.unwrap_or_else(|| panic!("{clip}: no face at {}", row.time_s))).collect())
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / n
}

fn mean_box(faces: &[FaceMeasure]) -> [f64; 4] {
    let bounds = || faces.iter().map(|face| face.bounds);
    [
        mean(bounds().map(|b| b.x)),
        mean(bounds().map(|b| b.y)),
        mean(bounds().map(|b| b.width)),
        mean(bounds().map(|b| b.height)),
    ]
}

fn std_of(faces: &[FaceMeasure], name: &str) -> f64 {
    let middle = mean(faces.iter().map(|face| blendshape(face, name)));
    mean(faces.iter().map(|face| (blendshape(face, name) - middle).powi(2))).sqrt()
}

fn check_clips(settings: &FaceSettings) {
    let Some(expected) = shared("media/expected.json") else { return };
    let expected: serde_json::Map<String, Value> = serde_json::from_slice(&std::fs::read(expected).unwrap()).unwrap();
    let clips: Vec<_> = expected.iter().filter(|(_, clip)| clip.get("frames_at_5fps").is_some()).collect();
    assert_eq!(clips.len(), 11);
    for (name, clip) in clips {
        let Some(faces) = measured(name, "fps=5", SAMPLED_FPS, settings) else { return };
        assert_eq!(Some(faces.len() as u64), clip["frames_with_face"].as_u64(), "{name}");
        for (shape, value) in clip["mean_blendshapes"].as_object().unwrap() {
            let found = mean(faces.iter().map(|face| blendshape(face, shape)));
            assert!((found - value.as_f64().unwrap()).abs() <= BLENDSHAPE, "{name} {shape}: {found}, not {value}");
        }
        let spread = std_of(&faces, "jawOpen");
        assert!((spread - clip["jawOpen_std"].as_f64().unwrap()).abs() <= BLENDSHAPE, "{name}: jawOpen_std {spread}");
        if !settings.tracking {
            for (found, value) in mean_box(&faces).iter().zip(clip["mean_face_box_xywh"].as_array().unwrap()) {
                assert!((found - value.as_f64().unwrap()).abs() <= BOX_PX, "{name}: box {found}, not {value}");
            }
        }
    }
}

#[test]
fn detected_faces_measure_as_expected_on_every_clip() {
    check_clips(&untracked());
}

#[test]
fn followed_faces_measure_as_expected_on_every_clip() {
    check_clips(&FaceSettings::default());
}

#[test]
fn a_rotated_clip_measures_as_the_upright_one() {
    let of = |clip| measured(clip, "fps=5", SAMPLED_FPS, &FaceSettings::default());
    let (Some(upright), Some(rotated)) = (of("grid/sbwe5n.mpg"), of("en_grid_rotated.mp4")) else { return };
    for name in hirenet_core::BLENDSHAPES {
        let [a, b] = [&upright, &rotated].map(|faces| mean(faces.iter().map(|face| blendshape(face, name))));
        assert!((a - b).abs() <= BLENDSHAPE, "{name}: {a} and {b}");
    }
    for (a, b) in mean_box(&upright).iter().zip(mean_box(&rotated)) {
        assert!((a - b).abs() <= BOX_PX, "box {a} and {b}");
    }
    let angle: [fn(&FaceMeasure) -> f32; 3] = [|face| face.yaw_deg, |face| face.pitch_deg, |face| face.roll_deg];
    for angle in angle {
        let [a, b] = [&upright, &rotated].map(|faces| mean(faces.iter().map(|face| f64::from(angle(face)))));
        assert!((a - b).abs() <= ANGLE_DEG, "angles {a} and {b}");
    }
}

#[test]
fn a_blink_is_one_short_run() {
    for settings in [FaceSettings::default(), untracked()] {
        let Some(faces) = measured("grid/sbwe5n.mpg", "null", 25.0, &settings) else { return };
        let closed: Vec<bool> = faces.iter().map(|face| blendshape(face, "eyeBlinkLeft") > 0.4).collect();
        let runs: Vec<usize> = closed.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[bool]>::len).collect();
        assert!(matches!(runs[..], [3..=6]), "{runs:?}");
    }
}

#[test]
fn landmarks_and_region_of_a_photograph_are_where_they_should_be() {
    let (Some(picture), Some(expected)) = (shared("media/astronaut.png"), shared("media/expected.json")) else {
        return;
    };
    let expected: Value = serde_json::from_slice(&std::fs::read(expected).unwrap()).unwrap();
    let expected = &expected["astronaut.png"];
    let mut meter = meter(&FaceSettings::default());
    let face = meter.measure(&decode(&picture, "null", 1.0)[0]).unwrap().face.unwrap();
    let landmarks = meter.landmarks().unwrap();
    for (index, place) in expected["landmarks_px"].as_object().unwrap() {
        let found = landmarks.points[index.parse::<usize>().unwrap()];
        let off = (found[0] - place[0].as_f64().unwrap()).hypot(found[1] - place[1].as_f64().unwrap());
        assert!(off <= LANDMARK_PX, "landmark {index} is {off} pixels off");
    }
    for (name, value) in expected["top_blendshapes"].as_object().unwrap() {
        assert!((blendshape(&face, name) - value.as_f64().unwrap()).abs() <= BLENDSHAPE, "{name}");
    }
    for (found, value) in mean_box(&[face]).iter().zip(expected["box_xywh"].as_array().unwrap()) {
        assert!((found - value.as_f64().unwrap()).abs() <= BOX_PX, "box {found}, not {value}");
    }
}
