//! Small vectors and rotations, and the regions of a picture that the networks look at.

use std::array::from_fn;
use std::f64::consts::{PI, TAU};

/// A point or direction in space.
pub(crate) type Vec3 = [f64; 3];
/// Rows of a 3 x 3 matrix.
pub(crate) type Mat3 = [[f64; 3]; 3];

pub(crate) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn add(a: Vec3, b: Vec3) -> Vec3 {
    from_fn(|i| a[i] + b[i])
}

pub(crate) fn sub(a: Vec3, b: Vec3) -> Vec3 {
    from_fn(|i| a[i] - b[i])
}

pub(crate) fn scale(a: Vec3, factor: f64) -> Vec3 {
    a.map(|v| v * factor)
}

pub(crate) fn normalised(a: Vec3) -> Vec3 {
    scale(a, 1.0 / dot(a, a).sqrt().max(f64::MIN_POSITIVE))
}

/// `m a`.
pub(crate) fn rotate(m: &Mat3, a: Vec3) -> Vec3 {
    from_fn(|row| dot(m[row], a))
}

/// `m^T a`: the inverse of a rotation.
pub(crate) fn rotate_back(m: &Mat3, a: Vec3) -> Vec3 {
    from_fn(|column| (0..3).map(|row| m[row][column] * a[row]).sum())
}

/// An upright rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// The middle of the rectangle.
    #[must_use]
    pub fn centre(&self) -> [f64; 2] {
        [self.x + self.width / 2.0, self.y + self.height / 2.0]
    }

    /// Area of the intersection over area of the union, 0..1.
    #[must_use]
    pub fn iou(&self, other: &Rect) -> f64 {
        let overlap = |a: f64, b: f64, c: f64, d: f64| ((a + b).min(c + d) - a.max(c)).max(0.0);
        let both =
            overlap(self.x, self.width, other.x, other.width) * overlap(self.y, self.height, other.y, other.height);
        let union = self.area() + other.area() - both;
        if union > 0.0 { both / union } else { 0.0 }
    }

    /// Area in square pixels.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.width * self.height
    }
}

/// A square region of a picture, turned by an angle: what the landmark network sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Middle, in pixels.
    pub centre: [f64; 2],
    /// Length of a side in pixels.
    pub side: f64,
    /// Turn in radians, clockwise in the picture (y points down).
    pub angle: f64,
}

impl Region {
    /// How far the region reaches beyond the face's box on all sides together (MediaPipe's `scale_x`, `scale_y`).
    pub(crate) const MARGIN: f64 = 1.5;

    /// The region around a box; `from` and `to` lie on a line that is level in an upright face (the eyes, from the
    /// image's left to its right).
    #[must_use]
    pub fn around(face: &Rect, from: [f64; 2], to: [f64; 2]) -> Region {
        Region {
            centre: face.centre(),
            side: Self::MARGIN * face.width.max(face.height),
            angle: (to[1] - from[1]).atan2(to[0] - from[0]),
        }
    }

    /// The region around points whose level line has a known angle: their tight box in the turned frame.
    #[must_use]
    pub fn around_points(points: impl Iterator<Item = [f64; 2]>, angle: f64) -> Region {
        let (sin, cos) = angle.sin_cos();
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for [x, y] in points {
            let turned = [x * cos + y * sin, y * cos - x * sin];
            for axis in 0..2 {
                low[axis] = low[axis].min(turned[axis]);
                high[axis] = high[axis].max(turned[axis]);
            }
        }
        let middle = [f64::midpoint(low[0], high[0]), f64::midpoint(low[1], high[1])];
        Region {
            centre: [middle[0] * cos - middle[1] * sin, middle[0] * sin + middle[1] * cos],
            side: Self::MARGIN * (high[0] - low[0]).max(high[1] - low[1]),
            angle,
        }
    }

    /// The region halfway between this one and another one of the same face.
    #[must_use]
    pub fn middle(&self, other: &Region) -> Region {
        let turn = (other.angle - self.angle + PI).rem_euclid(TAU) - PI;
        Region {
            centre: from_fn(|axis| f64::midpoint(self.centre[axis], other.centre[axis])),
            side: f64::midpoint(self.side, other.side),
            angle: self.angle + turn / 2.0,
        }
    }

    /// Rows of the affine map from a crop of `size` pixels a side to the picture.
    #[must_use]
    pub fn to_picture(&self, size: f64) -> [[f64; 3]; 2] {
        let (sin, cos) = self.angle.sin_cos();
        let (a, b) = (self.side / size * cos, self.side / size * sin);
        let half = size / 2.0;
        [[a, -b, self.centre[0] - half * (a - b)], [b, a, self.centre[1] - half * (a + b)]]
    }

    /// True where the face in it would sit visibly off the middle, too large, too small or askew in `other`.
    #[must_use]
    pub fn differs_from(&self, other: &Region) -> bool {
        const SHIFT: f64 = 0.1;
        const GROWTH: f64 = 1.15;
        const TURN: f64 = 0.15;
        let shift = (self.centre[0] - other.centre[0]).hypot(self.centre[1] - other.centre[1]);
        let growth = (self.side / other.side).max(other.side / self.side);
        let turn = (self.angle - other.angle + PI).rem_euclid(TAU) - PI;
        shift > SHIFT * other.side || growth > GROWTH || turn.abs() > TURN
    }

    /// False for a region that no picture can be cut along.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.centre.iter().all(|v| v.is_finite()) && self.side.is_finite() && self.side >= 1.0 && self.angle.is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_corners_of_a_crop_map_to_those_of_the_region() {
        let region = Region { centre: [100.0, 50.0], side: 40.0, angle: std::f64::consts::FRAC_PI_2 };
        let m = region.to_picture(256.0);
        let map = |u: f64, v: f64| [m[0][0] * u + m[0][1] * v + m[0][2], m[1][0] * u + m[1][1] * v + m[1][2]];
        for (at, expected) in
            [((128.0, 128.0), [100.0, 50.0]), ((0.0, 0.0), [120.0, 30.0]), ((256.0, 0.0), [120.0, 70.0])]
        {
            let found = map(at.0, at.1);
            assert!((found[0] - expected[0]).abs() < 1e-9 && (found[1] - expected[1]).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn a_turned_square_of_points_has_a_turned_region() {
        let angle = 0.3_f64;
        let (sin, cos) = angle.sin_cos();
        let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]
            .map(|[x, y]: [f64; 2]| [7.0 + 10.0 * (x * cos - y * sin), 3.0 + 10.0 * (x * sin + y * cos)]);
        let region = Region::around_points(corners.into_iter(), angle);
        assert!((region.side - 30.0).abs() < 1e-9);
        assert!((region.centre[0] - 7.0).abs() < 1e-9 && (region.centre[1] - 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_middle_of_two_regions_turns_the_short_way() {
        let a = Region { centre: [10.0, 20.0], side: 40.0, angle: PI - 0.1 };
        let b = Region { centre: [14.0, 10.0], side: 50.0, angle: 0.3 - PI };
        let middle = a.middle(&b);
        assert_eq!((middle.centre, middle.side), ([12.0, 15.0], 45.0));
        assert!((middle.angle - (PI + 0.1)).abs() < 1e-9, "{}", middle.angle);
    }

    #[test]
    fn overlap_is_a_share_of_the_union() {
        let a = Rect { x: 0.0, y: 0.0, width: 2.0, height: 2.0 };
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&Rect { x: 1.0, ..a }), 1.0 / 3.0);
        assert_eq!(a.iou(&Rect { x: 5.0, ..a }), 0.0);
    }
}
