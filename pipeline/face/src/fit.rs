//! How the detector's region of a face relates to the one around its landmarks.
//!
//! The landmark network answers a little differently when its crop sits differently, and the box of the landmarks is not
//! the detector's box: it is a few percent larger, and how much depends on the person. A followed face is therefore cut
//! out where the detector would have cut it out, by the relation seen when the detector last ran. So a coefficient does
//! not depend on whether the face was detected or followed.

use std::f64::consts::{PI, TAU};

use crate::geometry::Region;

/// Observations that the running mean looks back on.
const MEMORY: f64 = 16.0;
/// A relation further off than this is a mistaken detection, not a property of the face.
const MOST_SHIFT: f64 = 0.2;
const MOST_GROWTH: f64 = 1.4;
const MOST_TURN: f64 = 0.3;

/// The detector's region seen from the landmarks' region: a running mean over the frames where both are known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RegionFit {
    /// Shift along the landmarks' level line and across it, as a share of the side.
    shift: [f64; 2],
    /// Logarithm of the ratio of the sides.
    growth: f64,
    /// Turn in radians.
    turn: f64,
    observations: f64,
}

impl RegionFit {
    /// Takes in a frame in which the same face was detected and has landmarks.
    pub(crate) fn observe(&mut self, detected: &Region, landmarks: &Region) {
        let (sin, cos) = landmarks.angle.sin_cos();
        let [x, y] = [0, 1].map(|axis| (detected.centre[axis] - landmarks.centre[axis]) / landmarks.side);
        let shift = [x * cos + y * sin, y * cos - x * sin];
        let growth = (detected.side / landmarks.side).ln();
        let turn = (detected.angle - landmarks.angle + PI).rem_euclid(TAU) - PI;
        let plausible =
            shift[0].hypot(shift[1]) <= MOST_SHIFT && growth.abs() <= MOST_GROWTH.ln() && turn.abs() <= MOST_TURN;
        if !plausible {
            return;
        }
        self.observations = (self.observations + 1.0).min(MEMORY);
        let toward = |mean: f64, value: f64| mean + (value - mean) / self.observations;
        self.shift = [toward(self.shift[0], shift[0]), toward(self.shift[1], shift[1])];
        self.growth = toward(self.growth, growth);
        self.turn = toward(self.turn, turn);
    }

    /// Where the detector would put the region of a face whose landmarks have this one.
    pub(crate) fn apply(&self, landmarks: &Region) -> Region {
        let (sin, cos) = landmarks.angle.sin_cos();
        let [along, across] = self.shift.map(|share| share * landmarks.side);
        Region {
            centre: [
                landmarks.centre[0] + along * cos - across * sin,
                landmarks.centre[1] + along * sin + across * cos,
            ],
            side: landmarks.side * self.growth.exp(),
            angle: landmarks.angle + self.turn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANDMARKS: Region = Region { centre: [50.0, 60.0], side: 100.0, angle: 0.4 };
    const DETECTED: Region = Region { centre: [54.0, 57.0], side: 92.0, angle: 0.35 };

    #[test]
    fn an_observed_relation_gives_the_detectors_region_back() {
        let mut fit = RegionFit::default();
        assert_eq!(fit.apply(&LANDMARKS), LANDMARKS);
        fit.observe(&DETECTED, &LANDMARKS);
        let found = fit.apply(&LANDMARKS);
        assert!((found.side - DETECTED.side).abs() < 1e-9 && (found.angle - DETECTED.angle).abs() < 1e-9);
        assert!((found.centre[0] - DETECTED.centre[0]).abs() < 1e-9);
        assert!((found.centre[1] - DETECTED.centre[1]).abs() < 1e-9);
    }

    #[test]
    fn another_faces_region_is_not_taken_in() {
        let mut fit = RegionFit::default();
        fit.observe(&Region { centre: [300.0, 60.0], ..DETECTED }, &LANDMARKS);
        fit.observe(&Region { side: 30.0, ..DETECTED }, &LANDMARKS);
        assert_eq!(fit, RegionFit::default());
    }
}
