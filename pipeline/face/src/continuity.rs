//! Whether the measured face is still the same one.
//!
//! This compares a recording with itself, frame against earlier frames; nobody is recognised and nothing is kept. Two
//! things are compared that a change of pose, of mouth or of brightness moves little: the pattern of light and dark at
//! the landmarks of the upper face, and the shape of the face in the head's own frame. Both are kept for a few poses,
//! because a turned head looks different.

use hirenet_core::Frame;

use crate::geometry::{Vec3, dot, scale, sub};
use crate::landmarks::Landmarks;
use crate::pose::{CanonicalFace, HeadPose};

/// Lower end and depth (centimetres) of the part of the canonical mesh whose brightness counts: the mouth moves, and
/// the sides are hidden when the head turns.
const LOWEST_CM: f64 = -2.5;
const DEEPEST_CM: f64 = 1.0;
/// Landmarks on bone and gristle: corners of the eyes, nose, brow, temples, cheeks.
#[rustfmt::skip]
const FIRM: [usize; 52] = [
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358, 48, 278, 10, 67, 297, 109, 338, 54, 284, 103, 332,
    127, 356, 234, 454, 93, 323, 132, 361, 117, 346, 50, 280, 205, 425, 116, 345, 151, 9, 8, 70, 300, 107, 336, 21, 251,
];

/// Differences that count as one unit: of tone as one minus correlation, of shape as root mean square in centimetres.
/// Among frames of one talking face in like poses both are under a third of it; between two faces the sum is above 2.
const TONE_UNIT: f64 = 0.1;
const SHAPE_UNIT_CM: f64 = 0.2;
/// A difference up to this, and more by a little for each degree of pose between the two, is the same face. While a face
/// turns before our eyes the allowance is wide; after a jump it is narrow.
const SAME: f64 = 1.6;
const SAME_PER_DEG: f64 = 0.15;
const SAME_PER_DEG_AFTER_JUMP: f64 = 0.05;
/// From one frame to the next one face stays below this even when it turns by 20 degrees; a cut to another is above.
const JUMP: f64 = 2.3;
/// After a jump, poses further off than this allow no judgement.
const JUDGED_WITHIN_DEG: f64 = 20.0;

/// Poses closer than this share one entry.
const POSE_STEP_DEG: f64 = 8.0;
const MOST_POSES: usize = 32;
/// Weight of a new frame in its entry.
const ADAPTION: f32 = 0.1;
/// A hand that passes by is no change: the difference must last this long, and this many frames.
const LASTING_S: f64 = 0.4;
const LASTING_FRAMES: u32 = 3;

/// What one frame tells of a face.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signature {
    angles_deg: Vec3,
    /// Zero mean, unit length.
    tone: Vec<f32>,
    /// Centimetres off the canonical mesh, at [`FIRM`].
    shape: Vec<Vec3>,
}

impl Signature {
    pub(crate) fn of(frame: &Frame, landmarks: &Landmarks, pose: &HeadPose, canonical: &CanonicalFace) -> Signature {
        // Patches of a fixed share of the face, so that noise and compression average out.
        let half = (landmarks.bounds().height / 64.0).clamp(0.0, 16.0) as i64;
        let upper = canonical.vertices().iter().zip(&landmarks.points);
        let tone = upper
            .filter(|(vertex, _)| vertex[1] > LOWEST_CM && vertex[2] > DEEPEST_CM)
            .map(|(_, point)| log_brightness(frame, point[0], point[1], half))
            .collect();
        let shape = FIRM
            .iter()
            .map(|index| sub(pose.in_head(landmarks.points[*index]), canonical.vertices()[*index]))
            .collect();
        Signature { angles_deg: pose.angles_deg(), tone: standardised(tone), shape }
    }

    fn pose_distance_deg(&self, other: &Signature) -> f64 {
        let d = sub(self.angles_deg, other.angles_deg);
        dot(d, d).sqrt()
    }

    /// How different two frames' faces are, in the units above.
    fn difference(&self, other: &Signature) -> f64 {
        let correlation: f32 = self.tone.iter().zip(&other.tone).map(|(a, b)| a * b).sum();
        let squares: f64 = self.shape.iter().zip(&other.shape).map(|(a, b)| dot(sub(*a, *b), sub(*a, *b))).sum();
        (1.0 - f64::from(correlation)) / TONE_UNIT + (squares / FIRM.len() as f64).sqrt() / SHAPE_UNIT_CM
    }

    fn adapt(&mut self, newer: &Signature) {
        let mixed = self.tone.iter().zip(&newer.tone).map(|(a, b)| a + (b - a) * ADAPTION).collect();
        self.tone = standardised(mixed);
        for (mean, value) in self.shape.iter_mut().zip(&newer.shape) {
            *mean = sub(*mean, scale(sub(*mean, *value), f64::from(ADAPTION)));
        }
    }
}

/// Remembers one face and notices another one in its place.
#[derive(Debug, Default)]
pub(crate) struct Continuity {
    poses: Vec<Signature>,
    last: Option<Signature>,
    doubt: Option<Doubt>,
}

