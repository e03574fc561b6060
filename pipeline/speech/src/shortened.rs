//! A stretch with its long pauses shortened: what is recognised of it.
//!
//! Recognition costs whisper's whole 30 s window whatever it holds, and a word's time can slip over a pause. So a pause
//! inside a stretch is heard for `longest_pause_s` at most: half of that after the speech before it and half before the
//! speech after it. Speech itself is never touched, and every time is laid back onto the recording's clock.

use crate::stretch::Stretch;

/// What of a stretch is recognised. Its own clock runs over the kept sound alone, from 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shortened {
    /// The parts of the recording that are kept, `(start, end)` in seconds since media time zero, in order.
    pub(crate) kept: Vec<(f64, f64)>,
    /// The stretch on its own clock.
    pub(crate) stretch: Stretch,
}

impl Shortened {
    /// The stretch with no pause between two runs of speech longer than `longest_pause_s`.
    pub(crate) fn new(stretch: &Stretch, longest_pause_s: f64) -> Shortened {
        let mut kept = Vec::new();
        let mut from = stretch.start;
        for pair in stretch.speech.windows(2) {
            let ((_, before), (after, _)) = (pair[0], pair[1]);
            if after - before > longest_pause_s {
                kept.push((from, before + longest_pause_s / 2.0));
                from = after - longest_pause_s / 2.0;
            }
        }
        kept.push((from, stretch.end));
        let end = kept.iter().map(|(start, end)| end - start).sum();
        let mut shortened = Shortened { kept, stretch: Stretch { start: 0.0, end, speech: Vec::new() } };
        shortened.stretch.speech =
            stretch.speech.iter().map(|(start, end)| (shortened.own_time(*start), shortened.own_time(*end))).collect();
        shortened
    }

    /// A time of the recording on the clock of the kept sound; a time that is not kept falls together with the next
    /// that is.
    fn own_time(&self, time: f64) -> f64 {
        self.kept.iter().map(|(start, end)| (time.min(*end) - start).max(0.0)).sum()
    }

    /// A time on the clock of the kept sound as one of the recording.
    pub(crate) fn recording_time(&self, own: f64) -> f64 {
        let mut left = own;
        for (start, end) in &self.kept {
            if left <= end - start {
                return start + left.max(0.0);
            }
            left -= end - start;
        }
        self.kept.last().map_or(own, |(_, end)| *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_pause_is_shortened_and_a_short_one_kept() {
        let stretch = Stretch { start: 9.8, end: 16.2, speech: vec![(10.0, 11.0), (11.3, 12.0), (14.0, 16.0)] };
        let shortened = Shortened::new(&stretch, 0.4);
        assert_eq!(shortened.kept, [(9.8, 12.2), (13.8, 16.2)]);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(shortened.stretch.end, 4.8);
        near(shortened.stretch.speech[2].0, 2.6);
        near(shortened.recording_time(2.6), 14.0);
        near(shortened.recording_time(2.2), 12.0);
        near(shortened.recording_time(9.9), 16.2);
    }

    proptest! {
        #[test]
        fn speech_is_kept_whole_and_times_come_back(
            gaps in prop::collection::vec((0.15..3.0_f64, 0.1..5.0_f64), 1..12), longest in 0.2..2.0_f64
        ) {
            let mut at = 0.0;
            let speech: Vec<(f64, f64)> = gaps
                .iter()
                .map(|(pause, length)| {
                    let start = at + pause;
                    at = start + length;
                    (start, at)
                })
                .collect();
            let stretch = Stretch { start: speech[0].0 - 0.1, end: at + 0.1, speech };
            let shortened = Shortened::new(&stretch, longest);
            prop_assert!((shortened.stretch.speech_s() - stretch.speech_s()).abs() < 1e-9);
            for (own, run) in shortened.stretch.speech.iter().zip(&stretch.speech) {
                prop_assert!((shortened.recording_time(own.0) - run.0).abs() < 1e-9);
                prop_assert!((shortened.recording_time(own.1) - run.1).abs() < 1e-9);
            }
            for pair in shortened.stretch.speech.windows(2) {
                prop_assert!(pair[1].0 - pair[0].1 <= longest + 1e-9);
            }
        }
    }
}
