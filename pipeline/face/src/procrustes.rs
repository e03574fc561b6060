//! Weighted orthogonal Procrustes with scale: the similarity that moves one point set onto another.
//!
//! The rotation is found as a unit quaternion (B. K. P. Horn, "Closed-form solution of absolute orientation using unit
//! quaternions", JOSA A 4(4), 1987), which cannot come out as a mirror image.

use crate::geometry::{Mat3, Vec3, add, dot, rotate, rotate_back, scale, sub};

/// `target = scale * rotation * source + translation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    /// A proper rotation.
    pub rotation: Mat3,
    /// A positive factor.
    pub scale: f64,
    /// A shift, in the target's unit.
    pub translation: Vec3,
}

impl Similarity {
    /// The similarity that minimises `sum w |scale R source + t - target|^2` over `(weight, source, target)`, or `None`
    /// where the points are too few, in one place, or not finite.
    #[must_use]
    pub(crate) fn fit(pairs: &[(f64, Vec3, Vec3)]) -> Option<Similarity> {
        let total: f64 = pairs.iter().map(|(w, ..)| w).sum();
        let middle = |pick: fn(&(f64, Vec3, Vec3)) -> Vec3| {
            pairs.iter().fold([0.0; 3], |sum, pair| add(sum, scale(pick(pair), pair.0 / total)))
        };
        let (from, to) = (middle(|p| p.1), middle(|p| p.2));
        let (mut cross, mut spread, mut target_spread) = ([[0.0; 3]; 3], 0.0, 0.0);
        for (w, source, target) in pairs {
            let (a, b) = (sub(*source, from), sub(*target, to));
            spread += w * dot(a, a);
            target_spread += w * dot(b, b);
            for (row, values) in cross.iter_mut().enumerate() {
                for (column, value) in values.iter_mut().enumerate() {
                    *value += w * a[row] * b[column];
                }
            }
        }
        // Points in one place are apart by rounding noise only.
        let noise = |middle: Vec3| total * 1e-18 * dot(middle, middle);
        if !(spread > noise(from) && target_spread > noise(to)) {
            return None;
        }
        let rotation = best_rotation(&cross);
        // The trace of R^T sum w b a^T: how far the rotated source reaches along the target.
        let reach: f64 = (0..3).map(|i| (0..3).map(|j| rotation[j][i] * cross[i][j]).sum::<f64>()).sum();
        let factor = reach / spread;
        let found =
            Similarity { rotation, scale: factor, translation: sub(to, scale(rotate(&rotation, from), factor)) };
        (factor.is_finite() && factor > 0.0 && found.translation.iter().all(|v| v.is_finite())).then_some(found)
    }

    /// Takes a target point back to the source's frame.
    #[must_use]
    pub(crate) fn undo(&self, target: Vec3) -> Vec3 {
        scale(rotate_back(&self.rotation, sub(target, self.translation)), 1.0 / self.scale)
    }
}

/// The rotation that aligns sources with targets, from `cross[i][j] = sum w source_i target_j` (Horn, section 4).
fn best_rotation(cross: &Mat3) -> Mat3 {
    let s = cross;
    let symmetric = [
        [s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]],
        [s[1][2] - s[2][1], s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]],
        [s[2][0] - s[0][2], s[0][1] + s[1][0], s[1][1] - s[0][0] - s[2][2], s[1][2] + s[2][1]],
        [s[0][1] - s[1][0], s[2][0] + s[0][2], s[1][2] + s[2][1], s[2][2] - s[0][0] - s[1][1]],
    ];
    let [w, x, y, z] = largest_eigenvector(symmetric);
    [
        [w * w + x * x - y * y - z * z, 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), w * w - x * x + y * y - z * z, 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), w * w - x * x - y * y + z * z],
    ]
}

/// Unit eigenvector of the largest eigenvalue of a symmetric matrix, by cyclic Jacobi rotations.
fn largest_eigenvector(mut a: [[f64; 4]; 4]) -> [f64; 4] {
    const SWEEPS: usize = 12;
    let mut vectors = [[0.0; 4]; 4];
    for (i, row) in vectors.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for _ in 0..SWEEPS {
        for p in 0..3 {
            for q in p + 1..4 {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for row in &mut a {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (rows_p, rows_q) = (a[p], a[q]);
                for k in 0..4 {
                    (a[p][k], a[q][k]) = (c * rows_p[k] - s * rows_q[k], s * rows_p[k] + c * rows_q[k]);
                }
                for row in &mut vectors {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
            }
        }
    }
    let largest = (0..4).max_by(|i, j| a[*i][*i].total_cmp(&a[*j][*j])).unwrap_or(0);
    vectors.map(|row| row[largest])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::tests::rotation_of;
    use proptest::prelude::*;

    const SOURCE: [Vec3; 5] = [[0.0, 0.0, 1.0], [2.0, 0.3, 0.0], [-1.0, 2.0, 0.5], [0.7, -1.0, -0.4], [-0.2, 0.1, 1.7]];

    proptest! {
        #[test]
        fn a_known_similarity_is_found_again(
            yaw in -80.0..80.0_f64, pitch in -80.0..80.0_f64, roll in -180.0..180.0_f64,
            factor in 0.01..100.0_f64, shift in -50.0..50.0_f64,
        ) {
            let rotation = rotation_of(yaw, pitch, roll);
            let pairs: Vec<_> = SOURCE.iter().enumerate().map(|(i, p)| {
                (0.1 + i as f64, *p, add(scale(rotate(&rotation, *p), factor), [shift, -shift, 3.0]))
            }).collect();
            let found = Similarity::fit(&pairs).unwrap();
            prop_assert!((found.scale / factor - 1.0).abs() < 1e-9);
            for (row, expected) in found.rotation.iter().zip(&rotation) {
                for (a, b) in row.iter().zip(expected) {
                    prop_assert!((a - b).abs() < 1e-7, "{:?} {:?}", found.rotation, rotation);
                }
            }
            let back = found.undo(pairs[1].2);
            prop_assert!(back.iter().zip(&SOURCE[1]).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }

    #[test]
    fn a_mirrored_set_still_gives_a_proper_rotation() {
        let pairs: Vec<_> = SOURCE.iter().map(|p| (1.0, *p, [-p[0], p[1], p[2]])).collect();
        let r = Similarity::fit(&pairs).unwrap().rotation;
        let cross = [
            r[0][1] * r[1][2] - r[0][2] * r[1][1],
            r[0][2] * r[1][0] - r[0][0] * r[1][2],
            r[0][0] * r[1][1] - r[0][1] * r[1][0],
        ];
        assert!((dot(cross, r[2]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn points_in_one_place_have_no_similarity() {
        assert_eq!(Similarity::fit(&[(1.0, [1.0; 3], [2.0; 3]); 4]), None);
        assert_eq!(Similarity::fit(&[]), None);
        assert_eq!(Similarity::fit(&[(1.0, [f64::NAN; 3], [2.0; 3]); 4]), None);
    }
}