/// The face looks like another one, which may pass.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    since_s: f64,
    frames: u32,
}

impl Continuity {
    /// Takes in the face of a frame; true where it has been another one for a while. From then on that one is known.
    pub(crate) fn is_another(&mut self, seen: Signature, time_s: f64) -> bool {
        let last = self.last.replace(seen.clone());
        let jumped = self.doubt.is_some() || last.is_some_and(|last| seen.difference(&last) > JUMP);
        let nearer =
            |a: &&mut Signature, b: &&mut Signature| seen.pose_distance_deg(a).total_cmp(&seen.pose_distance_deg(b));
        let Some(known) = self.poses.iter_mut().min_by(nearer) else {
            self.poses.push(seen);
            return false;
        };
        let apart = seen.pose_distance_deg(known);
        let allowance = if jumped { SAME_PER_DEG_AFTER_JUMP } else { SAME_PER_DEG };
        if seen.difference(known) <= SAME + allowance * apart {
            self.doubt = None;
            if apart < POSE_STEP_DEG {
                known.adapt(&seen);
            } else if self.poses.len() < MOST_POSES {
                self.poses.push(seen);
            }
            return false;
        }
        let doubt = self.doubt.get_or_insert(Doubt { since_s: time_s, frames: 0 });
        if apart <= JUDGED_WITHIN_DEG {
            doubt.frames += 1;
        }
        let lasting = doubt.frames >= LASTING_FRAMES && time_s - doubt.since_s >= LASTING_S;
        if lasting {
            *self = Continuity { poses: vec![seen.clone()], last: Some(seen), doubt: None };
        }
        lasting
    }
}

/// Logarithm of the mean brightness of a patch; nearly the same under another exposure, but for a constant.
fn log_brightness(frame: &Frame, x: f64, y: f64, half: i64) -> f32 {
    let (width, height) = (i64::from(frame.width), i64::from(frame.height));
    let (x, y) = (x.round() as i64, y.round() as i64);
    let (left, right) = ((x - half).clamp(0, width - 1), (x + half).clamp(0, width - 1));
    let (top, bottom) = ((y - half).clamp(0, height - 1), (y + half).clamp(0, height - 1));
    let mut sum = 0_u64;
    for row in top..=bottom {
        let start = ((row * width + left) * 3) as usize;
        let end = ((row * width + right + 1) * 3) as usize;
        // A row of a patch is at most 99 bytes: 32 bits hold its sum, and processors add those faster.
        sum += u64::from(frame.rgb[start..end].iter().map(|byte| u32::from(*byte)).sum::<u32>());
    }
    let values = (right - left + 1) * (bottom - top + 1) * 3;
    // The constant keeps noise in black patches small.
    (sum as f32 / values as f32 + 8.0).ln()
}

fn standardised(mut values: Vec<f32>) -> Vec<f32> {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    let norm = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    for value in &mut values {
        *value = (*value - mean) / norm;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(kind: f32, yaw_deg: f64) -> Signature {
        let tone = (0..50).map(|i| (i as f32 * kind).sin()).collect();
        Signature { angles_deg: [yaw_deg, 0.0, 0.0], tone: standardised(tone), shape: vec![[0.0; 3]; FIRM.len()] }
    }

    fn changes(faces: &[f32]) -> Vec<usize> {
        let mut continuity = Continuity::default();
        let seen = |(n, kind): (usize, &f32)| continuity.is_another(face(*kind, 0.0), n as f64 * 0.1).then_some(n);
        faces.iter().enumerate().filter_map(seen).collect()
    }

    #[test]
    fn another_face_that_stays_is_noticed_once() {
        assert_eq!(changes(&[[1.0; 10], [2.0; 10]].concat()), [14]);
        assert_eq!(changes(&[1.0; 40]), [0_usize; 0]);
    }

    #[test]
    fn a_short_disturbance_is_not_a_change() {
        assert_eq!(changes(&[1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 1.0]), [0_usize; 0]);
    }

    #[test]
    fn a_turned_head_may_differ_more() {
        let mut continuity = Continuity::default();
        assert!(!continuity.is_another(face(1.0, 0.0), 0.0));
        let slightly_off = face(1.01, 0.0);
        assert!(slightly_off.difference(&face(1.0, 0.0)) < SAME + SAME_PER_DEG * 30.0);
        for n in 1..20 {
            let turned = Signature { angles_deg: [30.0, 0.0, 0.0], ..slightly_off.clone() };
            assert!(!continuity.is_another(turned, f64::from(n)));
        }
    }

    #[test]
    fn brightness_and_the_pictures_edge_do_not_matter() {
        let rgb: Vec<u8> = (0..30_u8).flat_map(|v| [v * 4; 3]).collect();
        let frame = Frame { time_s: 0.0, width: 6, height: 5, full_width: 6, full_height: 5, rgb };
        let inside = log_brightness(&frame, 2.0, 2.0, 1);
        assert!((inside - (14.0_f32 * 4.0 + 8.0).ln()).abs() < 1e-6);
        assert!(log_brightness(&frame, -40.0, 99.0, 3).is_finite());
    }
}
