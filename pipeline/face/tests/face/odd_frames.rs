//! Frames that no camera should send, and faces at the limit of what can be seen.

use std::path::Path;

use crate::support::{decode, frame, meter, untracked};
use hirenet_core::{Code, Coded, Frame};
use hirenet_face::{FaceMeasure, FaceSettings, track};
use hirenet_tests::shared;

fn assert_finite(face: &FaceMeasure) {
    let angles = [face.yaw_deg, face.pitch_deg, face.roll_deg, face.gaze_yaw_deg, face.gaze_pitch_deg, face.confidence];
    let bounds = [face.bounds.x, face.bounds.y, face.bounds.width, face.bounds.height];
    assert!(angles.iter().chain(&face.blendshapes).all(|v| v.is_finite()) && bounds.iter().all(|v| v.is_finite()));
}

#[test]
fn frames_of_any_size_and_colour_are_measured() {
    let sizes = [(1, 1), (2, 3), (1, 700), (700, 1), (16, 16), (127, 129), (641, 359), (40, 1200)];
    let mut meter = meter(&FaceSettings::default());
    for (n, (width, height)) in sizes.into_iter().enumerate() {
        for (k, level) in [0, 128, 255].into_iter().enumerate() {
            let row =
                meter.measure(&frame(width, height, (3 * n + k) as f64, vec![level; width * height * 3])).unwrap();
            assert!(row.face.is_none() && row.faces_seen == Some(0), "{width} x {height}");
        }
        let noise = (0..width * height * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let row = meter.measure(&frame(width, height, 100.0 + n as f64, noise)).unwrap();
        row.face.iter().for_each(assert_finite);
    }
}

#[test]
fn a_frame_whose_bytes_do_not_fit_is_an_error() {
    let mut meter = meter(&FaceSettings::default());
    for (width, height, bytes) in [(0, 0, 0), (4, 4, 47), (4, 4, 49), (0, 4, 0)] {
        let bad = Frame { time_s: 0.0, width, height, full_width: width, full_height: height, rgb: vec![0; bytes] };
        assert_eq!(meter.measure(&bad).unwrap_err().code(), Code::Internal);
    }
    let bad = Frame { time_s: 0.0, width: 2, height: 2, full_width: 0, full_height: 2, rgb: vec![0; 12] };
    assert!(meter.measure(&bad).is_err());
}

#[test]
fn small_turned_covered_and_cut_faces_do_no_harm() {
    let Some(picture) = shared("media/astronaut.png") else { return };
    let filters = [
        // A face of 16 pixels, alone and in a large picture.
        "scale=88:88",
        "scale=88:88,pad=1280:720:600:300",
        // Narrow.
        "crop=200:200:125:35,scale=40:200,pad=400:400:180:100",
        // A hat over the eyes.
        "drawbox=x=150:y=20:w=150:h=90:color=black:t=fill",
        // Half out of the picture, upside down.
        "crop=230:512:225:0",
        "vflip",
        "transpose=1",
    ];
    for settings in [FaceSettings::default(), untracked()] {
        let mut meter = meter(&settings);
        for filter in filters {
            let still = &decode(&picture, filter, 1.0)[0];
            for n in 0..4 {
                let row = meter.measure(&Frame { time_s: f64::from(n) / 10.0, ..still.clone() }).unwrap();
                row.face.iter().for_each(assert_finite);
                let track = track(&[row], 0.5);
                assert!(track.values.iter().all(|v| v.is_finite()));
            }
            meter.reset();
        }
    }
}

/// The canonical mesh with a drawn face, turned by 80 degrees to the image's right.
#[test]
fn a_profile_does_no_harm() {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/profile.png");
    for filter in ["null", "hflip"] {
        let still = &decode(&picture, filter, 1.0)[0];
        for settings in [FaceSettings::default(), untracked()] {
            let mut meter = meter(&settings);
            for n in 0..4 {
                let row = meter.measure(&Frame { time_s: f64::from(n) / 10.0, ..still.clone() }).unwrap();
                if let Some(face) = &row.face {
                    assert_finite(face);
                    assert!((face.yaw_deg > 20.0) == (filter == "null"), "{filter}: {}", face.yaw_deg);
                }
            }
        }
    }
}
