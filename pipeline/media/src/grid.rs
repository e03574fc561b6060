//! Which pictures are analysed: the first one in each cell of a regular grid of times.

use std::collections::BTreeMap;

/// Containers with millisecond timestamps round a picture on the grid to just before it.
const SLACK_S: f64 = 0.0005;
/// Cells whose first timestamp is remembered; more than any codec reorders.
const REMEMBERED: usize = 64;

/// The grid of analysed times. A cell that no picture falls into stays empty, so variable frame rates need no care.
#[derive(Debug)]
pub(crate) struct Grid {
    fps: f64,
    last: Option<Mark>,
    first_seen: BTreeMap<i64, f64>,
}

/// The last analysed picture.
#[derive(Debug, Clone, Copy)]
struct Mark {
    cell: i64,
    time_s: f64,
}

impl Grid {
    /// A grid of `fps` cells a second; 0 keeps every picture.
    pub(crate) fn new(fps: f64) -> Self {
        Grid { fps, last: None, first_seen: BTreeMap::new() }
    }

    fn cell(&self, time_s: f64) -> i64 {
        ((time_s + SLACK_S) * self.fps).floor() as i64
    }

    /// True for a picture that is analysed. Called once for each decoded picture in the order of their times; a picture
    /// that is not later than the last analysed one is never kept.
    pub(crate) fn keep(&mut self, time_s: f64) -> bool {
        let cell = self.cell(time_s);
        let keep = self.last.is_none_or(|last| time_s > last.time_s && (self.fps <= 0.0 || cell > last.cell));
        if keep {
            self.last = Some(Mark { cell, time_s });
        }
        keep
    }

    /// True where an earlier picture of the same cell is known, so that this one is certainly not analysed. Called for
    /// each packet in the order of decoding.
    pub(crate) fn is_unused(&mut self, time_s: f64) -> bool {
        if self.fps <= 0.0 {
            return false;
        }
        let cell = self.cell(time_s);
        let first = self.first_seen.entry(cell).or_insert(time_s);
        let unused = *first < time_s;
        *first = first.min(time_s);
        while self.first_seen.len() > REMEMBERED {
            self.first_seen.pop_first();
        }
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(fps: f64, times: &[f64]) -> Vec<f64> {
        let mut grid = Grid::new(fps);
        times.iter().copied().filter(|t| grid.keep(*t)).collect()
    }

    #[test]
    fn thirty_frames_a_second_give_every_third() {
        let times: Vec<f64> = (0..9).map(|n| f64::from(n) / 30.0).collect();
        assert_eq!(kept(10.0, &times), [times[0], times[3], times[6]]);
        let rounded: Vec<f64> = times.iter().map(|t| (t * 1000.0).round() / 1000.0).collect();
        assert_eq!(kept(10.0, &rounded).len(), 3);
    }

    #[test]
    fn fewer_frames_than_the_grid_are_all_kept_and_zero_keeps_all() {
        let times = [0.0, 0.4, 0.45, 1.3];
        assert_eq!(kept(10.0, &times), [0.0, 0.4, 1.3]);
        assert_eq!(kept(0.0, &times), times);
        assert_eq!(kept(0.0, &[0.0, 0.2, 0.2, 0.1]), [0.0, 0.2]);
    }

    proptest! {
        /// Whatever the order of decoding, a picture that is called unused is not kept in the order of showing.
        #[test]
        fn unused_pictures_are_never_kept(mut order in proptest::collection::vec(0_u32..3000, 1..200), fps in 1.0_f64..30.0) {
            let mut grid = Grid::new(fps);
            let time = |ms: &u32| f64::from(*ms) / 1000.0;
            let unused: Vec<u32> = order.iter().copied().filter(|ms| grid.is_unused(time(ms))).collect();
            order.sort_unstable();
            let kept: Vec<u32> = order.iter().copied().filter(|ms| grid.keep(time(ms))).collect();
            prop_assert!(unused.iter().all(|ms| !kept.contains(ms)));
        }
    }
}
