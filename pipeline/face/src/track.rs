//! Rows of frames to the visual track on the common clock, and what a reader of the result must know.

use hirenet_core::{BLENDSHAPES, Code, Modality, Reason, Track, visual_face, window_count, window_stats};
use ndarray::{Array2, Axis, concatenate};

use crate::meter::{FaceMeasure, FaceRow};

/// Pose (3), gaze (2) and blendshapes of a frame.
const COLUMNS: usize = 5 + BLENDSHAPES.len();

/// The visual track (schema `visual/face/1`) of an answer of `duration_s` seconds.
///
/// A window's mean and population standard deviation are over its frames with a face; without one the row is not valid.
#[must_use]
pub fn track(rows: &[FaceRow], duration_s: f64) -> Track {
    let seen: Vec<(f64, &FaceMeasure)> =
        rows.iter().filter_map(|row| row.face.as_ref().map(|face| (row.time_s, face))).collect();
    let times_s: Vec<f64> = seen.iter().map(|(time_s, _)| *time_s).collect();
    let mut values = Array2::zeros((seen.len(), COLUMNS));
    for (mut row, (_, face)) in values.rows_mut().into_iter().zip(&seen) {
        row.iter_mut().zip(columns(face)).for_each(|(cell, value)| *cell = value);
    }
    let stats = window_stats(window_count(duration_s), &times_s, &values, |_, _| true);
    let valid = stats.count.column(0).iter().map(|n| *n > 0).collect();
    // Both halves have the same number of rows, so joining them cannot fail.
    let values = concatenate(Axis(1), &[stats.mean.view(), stats.std.view()])
        .unwrap_or_else(|_| Array2::zeros((stats.mean.nrows(), 2 * COLUMNS)));
    Track { schema: visual_face(), values, valid }
}

fn columns(face: &FaceMeasure) -> impl Iterator<Item = f32> + '_ {
    [face.yaw_deg, face.pitch_deg, face.roll_deg, face.gaze_yaw_deg, face.gaze_pitch_deg]
        .into_iter()
        .chain(face.blendshapes.iter().copied())
}

/// What the rows say about faces that were missing, changed, or too many.
#[must_use]
pub fn reasons(rows: &[FaceRow]) -> Vec<Reason> {
    let count = |holds: fn(&FaceRow) -> bool| rows.iter().filter(|row| holds(row)).count();
    let without = count(|row| row.face.is_none());
    let several = count(|row| row.faces_seen.is_some_and(|n| n > 1));
    let checked = count(|row| row.faces_seen.is_some());
    let changed = count(|row| row.changed);
    let frames = rows.len();
    let reason = |code, detail| Reason::new(code).of(Modality::Visual).detail(detail);
    let mut found = Vec::new();
    if without == frames {
        found.push(reason(Code::NoFace, format!("No face was found in any of {frames} analysed frames.")));
    } else if without > 0 {
        found.push(reason(Code::FaceLost, format!("{without} of {frames} analysed frames show no face.")));
    }
    if frames == 1 {
        found.push(Reason::new(Code::SingleFrame).of(Modality::Visual));
    }
    if several > 0 {
        let most = rows.iter().filter_map(|row| row.faces_seen).max().unwrap_or(0);
        let detail = format!("{several} of {checked} frames that were searched show several faces, up to {most}.");
        found.push(reason(Code::SeveralFaces, detail));
    }
    if changed > 0 {
        found.push(reason(Code::FaceChanged, format!("The measured face changed to another one {changed} times.")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn row(time_s: f64, yaw_deg: Option<f32>) -> FaceRow {
        let face = yaw_deg.map(|yaw_deg| FaceMeasure {
            confidence: 1.0,
            bounds: Rect { x: 0.0, y: 0.0, width: 1.0, height: 1.0 },
            yaw_deg,
            pitch_deg: 0.0,
            roll_deg: 0.0,
            gaze_yaw_deg: 0.0,
            gaze_pitch_deg: 0.0,
            blendshapes: [0.25; BLENDSHAPES.len()],
        });
        FaceRow { time_s, face, faces_seen: Some(1), changed: false }
    }

    #[test]
    fn windows_average_the_frames_with_a_face() {
        let rows = [row(0.0, Some(2.0)), row(0.1, None), row(0.2, Some(4.0)), row(0.9, None)];
        let track = track(&rows, 1.25);
        assert_eq!(track.rows(), 4);
        assert_eq!(track.valid, [true, false, false, false]);
        let yaw_std = COLUMNS;
        assert_eq!((track.values[[0, 0]], track.values[[0, yaw_std]]), (3.0, 1.0));
        assert_eq!(track.values[[0, COLUMNS - 1]], 0.25);
        assert!(track.values.row(1).iter().all(|v| *v == 0.0));
        assert_eq!(track.values.ncols(), track.schema.dim());
    }

    #[test]
    fn no_frame_at_all_gives_a_track_without_evidence() {
        let track = track(&[], 0.0);
        assert_eq!((track.rows(), track.valid_rows()), (1, 0));
        assert_eq!(reasons(&[])[0].code, Code::NoFace);
    }

    #[test]
    fn reasons_count_what_happened() {
        assert_eq!(reasons(&[row(0.0, Some(1.0)), row(0.1, Some(1.0))]), []);
        assert_eq!(reasons(&[row(0.0, Some(1.0))])[0].code, Code::SingleFrame);
        let mut rows = vec![row(0.0, Some(1.0)), row(0.1, None), row(0.2, Some(1.0))];
        rows[0].faces_seen = Some(3);
        rows[2].changed = true;
        let codes: Vec<Code> = reasons(&rows).iter().map(|r| r.code).collect();
        assert_eq!(codes, [Code::FaceLost, Code::SeveralFaces, Code::FaceChanged]);
        assert!(reasons(&rows)[0].detail.contains("1 of 3"));
        for row in &mut rows {
            row.face = None;
        }
        assert_eq!(reasons(&rows)[0].code, Code::NoFace);
    }
}
