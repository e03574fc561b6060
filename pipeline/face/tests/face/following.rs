//! How a face is followed: steadiness, leaving and returning, company, a swap.

use crate::support::{blendshape, decode, frame, meter, untracked};
use hirenet_core::Frame;
use hirenet_face::{FaceRow, FaceSettings, reasons};
use hirenet_tests::shared;

const FPS: f64 = 10.0;
const LOST_WITHIN: usize = 2;
const FOUND_WITHIN: usize = 3;
const SWAP_NOTICED_WITHIN_S: f64 = 1.0;

fn clip(name: &str) -> Option<Vec<Frame>> {
    Some(decode(&shared(&format!("media/grid/{name}.mpg"))?, "fps=10,scale=360:288", FPS))
}

fn retimed(parts: &[&[Frame]]) -> Vec<Frame> {
    let frames = parts.concat();
    frames.into_iter().enumerate().map(|(n, frame)| Frame { time_s: n as f64 / FPS, ..frame }).collect()
}

fn rows(frames: &[Frame], settings: &FaceSettings) -> Vec<FaceRow> {
    let mut meter = meter(settings);
    frames.iter().map(|frame| meter.measure(frame).unwrap()).collect()
}

/// The picture moved to the right by some pixels over grey, as when somebody walks out of it.
fn shifted(picture: &Frame, pixels: usize) -> Frame {
    let (width, mut rgb) = (picture.width as usize, vec![128; picture.rgb.len()]);
    for (to, from) in rgb.chunks_exact_mut(width * 3).zip(picture.rgb.chunks_exact(width * 3)) {
        let moved = pixels.min(width) * 3;
        to[moved..].copy_from_slice(&from[..width * 3 - moved]);
    }
    Frame { rgb, ..picture.clone() }
}

fn side_by_side(left: &Frame, right: &Frame) -> Frame {
    let (a, b) = (left.width as usize, right.width as usize);
    let lines = left.rgb.chunks_exact(a * 3).zip(right.rgb.chunks_exact(b * 3));
    let rgb = lines.flat_map(|(l, r)| [l, r].concat()).collect();
    frame(a + b, left.height as usize, left.time_s, rgb)
}

#[test]
fn following_is_steadier_than_detecting_on_a_still_picture() {
    let Some(picture) = shared("media/astronaut.png") else { return };
    // A camera's noise on a picture that does not move.
    let frames = decode(&picture, "loop=40:1,scale=640:640,noise=alls=12:allf=t", FPS);
    assert!(frames.len() > 30);
    let jitter = |settings: &FaceSettings| {
        let rows = rows(&frames, settings);
        let faces: Vec<_> = rows.iter().map(|row| row.face.unwrap()).collect();
        let steps = faces.windows(2).map(|pair| {
            pair[0].blendshapes.iter().zip(&pair[1].blendshapes).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>()
        });
        steps.sum::<f64>() / (faces.len() - 1) as f64 / 51.0
    };
    let (followed, detected) = (jitter(&FaceSettings::default()), jitter(&untracked()));
    println!("mean step of a blendshape on a still picture: followed {followed:.5}, detected {detected:.5}");
    assert!(followed < detected, "{followed} {detected}");
}

#[test]
fn a_face_that_leaves_is_lost_and_one_that_returns_is_found() {
    let Some(clip) = clip("bbaf2n") else { return };
    let flat = |level: u8| Frame { rgb: vec![level; clip[0].rgb.len()], ..clip[0].clone() };
    let empty_scenes = [vec![flat(0); 10], vec![flat(128); 10], vec![shifted(&clip[9], 360); 10]];
    let walked_out: Vec<Frame> = (1..=8).map(|n| shifted(&clip[9], n * 45)).collect();
    for (before, scene) in empty_scenes.iter().zip([vec![], vec![], walked_out]) {
        let frames = retimed(&[&clip[..10], &scene, before, &clip[10..20]]);
        let rows = rows(&frames, &FaceSettings::default());
        let gone = 10 + scene.len();
        assert!(rows[gone + LOST_WITHIN..gone + 10].iter().all(|row| row.face.is_none()));
        assert!(rows[gone + 10 + FOUND_WITHIN - 1..].iter().all(|row| row.face.is_some()));
        assert!(rows.iter().all(|row| !row.changed), "the same person came back");
        assert_eq!(reasons(&rows)[0].code, hirenet_core::Code::FaceLost);
    }
}

#[test]
fn the_main_face_is_kept_when_another_comes_in() {
    let (Some(main), Some(other)) = (clip("bbaf2n"), clip("sbwe5n")) else { return };
    let nobody = Frame { rgb: vec![90; main[0].rgb.len()], ..main[0].clone() };
    let frames: Vec<Frame> =
        (0..25).map(|n| side_by_side(&main[n], if (8..18).contains(&n) { &other[n] } else { &nobody })).collect();
    for settings in [FaceSettings::default(), untracked()] {
        let rows = rows(&retimed(&[&frames]), &settings);
        for row in &rows {
            let face = row.face.unwrap();
            assert!(face.bounds.centre()[0] < 360.0, "the other face was measured at {}", row.time_s);
            assert!(!row.changed);
        }
        assert!(rows.iter().any(|row| row.faces_seen == Some(2)), "the other face was not noticed");
        assert!(reasons(&rows).iter().any(|reason| reason.code == hirenet_core::Code::SeveralFaces));
    }
}

#[test]
fn a_swap_is_flagged_once() {
    let people = ["bbaf2n", "pwij3p", "sbwe5n"];
    for (a, b) in [(0, 1), (1, 2), (2, 0)] {
        let (Some(first), Some(second)) = (clip(people[a]), clip(people[b])) else { return };
        for settings in [FaceSettings::default(), untracked()] {
            let rows = rows(&retimed(&[&first[..15], &second[..15]]), &settings);
            let flagged: Vec<f64> = rows.iter().filter(|row| row.changed).map(|row| row.time_s).collect();
            let [at] = flagged[..] else { panic!("{} to {}: {flagged:?}", people[a], people[b]) };
            assert!((1.5..=1.5 + SWAP_NOTICED_WITHIN_S).contains(&at), "{at}");
        }
    }
}

#[test]
fn the_same_frames_give_the_same_rows() {
    let Some(clip) = clip("pwij3p") else { return };
    let mut meter = meter(&FaceSettings::default());
    let once: Vec<FaceRow> = clip[..8].iter().map(|frame| meter.measure(frame).unwrap()).collect();
    meter.reset();
    let again: Vec<FaceRow> = clip[..8].iter().map(|frame| meter.measure(frame).unwrap()).collect();
    assert_eq!(once, again);
    assert!(blendshape(&once[0].face.unwrap(), "jawOpen").is_finite());
}

#[test]
fn a_scaled_down_frame_gives_boxes_of_the_full_size() {
    let Some(clip) = clip("sbwe5n") else { return };
    let small = Frame { full_width: 720, full_height: 576, ..clip[0].clone() };
    let settings = untracked();
    let (a, b) = (rows(&clip[..1], &settings)[0].face.unwrap(), rows(&[small], &settings)[0].face.unwrap());
    assert!((a.bounds.x * 2.0 - b.bounds.x).abs() < 1e-6 && (a.bounds.height * 2.0 - b.bounds.height).abs() < 1e-6);
}
