//! 478 landmarks of one face: MediaPipe FaceMesh V2 (Grishchenko et al., "Attention Mesh", 2020).

use hirenet_core::Frame;
use hirenet_onnx::{ModelFile, Runtime};

use crate::FaceError;
use crate::crop::{Convention, Cropper};
use crate::geometry::{Rect, Region};
use crate::network::{Network, sigmoid};

const INPUT: u16 = 256;
const CONVENTION: Convention =
    Convention { size: INPUT, gain: 1.0 / 255.0, offset: 0.0, black_outside: false, half_pixels: false };

/// Number of landmarks: 468 of the mesh, then five of each iris.
pub const LANDMARKS: usize = 478;
/// Number of landmarks that have a vertex in the canonical mesh.
pub(crate) const MESH_LANDMARKS: usize = 468;

/// Outer corner of the subject's right eye.
pub(crate) const RIGHT_EYE_OUTER: usize = 33;
/// Inner corner of the subject's right eye.
pub(crate) const RIGHT_EYE_INNER: usize = 133;
/// Inner corner of the subject's left eye.
pub(crate) const LEFT_EYE_INNER: usize = 362;
/// Outer corner of the subject's left eye.
pub(crate) const LEFT_EYE_OUTER: usize = 263;
/// Middle of the subject's right iris, on the image's left.
pub(crate) const RIGHT_IRIS: usize = 468;
/// Middle of the subject's left iris.
pub(crate) const LEFT_IRIS: usize = 473;

/// The landmarks of one face in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// Probability that the region shows a face, 0..1.
    pub presence: f32,
    /// `[478]`: x and y in pixels of the frame, z (smaller is nearer) in the same unit.
    pub points: Vec<[f64; 3]>,
}

impl Landmarks {
    /// The region in which this face is looked for in the next frame.
    #[must_use]
    pub fn region(&self) -> Region {
        let (from, to) = (self.points[RIGHT_EYE_OUTER], self.points[LEFT_EYE_OUTER]);
        let angle = (to[1] - from[1]).atan2(to[0] - from[0]);
        Region::around_points(self.points.iter().map(|p| [p[0], p[1]]), angle)
    }

    /// The mean of two looks at one face, the other one with the weight `share` of 0..1. The presence is this look's.
    #[must_use]
    pub(crate) fn mean_with(mut self, other: &Landmarks, share: f64) -> Landmarks {
        for (point, second) in self.points.iter_mut().zip(&other.points) {
            for (value, second) in point.iter_mut().zip(second) {
                *value += (second - *value) * share;
            }
        }
        self
    }

    /// The upright box around all landmarks.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        let upright = |axis: usize| {
            self.points
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p[axis]), high.max(p[axis])))
        };
        let ((left, right), (top, bottom)) = (upright(0), upright(1));
        Rect { x: left, y: top, width: right - left, height: bottom - top }
    }
}

/// The landmark network.
#[derive(Debug)]
pub(crate) struct LandmarkNetwork {
    network: Network,
    cropper: Cropper,
}

impl LandmarkNetwork {
    /// Opens the network.
    ///
    /// # Errors
    /// Where the model file is missing or damaged.
    pub(crate) fn open(runtime: &Runtime, model: &ModelFile) -> Result<LandmarkNetwork, FaceError> {
        let side = usize::from(INPUT);
        Ok(LandmarkNetwork {
            network: Network::open(runtime, model, "face landmarks", &[1, side, side, 3])?,
            cropper: Cropper::new(CONVENTION)?,
        })
    }

    /// The landmarks in one region of a frame, whatever their presence.
    ///
    /// # Errors
    /// [`FaceError::Frame`] for a frame whose sizes and bytes disagree; where OpenCV or the network fails.
    pub(crate) fn find(&mut self, frame: &Frame, region: &Region) -> Result<Landmarks, FaceError> {
        crate::crop::check(frame)?;
        self.cropper.cut(frame, region, &mut self.network.input)?;
        let outputs = self.network.run("input")?;
        let raw = outputs.take("landmarks", LANDMARKS * 3)?;
        let presence = sigmoid(outputs.take("presence_logit", 1)?[0]);
        let map = region.to_picture(f64::from(INPUT));
        let unit = region.side / f64::from(INPUT);
        let points = raw
            .chunks_exact(3)
            .map(|p| {
                let (u, v, depth) = (f64::from(p[0]), f64::from(p[1]), f64::from(p[2]));
                let [x, y] = map.map(|row| row[0] * u + row[1] * v + row[2]);
                [x, y, depth * unit]
            })
            .collect();
        Ok(Landmarks { presence, points })
    }
}
