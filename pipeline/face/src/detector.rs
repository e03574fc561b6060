//! Face detection: BlazeFace, short range (Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on
//! Mobile GPUs", 2019), decoded as MediaPipe does it.

use hirenet_core::Frame;
use hirenet_onnx::{ModelFile, Runtime};

use crate::FaceError;
use crate::crop::{Convention, Cropper};
use crate::geometry::{Rect, Region};
use crate::network::{Network, sigmoid};

const INPUT: u16 = 128;
const CONVENTION: Convention =
    Convention { size: INPUT, gain: 1.0 / 127.5, offset: -1.0, black_outside: true, half_pixels: true };
/// The letterbox as MediaPipe Tasks cuts it: pixels count from their corners, so that the picture sits up to half of one
/// of the network's pixels elsewhere.
const BY_CORNERS: Convention = Convention { half_pixels: false, ..CONVENTION };
const ANCHORS: usize = 896;
const KEYPOINTS: usize = 6;
/// Box (4) and keypoints (2 each) of an anchor.
const VALUES: usize = 4 + 2 * KEYPOINTS;
/// Cells a side and anchors a cell of the two scales.
const GRIDS: [(usize, usize); 2] = [(16, 2), (8, 6)];
/// Boxes that overlap more than this are one face.
const SAME_FACE_IOU: f64 = 0.3;

/// One detected face, in pixels of the frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Detector score, 0..1.
    pub score: f32,
    /// From the brows to the chin.
    pub face: Rect,
    /// The subject's right eye, left eye, nose tip, mouth, right ear, left ear.
    pub keypoints: [[f64; 2]; KEYPOINTS],
}

impl Detection {
    /// The region in which the landmark network finds this face.
    #[must_use]
    pub fn region(&self) -> Region {
        Region::around(&self.face, self.keypoints[0], self.keypoints[1])
    }
}

/// The face detector.
#[derive(Debug)]
pub struct Detector {
    network: Network,
    cropper: Cropper,
    by_corners: Cropper,
    anchors: Vec<[f64; 2]>,
    threshold: f32,
}

impl Detector {
    /// Opens the network; faces that score below `threshold` are dropped.
    ///
    /// # Errors
    /// Where the model file is missing or damaged.
    pub fn open(runtime: &Runtime, model: &ModelFile, threshold: f32) -> Result<Detector, FaceError> {
        let side = usize::from(INPUT);
        Ok(Detector {
            network: Network::open(runtime, model, "face detector", &[1, side, side, 3])?,
            cropper: Cropper::new(CONVENTION)?,
            by_corners: Cropper::new(BY_CORNERS)?,
            anchors: anchors(),
            threshold,
        })
    }

    /// The faces of a frame, best score first; faces in pixels of the frame as it is, not of its full size.
    ///
    /// # Errors
    /// [`FaceError::Frame`] for a frame whose sizes and bytes disagree; where OpenCV or the network fails.
    pub fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, FaceError> {
        self.search(frame, false)
    }

    /// The same face once more, with the letterbox half of a network's pixel off; `None` where it is not seen there.
    ///
    /// A pixel of the network is several of the picture, and with that half the box moves by several and turns by
    /// degrees: two looks tell more of where the face is than one.
    ///
    /// # Errors
    /// As [`Detector::detect`].
    pub fn detect_again(&mut self, frame: &Frame, face: &Detection) -> Result<Option<Detection>, FaceError> {
        let faces = self.search(frame, true)?;
        Ok(faces.into_iter().find(|other| other.face.iou(&face.face) > SAME_FACE_IOU))
    }

    fn search(&mut self, frame: &Frame, by_corners: bool) -> Result<Vec<Detection>, FaceError> {
        crate::crop::check(frame)?;
        let (width, height) = (f64::from(frame.width), f64::from(frame.height));
        // The letterbox: the whole picture in the middle of a square.
        let square = Region { centre: [width / 2.0, height / 2.0], side: width.max(height), angle: 0.0 };
        let cropper = if by_corners { &mut self.by_corners } else { &mut self.cropper };
        cropper.cut(frame, &square, &mut self.network.input)?;
        let outputs = self.network.run("input")?;
        let regressors = outputs.take("regressors", ANCHORS * VALUES)?;
        let logits = outputs.take("classificators", ANCHORS)?;
        let candidates = logits
            .iter()
            .zip(regressors.chunks_exact(VALUES))
            .zip(&self.anchors)
            .map(|((logit, values), anchor)| (sigmoid(*logit), values, anchor))
            .filter(|(score, ..)| *score >= self.threshold)
            .map(|(score, values, anchor)| decode(score, values, *anchor, &square))
            .collect();
        Ok(merge_overlapping(candidates))
    }
}

