//! Where the eyes point relative to the head, from the middles of the irises.
//!
//! Each eyeball is a sphere fixed in the head, placed by the corners of the lids (an average adult's, in the centimetres
//! of the canonical mesh). The ray from the camera through the iris meets the sphere where the iris is; the line from the
//! sphere's middle through that place is the gaze. So a turned head and a near camera do not bend it.
//!
//! Up and down, the lids hide most of the iris's way and the landmark network hardly moves it. There the lids, which
//! follow the eye, are read too: the coefficients of looking down and up, in degrees on the same scale.

use hirenet_core::BLENDSHAPES;

use crate::geometry::{Vec3, add, dot, normalised, scale, sub};
use crate::landmarks::{
    LEFT_EYE_INNER, LEFT_EYE_OUTER, LEFT_IRIS, Landmarks, RIGHT_EYE_INNER, RIGHT_EYE_OUTER, RIGHT_IRIS,
};
use crate::pose::HeadPose;

/// Radius of an adult's eyeball.
const EYEBALL_RADIUS_CM: f64 = 1.2;
/// How far the eyeball's middle lies behind the line between the lids' corners.
const EYEBALL_DEPTH_CM: f64 = 1.0;
/// How far it lies above that line: the irises of a face that looks straight ahead sit above the corners.
const EYEBALL_RISE_CM: f64 = 0.07;

const EYES: [[usize; 3]; 2] =
    [[RIGHT_EYE_OUTER, RIGHT_EYE_INNER, RIGHT_IRIS], [LEFT_EYE_OUTER, LEFT_EYE_INNER, LEFT_IRIS]];

/// Coefficients of the lids of both eyes, and what each adds to their mean.
const LIDS: [(&str, f64); 4] =
    [("eyeLookDownLeft", 0.5), ("eyeLookDownRight", 0.5), ("eyeLookUpLeft", -0.5), ("eyeLookUpRight", -0.5)];
/// Degrees of pitch of one whole coefficient, and where none is: the line of the irises' pitch over the coefficients in
/// clips of people who read, so that both readings have one scale.
const LIDS_DEG: f64 = 17.0;
const LIDS_LEVEL_DEG: f64 = -6.3;

/// Gaze yaw and pitch in degrees relative to the head: positive to the image's right and down.
///
/// Both eyes count, each by its width in the picture: on a turned head the far eye is seen at a slant. The pitch is the
/// mean of what the irises and the lids say.
#[must_use]
pub(crate) fn gaze_deg(landmarks: &Landmarks, pose: &HeadPose, coefficients: &[f32; BLENDSHAPES.len()]) -> [f64; 2] {
    let mut direction = [0.0; 3];
    for [outer, inner, iris] in EYES {
        let [outer, inner, iris] = [outer, inner, iris].map(|index| landmarks.points[index]);
        let width = (outer[0] - inner[0]).hypot(outer[1] - inner[1]);
        direction = add(direction, scale(eye_direction(pose, outer, inner, iris), width));
    }
    let [x, y, z] = normalised(direction);
    let [yaw, pitch] = [x.atan2(z), (-y).clamp(-1.0, 1.0).asin()].map(f64::to_degrees);
    [yaw, f64::midpoint(pitch, lids_pitch_deg(coefficients))]
}

fn lids_pitch_deg(coefficients: &[f32; BLENDSHAPES.len()]) -> f64 {
    let down: f64 = BLENDSHAPES
        .iter()
        .zip(coefficients)
        .filter_map(|(name, value)| {
            let (_, share) = LIDS.iter().find(|(lid, _)| lid == name)?;
            Some(share * f64::from(*value))
        })
        .sum();
    LIDS_DEG * down + LIDS_LEVEL_DEG
}

fn eye_direction(pose: &HeadPose, outer: Vec3, inner: Vec3, iris: Vec3) -> Vec3 {
    let middle = scale(add(pose.in_head(outer), pose.in_head(inner)), 0.5);
    let eyeball = add(middle, [0.0, EYEBALL_RISE_CM, -EYEBALL_DEPTH_CM]);
    let camera = pose.camera_in_head();
    // The iris landmark's own depth is unreliable; only its ray counts.
    let ray = normalised(sub(pose.in_head(iris), camera));
    normalised(sub(first_hit(camera, ray, eyeball, EYEBALL_RADIUS_CM), eyeball))
}

/// Where a ray (unit direction) first meets a sphere, or where it passes it nearest.
fn first_hit(from: Vec3, ray: Vec3, middle: Vec3, radius: f64) -> Vec3 {
    let to_middle = sub(middle, from);
    let along = dot(to_middle, ray);
    let miss_squared = dot(to_middle, to_middle) - along * along;
    let half_chord = (radius * radius - miss_squared).max(0.0).sqrt();
    add(from, scale(ray, along - half_chord))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_meets_the_near_side_of_a_sphere() {
        let hit = first_hit([0.0, 0.0, 50.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0], 1.2);
        assert!((hit[2] - 1.2).abs() < 1e-9);
    }

    #[test]
    fn lids_that_look_down_say_so() {
        let with = |lids: &str, value: f32| {
            let mut coefficients = [0.0; BLENDSHAPES.len()];
            for (coefficient, _) in coefficients.iter_mut().zip(BLENDSHAPES).filter(|(_, name)| name.starts_with(lids))
            {
                *coefficient = value;
            }
            lids_pitch_deg(&coefficients)
        };
        assert_eq!(with("eyeLookDown", 0.0), LIDS_LEVEL_DEG);
        assert!((with("eyeLookDown", 1.0) - LIDS_LEVEL_DEG - LIDS_DEG).abs() < 1e-9);
        assert!((with("eyeLookUp", 0.5) - LIDS_LEVEL_DEG + LIDS_DEG / 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_ray_that_misses_gives_the_nearest_place() {
        let hit = first_hit([5.0, 0.0, 50.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0], 1.2);
        assert_eq!(hit, [5.0, 0.0, 0.0]);
    }
}
