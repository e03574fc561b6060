//! Head pose: the canonical face mesh fitted to the landmarks in metric space.
//!
//! This follows MediaPipe's face geometry module (Apache-2.0; `mediapipe/tasks/cc/vision/face_geometry`, and Kartynnik
//! et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019): a virtual pinhole camera with
//! a vertical field of view of 63 degrees; landmarks go from the screen to centimetres with a scale that is estimated
//! twice (without, then with perspective); a weighted orthogonal Procrustes fit gives the pose.
//!
//! Axes: x to the image's right, y up, z towards the camera. `R = Rz(roll) Ry(yaw) Rx(pitch)`: positive yaw turns the
//! nose to the image's right, positive pitch turns it down, positive roll turns the head counter-clockwise in the image.

use serde::Deserialize;

use crate::FaceError;
use crate::geometry::Vec3;
use crate::landmarks::{Landmarks, MESH_LANDMARKS};
use crate::procrustes::Similarity;

/// Vertical field of view of MediaPipe's virtual camera.
const VERTICAL_VIEW_DEG: f64 = 63.0;
/// Distance of the near plane in centimetres.
const NEAR_CM: f64 = 1.0;
/// What the fit reads of a level head: on four rendered heads of known pose, with a photographed face or a drawn one, it
/// reads 0.8 to 1.2 degrees too far down, and MediaPipe's own matrix as much.
const LEVEL_PITCH_DEG: f64 = 1.0;
/// What the fit leaves of a nod: 0.91 to 0.97 with the photographed face, 0.84 with the drawn one.
const NOD: f64 = 0.95;

/// The canonical face mesh with the weights of its landmarks in the fit.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CanonicalFace {
    /// `[468]` in centimetres.
    vertices: Vec<Vec3>,
    /// Landmark and weight; landmarks that are not named weigh nothing.
    procrustes_weights: Vec<(usize, f64)>,
}

impl CanonicalFace {
    /// The mesh that MediaPipe's face landmarker carries.
    ///
    /// # Errors
    /// [`FaceError::Mesh`] where the data built into the program are damaged.
    pub(crate) fn load() -> Result<CanonicalFace, FaceError> {
        let face: CanonicalFace = serde_json::from_str(include_str!("../data/canonical_face.json"))
            .map_err(|error| FaceError::Mesh(error.to_string()))?;
        let known = face.procrustes_weights.iter().all(|(landmark, _)| *landmark < face.vertices.len());
        if face.vertices.len() != MESH_LANDMARKS || !known {
            return Err(FaceError::Mesh("it does not have 468 vertices".to_owned()));
        }
        Ok(face)
    }

    /// The mesh's points in centimetres, in the landmarks' order.
    pub(crate) fn vertices(&self) -> &[Vec3] {
        &self.vertices
    }

    /// The head's pose in a picture of `width` x `height` pixels; `None` where the landmarks fit no head.
    #[must_use]
    pub(crate) fn pose(&self, landmarks: &Landmarks, width: u32, height: u32) -> Option<HeadPose> {
        let mut camera = Camera::new(width, height, landmarks);
        let flat = self.fit(landmarks, |p| camera.on_near_plane(p))?;
        camera.scale = flat.scale;
        let rough = self.fit(landmarks, |p| camera.metric(p))?;
        camera.scale *= rough.scale;
        let head = self.fit(landmarks, |p| camera.metric(p))?;
        Some(HeadPose { camera, head })
    }

    fn fit(&self, landmarks: &Landmarks, place: impl Fn(Vec3) -> Vec3) -> Option<Similarity> {
        let pairs: Vec<_> = self
            .procrustes_weights
            .iter()
            .map(|(landmark, weight)| (*weight, self.vertices[*landmark], place(landmarks.points[*landmark])))
            .collect();
        Similarity::fit(&pairs)
    }
}

/// The virtual camera, at the origin, looking along negative z.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Camera {
    middle: [f64; 2],
    /// Centimetres on the near plane a pixel.
    pixel: f64,
    /// Mean depth of the landmarks, in centimetres of the near plane.
    depth: f64,
    /// Centimetres of the near plane a true centimetre.
    scale: f64,
}

impl Camera {
    fn new(width: u32, height: u32, landmarks: &Landmarks) -> Camera {
        let pixel = 2.0 * NEAR_CM * (VERTICAL_VIEW_DEG / 2.0).to_radians().tan() / f64::from(height);
        let mesh = &landmarks.points[..MESH_LANDMARKS];
        let depth = mesh.iter().map(|p| p[2]).sum::<f64>() / mesh.len() as f64 * pixel;
        Camera { middle: [f64::from(width) / 2.0, f64::from(height) / 2.0], pixel, depth, scale: 1.0 }
    }

    /// A landmark (pixels) as if the near plane were the world.
    fn on_near_plane(&self, p: Vec3) -> Vec3 {
        [(p[0] - self.middle[0]) * self.pixel, (self.middle[1] - p[1]) * self.pixel, -p[2] * self.pixel]
    }

    /// A landmark (pixels) in centimetres before the camera.
    fn metric(&self, p: Vec3) -> Vec3 {
        let [x, y, z] = self.on_near_plane(p);
        let distance = (-z - self.depth + NEAR_CM) / self.scale;
        [x * distance / NEAR_CM, y * distance / NEAR_CM, -distance]
    }
}