/// Middles of the anchors as shares of the input square, cells row by row, coarse grid last.
fn anchors() -> Vec<[f64; 2]> {
    let mut all = Vec::with_capacity(ANCHORS);
    for (cells, each) in GRIDS {
        for cell in 0..cells * cells {
            let middle = |index: usize| (index as f64 + 0.5) / cells as f64;
            all.extend(std::iter::repeat_n([middle(cell % cells), middle(cell / cells)], each));
        }
    }
    all
}

fn decode(score: f32, values: &[f32], anchor: [f64; 2], square: &Region) -> Detection {
    let corner = square.centre.map(|middle| middle - square.side / 2.0);
    let size = |value: f32| f64::from(value) / f64::from(INPUT) * square.side;
    let point =
        |x: f32, y: f32| [corner[0] + anchor[0] * square.side + size(x), corner[1] + anchor[1] * square.side + size(y)];
    let [x, y] = point(values[0], values[1]);
    let (width, height) = (size(values[2]), size(values[3]));
    Detection {
        score,
        face: Rect { x: x - width / 2.0, y: y - height / 2.0, width, height },
        keypoints: std::array::from_fn(|k| point(values[4 + 2 * k], values[5 + 2 * k])),
    }
}

/// Weighted non-maximum suppression: each group of boxes that overlap its best one becomes their mean, weighted by
/// score, with the best one's score.
fn merge_overlapping(mut candidates: Vec<Detection>) -> Vec<Detection> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = Vec::new();
    while let Some(best) = candidates.first() {
        let (group, others): (Vec<_>, Vec<_>) =
            candidates.iter().cloned().partition(|other| other == best || other.face.iou(&best.face) > SAME_FACE_IOU);
        faces.push(weighted_mean(&group, best.score));
        candidates = others;
    }
    faces
}

fn weighted_mean(group: &[Detection], score: f32) -> Detection {
    let total: f64 = group.iter().map(|d| f64::from(d.score)).sum();
    let mean = |value: &dyn Fn(&Detection) -> f64| {
        group.iter().map(|d| value(d) * f64::from(d.score)).sum::<f64>() / total.max(f64::MIN_POSITIVE)
    };
    Detection {
        score,
        face: Rect {
            x: mean(&|d| d.face.x),
            y: mean(&|d| d.face.y),
            width: mean(&|d| d.face.width),
            height: mean(&|d| d.face.height),
        },
        keypoints: std::array::from_fn(|k| std::array::from_fn(|axis| mean(&|d| d.keypoints[k][axis]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, score: f32) -> Detection {
        Detection { score, face: Rect { x, y: 0.0, width: 10.0, height: 10.0 }, keypoints: [[x, 0.0]; KEYPOINTS] }
    }

    #[test]
    fn anchors_are_those_of_the_contract() {
        let all = anchors();
        assert_eq!(all.len(), ANCHORS);
        assert_eq!(all[0], [0.5 / 16.0, 0.5 / 16.0]);
        assert_eq!(all[2], [1.5 / 16.0, 0.5 / 16.0]);
        assert_eq!(all[512], [0.5 / 8.0, 0.5 / 8.0]);
        assert_eq!(all[895], [7.5 / 8.0, 7.5 / 8.0]);
    }

    #[test]
    fn overlapping_boxes_become_their_weighted_mean() {
        let faces = merge_overlapping(vec![at(1.0, 0.6), at(100.0, 0.7), at(0.0, 0.9)]);
        assert_eq!(faces.len(), 2);
        assert_eq!((faces[0].score, faces[1].score), (0.9, 0.7));
        assert!((faces[0].face.x - 0.4).abs() < 1e-6 && (faces[0].keypoints[0][0] - 0.4).abs() < 1e-6);
        assert_eq!(faces[1].face.x, 100.0);
    }

    #[test]
    fn no_candidate_is_no_face() {
        assert!(merge_overlapping(Vec::new()).is_empty());
    }
}
