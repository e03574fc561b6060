//! Honest word times: inside the speech of their stretch, never backwards, never in a pause.
//!
//! whisper.cpp gives a segment the end of the one before as its start, so that a sentence's first words fall into the
//! pause before it; and from the second segment on it corrects token times by the energy of another place. The ends of
//! segments are right. So each segment is laid onto the speech that voice activity heard between the end of the segment
//! before and its own end, and its words onto that speech by the mean of two estimates of their place in it: where the
//! decoder's token times put them, and their share of the segment's letters.

use hirenet_core::Word;

use crate::stretch::Stretch;
use crate::words::Spoken;

/// Voice activity fades after a word: less speech than this at the edge of a segment belongs to its neighbour.
const FADE_S: f64 = 0.15;
/// A word that would begin this close to the end of a run begins the next run.
const EDGE_S: f64 = 0.02;

/// Words of a stretch on the recording's clock, each with the segment that it belongs to.
///
/// `segment_ends`: seconds since the start of the stretch, for each of the recogniser's segments.
pub(crate) fn place(words: &[Spoken], segment_ends: &[f64], stretch: &Stretch) -> Vec<(usize, Word)> {
    let end_of = |segment: usize| segment_ends.get(segment).map_or(stretch.end, |end| stretch.start + end);
    let mut not_before = stretch.start;
    let mut placed = Vec::with_capacity(words.len());
    for group in words.chunk_by(|a, b| a.segment == b.segment) {
        let segment = group[0].segment;
        let before = segment.checked_sub(1).map_or(stretch.start, end_of);
        let start = before.clamp(not_before, stretch.end);
        let end = end_of(segment).clamp(start, stretch.end);
        let speech = Speech::between(start, end, stretch);
        for (spoken, (from, to)) in group.iter().zip(shares(group, start - stretch.start, end - stretch.start)) {
            let word_start = speech.at(from, EDGE_S).clamp(not_before, end.max(not_before));
            let word_end = speech.at(to, -EDGE_S).clamp(word_start, end.max(word_start));
            not_before = word_end;
            placed.push((
                segment,
                Word {
                    text: spoken.text.clone(),
                    start: Some(word_start),
                    end: Some(word_end),
                    confidence: Some(spoken.confidence),
                },
            ));
        }
    }
    placed
}

/// Where each word begins and ends as a share of its segment, 0..1. `start` and `end` are the segment's.
fn shares(words: &[Spoken], start: f64, end: f64) -> Vec<(f64, f64)> {
    let letters = |word: &Spoken| word.text.chars().filter(|c| c.is_alphanumeric()).count().max(1) as f64;
    let total: f64 = words.iter().map(letters).sum();
    let by_time = |time: f64| ((time - start) / (end - start).max(1e-3)).clamp(0.0, 1.0);
    let mut said = 0.0;
    let share = |word: &Spoken| {
        let from = said / total;
        said += letters(word);
        (f64::midpoint(from, by_time(word.start)), f64::midpoint(said / total, by_time(word.end)))
    };
    words.iter().map(share).collect()
}

/// The speech of one segment, its pauses taken out.
struct Speech {
    runs: Vec<(f64, f64)>,
    total: f64,
}

impl Speech {
    fn between(start: f64, end: f64, stretch: &Stretch) -> Speech {
        let inside = |run: &(f64, f64)| (run.0.max(start), run.1.min(end));
        let mut runs: Vec<(f64, f64)> =
            stretch.speech.iter().map(inside).filter(|run| run.1 - run.0 > FADE_S).collect();
        if runs.is_empty() {
            runs.push((start, end));
        }
        let total = runs.iter().map(|run| run.1 - run.0).sum();
        Speech { runs, total }
    }

    /// The time after a share of the speech. Within `edge` seconds before the end of a run it is the start of the next;
    /// a negative `edge` keeps the end of a run up to that far into the next.
    fn at(&self, share: f64, edge: f64) -> f64 {
        let mut left = share * self.total;
        for (start, end) in &self.runs {
            let length = end - start;
            if left < length - edge {
                return (start + left).min(*end);
            }
            left = (left - length).max(0.0);
        }
        self.runs.last().map_or(0.0, |run| run.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spoken(segment: usize, start: f64, end: f64) -> Spoken {
        Spoken { text: "word".to_owned(), start, end, confidence: 0.9, segment }
    }

    fn starts(placed: &[(usize, Word)]) -> Vec<f64> {
        placed.iter().filter_map(|(_, word)| word.start).collect()
    }

    #[test]
    fn a_sentence_begins_after_the_pause_before_it() {
        let stretch = Stretch { start: 10.0, end: 13.4, speech: vec![(10.2, 11.2), (12.2, 13.2)] };
        let words = [spoken(0, 0.2, 0.7), spoken(0, 0.7, 1.2), spoken(1, 1.2, 2.2), spoken(1, 2.2, 3.2)];
        let placed = place(&words, &[1.2, 3.2], &stretch);
        let starts = starts(&placed);
        assert!((starts[2] - 12.2).abs() < 1e-9 && (starts[3] - 12.7).abs() < 1e-9, "{starts:?}");
        assert!(placed[1].1.end.unwrap() <= 11.2);
    }

    #[test]
    fn a_segment_without_speech_of_its_own_keeps_its_bounds() {
        let stretch = Stretch { start: 0.0, end: 2.0, speech: vec![(0.2, 0.6)] };
        let placed = place(&[spoken(0, 0.2, 0.6), spoken(1, 0.6, 1.8)], &[0.6, 1.8], &stretch);
        assert_eq!(placed[1].1.start, Some(0.6));
        assert_eq!(placed[1].1.end, Some(1.8));
    }

    proptest! {
        #[test]
        fn times_never_run_backwards_nor_leave_the_stretch(
            words in prop::collection::vec((0..4_usize, -1.0..8.0_f64, -1.0..8.0_f64), 0..20),
            mut ends in prop::collection::vec(0.0..8.0_f64, 0..4),
        ) {
            ends.sort_by(f64::total_cmp);
            let mut words: Vec<Spoken> = words.into_iter().map(|(segment, a, b)| spoken(segment, a, b)).collect();
            words.sort_by_key(|word| word.segment);
            let stretch = Stretch { start: 3.0, end: 8.0, speech: vec![(3.2, 4.0), (4.5, 6.0), (7.0, 7.8)] };
            let mut last = stretch.start;
            for (_, word) in place(&words, &ends, &stretch) {
                let (start, end) = (word.start.unwrap(), word.end.unwrap());
                prop_assert!(last <= start && start <= end && end <= stretch.end, "{start} {end}");
                last = end;
            }
        }
    }
}