/// Where a head is and how it is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeadPose {
    camera: Camera,
    head: Similarity,
}

impl HeadPose {
    /// Yaw, pitch and roll in degrees: yaw in -90..90, the others in -180..180. Pitch without what the landmark network
    /// adds to it.
    #[must_use]
    pub(crate) fn angles_deg(&self) -> Vec3 {
        let [yaw, pitch, roll] = self.fitted_deg();
        [yaw, ((pitch - LEVEL_PITCH_DEG) / NOD).clamp(-180.0, 180.0), roll]
    }

    /// The angles of the mesh as it lies on the landmarks.
    fn fitted_deg(&self) -> Vec3 {
        let r = &self.head.rotation;
        [(-r[2][0]).clamp(-1.0, 1.0).asin(), r[2][1].atan2(r[2][2]), r[1][0].atan2(r[0][0])].map(f64::to_degrees)
    }

    /// A landmark (pixels) in the head's own frame: centimetres of the canonical mesh, as if the head looked straight
    /// into the camera.
    #[must_use]
    pub(crate) fn in_head(&self, point: Vec3) -> Vec3 {
        self.head.undo(self.camera.metric(point))
    }

    /// Where the camera is in the head's own frame.
    #[must_use]
    pub(crate) fn camera_in_head(&self) -> Vec3 {
        self.head.undo([0.0; 3])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::geometry::{Mat3, add, rotate};
    use crate::landmarks::LANDMARKS;

    /// `Rz(roll) Ry(yaw) Rx(pitch)` from degrees.
    pub(crate) fn rotation_of(yaw: f64, pitch: f64, roll: f64) -> Mat3 {
        let [(sy, cy), (sp, cp), (sr, cr)] = [yaw, pitch, roll].map(|degrees: f64| degrees.to_radians().sin_cos());
        [
            [cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp],
            [sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp],
            [-sy, cy * sp, cy * cp],
        ]
    }

    const PICTURE: (u32, u32) = (1280, 720);
    /// A landmark's depth knows no perspective, so that a near head is reconstructed with a small distortion.
    const TOLERANCE_DEG: f64 = 1.2;

    /// What an ideal landmark network would see of the canonical head under the virtual camera.
    fn seen(rotation: &Mat3, at: Vec3) -> Landmarks {
        let face = CanonicalFace::load().unwrap();
        let focal = f64::from(PICTURE.1) / 2.0 / (VERTICAL_VIEW_DEG / 2.0).to_radians().tan();
        let mut points: Vec<Vec3> = face
            .vertices
            .iter()
            .map(|v| {
                let [x, y, z] = add(rotate(rotation, *v), at);
                // Weak perspective in depth: the network's z has the scale of x and y at the head's distance.
                [640.0 + focal * x / -z, 360.0 - focal * y / -z, focal * (at[2] - z) / -at[2]]
            })
            .collect();
        points.resize(LANDMARKS, points[0]);
        Landmarks { presence: 1.0, points }
    }

    #[test]
    fn the_angles_of_a_turned_canonical_head_are_found_with_their_signs() {
        let face = CanonicalFace::load().unwrap();
        for (yaw, pitch, roll) in [
            (0.0, 0.0, 0.0),
            (25.0, 0.0, 0.0),
            (-25.0, 0.0, 0.0),
            (0.0, 20.0, 0.0),
            (0.0, -20.0, 0.0),
            (0.0, 0.0, 30.0),
            (15.0, -10.0, -20.0),
        ] {
            let landmarks = seen(&rotation_of(yaw, pitch, roll), [0.0, 0.0, -60.0]);
            let pose = face.pose(&landmarks, PICTURE.0, PICTURE.1).unwrap();
            let found = pose.fitted_deg();
            for (a, b) in found.iter().zip([yaw, pitch, roll]) {
                assert!((a - b).abs() < TOLERANCE_DEG, "{found:?} for {yaw} {pitch} {roll}");
            }
            let [told_yaw, told_pitch, told_roll] = pose.angles_deg();
            assert_eq!([told_yaw, told_roll], [found[0], found[2]]);
            assert!((told_pitch * NOD + LEVEL_PITCH_DEG - found[1]).abs() < 1e-9, "{told_pitch} of {found:?}");
        }
    }

    #[test]
    fn the_head_frame_is_that_of_the_canonical_mesh() {
        let face = CanonicalFace::load().unwrap();
        let landmarks = seen(&rotation_of(20.0, 5.0, 10.0), [3.0, -2.0, -50.0]);
        let pose = face.pose(&landmarks, PICTURE.0, PICTURE.1).unwrap();
        for index in [1, 33, 263, 61, 152] {
            let found = pose.in_head(landmarks.points[index]);
            for (a, b) in found.iter().zip(&face.vertices[index]) {
                assert!((a - b).abs() < 0.35, "landmark {index}: {found:?}, not {:?}", face.vertices[index]);
            }
        }
        assert!(pose.camera_in_head()[2] > 40.0);
    }

    #[test]
    fn landmarks_in_one_place_fit_no_head() {
        let face = CanonicalFace::load().unwrap();
        let landmarks = Landmarks { presence: 1.0, points: vec![[5.0, 5.0, 0.0]; LANDMARKS] };
        assert!(face.pose(&landmarks, 640, 480).is_none());
    }
}
