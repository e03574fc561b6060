//! From attention to moments: which stretches stand out, and what the score would be without them.

use hirenet_core::{Modality, Span, Word, window_span};

use crate::interview::Packed;
use crate::{Bundle, BundleError, InterviewTracks, Scored};

/// Attention relative to uniform (1) that a moment must exceed at least.
const MIN_SALIENCE: f32 = 1.5;
/// The share of an answer's rows that lies below the threshold at least.
const SALIENCE_QUANTILE: f64 = 0.9;
/// Runs closer than this are one moment, and no moment crosses a removed gap longer than this, in seconds.
const MERGE_S: f64 = 1.0;
/// Padding on each side, in seconds.
const PADDING_S: f64 = 0.5;
/// Moments of one answer and modality at most.
const MAX_SPANS: usize = 3;

/// When and what was said in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AnswerTimes<'a> {
    /// Duration of the recording in seconds; `None` where it is unknown.
    pub duration_s: Option<f64>,
    /// The transcript's words: row `k` of the verbal track is `words[k]`.
    pub words: &'a [Word],
}

/// A run of rows in use, first and last inclusive, with its attention mass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// First row.
    pub first: usize,
    /// Last row, inclusive.
    pub last: usize,
    /// Sum of the rows' weights.
    pub mass: f32,
}

/// A moment before its influence is measured.
struct Candidate {
    answer: usize,
    modality: Modality,
    run: Run,
    weight: f32,
}

impl Bundle {
    /// The moments that stand out, strongest first: with `a` = attention times valid rows (1 is uniform), maximal runs of
    /// `a > max(1.5, the answer's 90th percentile)` (linear between ranks), merged where less than 1 s apart, padded by
    /// 0.5 s, at most 3 an answer and modality by `weight`. `influence` is measured by a run without the moment's rows
    /// (before padding). None where attention is even: the result is empty then.
    ///
    /// `times[i]` belongs to `interview.answers[i]`. Runs the graph once and once more for each moment.
    ///
    /// # Errors
    /// [`BundleError::Input`] where `scored` or `times` are not this interview's; else as [`Bundle::score`].
    pub fn spans(
        &mut self,
        interview: &InterviewTracks,
        scored: &Scored,
        times: &[AnswerTimes<'_>],
    ) -> Result<Vec<Span>, BundleError> {
        let packed = self.pack(interview)?;
        if times.len() != packed.answers() || scored.attention.len() != packed.answers() {
            return Err(BundleError::Input("scores or times of another interview".to_owned()));
        }
        let mut candidates = candidates(&packed, scored, times);
        // A stable sort keeps answer, modality and time as the order among equals.
        candidates.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let mut spans = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let Candidate { answer, modality, run, weight } = candidate;
            let without = self.run(&packed.without(modality, answer, run.first..run.last + 1))?;
            let kept = packed.modalities.iter().find(|m| m.modality == modality).map(|m| m.kept[answer].as_slice());
            let rows = kept.map_or((run.first, run.last), |kept| (kept[run.first], kept[run.last]));
            spans.push(Span {
                weight,
                influence: scored.logit - without.logit,
                ..placed(&interview.answers[answer].id, modality, rows, &times[answer])
            });
        }
        Ok(spans)
    }
}

fn candidates(packed: &Packed, scored: &Scored, times: &[AnswerTimes<'_>]) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (answer, attention) in scored.attention.iter().enumerate() {
        for m in &packed.modalities {
            let Some(attention) = attention.get(m.modality) else { continue };
            let weights: Vec<f32> = m.kept[answer].iter().map(|row| attention.rows[*row]).collect();
            let seconds: Vec<_> =
                m.kept[answer].iter().map(|row| row_time(m.modality, *row, times[answer].words)).collect();
            let mut runs = salient_runs(&weights, &m.kept[answer], &seconds);
            runs.sort_by(|a, b| b.mass.total_cmp(&a.mass));
            runs.truncate(MAX_SPANS);
            let candidate =
                |run: Run| Candidate { answer, modality: m.modality, run, weight: attention.answer * run.mass };
            all.extend(runs.into_iter().map(candidate));
        }
    }
    all
}

/// Start and end of a row in seconds, or `None` for a word without times.
fn row_time(modality: Modality, row: usize, words: &[Word]) -> Option<(f64, f64)> {
    match modality {
        Modality::Verbal => words.get(row).and_then(|word| Some((word.start?, word.end?))),
        Modality::Vocal | Modality::Visual => Some(window_span(row)),
    }
}

/// Runs above the threshold of [`Bundle::spans`] among the rows in use, in order. `weights` are the rows' attention, `kept`
/// their original indices, `seconds` their times.
#[must_use]
pub fn salient_runs(weights: &[f32], kept: &[usize], seconds: &[Option<(f64, f64)>]) -> Vec<Run> {
    let relative: Vec<f32> = weights.iter().map(|w| w * weights.len() as f32).collect();
    let threshold = MIN_SALIENCE.max(quantile(&relative, SALIENCE_QUANTILE));
    let apart = |before: usize, after: usize| Some(seconds[after]?.0 - seconds[before]?.1);
    let mut runs: Vec<Run> = Vec::new();
    for place in (0..weights.len()).filter(|place| relative[*place] > threshold) {
        let joins = runs.last().is_some_and(|run| {
            let gap = apart(run.last, place);
            if run.last + 1 == place {
                let rows_removed = kept[place] - kept[run.last] > 1;
                !rows_removed || gap.is_none_or(|gap| gap <= MERGE_S)
            } else {
                gap.is_some_and(|gap| gap < MERGE_S)
            }
        });
        match runs.last_mut() {
            Some(run) if joins => run.last = place,
            _ => runs.push(Run { first: place, last: place, mass: 0.0 }),
        }
    }
    for run in &mut runs {
        run.mass = weights[run.first..=run.last].iter().sum();
    }
    runs
}

/// Quantile with linear interpolation between ranks; 0 of nothing.
fn quantile(values: &[f32], q: f64) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let position = q * sorted.len().saturating_sub(1) as f64;
    let below = position.floor() as usize;
    let Some(low) = sorted.get(below) else { return 0.0 };
    let high = sorted.get(below + 1).unwrap_or(low);
    low + (high - low) * (position - position.floor()) as f32
}

/// Times and words of a moment over original rows, first and last inclusive.
fn placed(answer: &str, modality: Modality, (first, last): (usize, usize), times: &AnswerTimes<'_>) -> Span {
    let start = row_time(modality, first, times.words).map(|(start, _)| (start - PADDING_S).max(0.0));
    let end = row_time(modality, last, times.words).map(|(_, end)| end + PADDING_S);
    let end = end.map(|end| times.duration_s.map_or(end, |duration| end.min(duration)));
    // A moment has both times or none, and none where it begins after the recording has ended.
    let inside = |start: f64| times.duration_s.is_none_or(|duration| start < duration);
    let bounds = start.zip(end).filter(|(start, _)| inside(*start)).map(|(start, end)| (start, end.max(start)));
    let words = match modality {
        Modality::Verbal => Some((first, last)),
        Modality::Vocal | Modality::Visual => bounds.and_then(|bounds| words_inside(bounds, times.words)),
    };
    let said = words.and_then(|(first, last)| times.words.get(first..=last)).unwrap_or_default();
    Span {
        answer: answer.to_owned(),
        modality,
        start: bounds.map(|(start, _)| start),
        end: bounds.map(|(_, end)| end),
        word_first: words.map(|(first, _)| first),
        word_last: words.map(|(_, last)| last),
        weight: 0.0,
        influence: 0.0,
        text: said.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
    }
}

/// First and last word that overlap a stretch of time.
fn words_inside((start, end): (f64, f64), words: &[Word]) -> Option<(usize, usize)> {
    let inside = |word: &Word| word.start.zip(word.end).is_some_and(|(from, to)| from < end && to > start);
    let first = words.iter().position(inside)?;
    let last = words.iter().rposition(inside)?;
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs of windows; `relative` is attention times the number of rows.
    fn windows(relative: &[f32], kept: &[usize]) -> Vec<(usize, usize)> {
        let weights: Vec<f32> = relative.iter().map(|a| a / relative.len() as f32).collect();
        let seconds: Vec<_> = kept.iter().map(|row| Some(window_span(*row))).collect();
        salient_runs(&weights, kept, &seconds).iter().map(|run| (run.first, run.last)).collect()
    }

    /// 60 rows at 0.5 with peaks.
    fn peaks(rows: &[usize]) -> Vec<f32> {
        (0..60).map(|row| if rows.contains(&row) { 4.0 } else { 0.5 }).collect()
    }

    fn all(count: usize) -> Vec<usize> {
        (0..count).collect()
    }

    #[test]
    fn quantiles_are_interpolated_between_ranks() {
        let values: Vec<f32> = (0..=10).map(|v| v as f32).rev().collect();
        assert_eq!(quantile(&values, 0.9), 9.0);
        assert!((quantile(&[1.0, 2.0], 0.9) - 1.9).abs() < 1e-6);
        assert_eq!((quantile(&[3.0], 0.9), quantile(&[], 0.9)), (3.0, 0.0));
    }

    #[test]
    fn runs_must_exceed_both_thresholds() {
        assert!(windows(&[1.0; 20], &all(20)).is_empty(), "even attention");
        assert!(windows(&[1.5, 0.9, 0.8, 0.8], &all(4)).is_empty(), "1.5 itself is not above it");
        assert_eq!(windows(&peaks(&[20, 21]), &all(60)), [(20, 21)]);
        // A plateau wider than a tenth of the answer is its own 90th percentile.
        assert!(windows(&peaks(&all(12)), &all(60)).is_empty());
    }

    #[test]
    fn runs_less_than_a_second_apart_are_one() {
        // Windows 20 and 25: from 5.5 s to 6.25 s is 0.75 s; 20 and 26: 1.0 s.
        assert_eq!(windows(&peaks(&[20, 25]), &all(60)), [(20, 25)]);
        assert_eq!(windows(&peaks(&[20, 26]), &all(60)), [(20, 20), (26, 26)]);
    }

    #[test]
    fn a_moment_never_crosses_a_removed_gap_of_more_than_a_second() {
        let kept = |removed: std::ops::Range<usize>| -> Vec<usize> {
            (0..60 + removed.len()).filter(|row| !removed.contains(row)).collect()
        };
        // Between windows 20 and 26 lies 1.0 s, between 20 and 27 1.25 s.
        assert_eq!(windows(&peaks(&[20, 21]), &kept(21..26)), [(20, 21)]);
        assert_eq!(windows(&peaks(&[20, 21]), &kept(21..27)), [(20, 20), (21, 21)]);
    }

    #[test]
    fn words_without_times_are_never_merged_over_others() {
        let weights: Vec<f32> = peaks(&[20, 21, 23]).iter().map(|a| a / 60.0).collect();
        let runs = salient_runs(&weights, &all(60), &[None; 60]);
        assert_eq!(runs.iter().map(|run| (run.first, run.last)).collect::<Vec<_>>(), [(20, 21), (23, 23)]);
    }

    #[test]
    fn bounds_are_padded_and_clipped_and_hold_the_words_said() {
        let word =
            |text: &str, start, end| Word { text: text.into(), start: Some(start), end: Some(end), confidence: None };
        let words = [word("one", 0.0, 0.4), word("two", 2.4, 2.6), word("three", 3.9, 4.1), word("four", 4.6, 5.0)];
        let times = AnswerTimes { duration_s: Some(4.2), words: &words };
        // Windows 12 to 14 cover 3.0 to 4.0 s.
        let span = placed("a", Modality::Vocal, (12, 14), &times);
        assert_eq!((span.start, span.end), (Some(2.5), Some(4.2)));
        assert_eq!((span.word_first, span.word_last, span.text.as_str()), (Some(1), Some(2), "two three"));
        let span = placed("a", Modality::Visual, (0, 0), &AnswerTimes::default());
        assert_eq!((span.start, span.end, span.word_first), (Some(0.0), Some(1.0), None));
        let span = placed("a", Modality::Verbal, (1, 2), &times);
        assert_eq!((span.start, span.end), (Some(2.4 - PADDING_S), Some(4.2)));
        assert_eq!((span.word_first, span.word_last), (Some(1), Some(2)));
    }

    #[test]
    fn a_moment_never_begins_after_the_end() {
        let word = Word { text: "late".into(), start: Some(4.6), end: Some(5.0), confidence: None };
        let words = std::slice::from_ref(&word);
        let span = |duration_s| placed("a", Modality::Verbal, (0, 0), &AnswerTimes { duration_s, words });
        for duration_s in [0.0, 3.0, 4.6 - PADDING_S] {
            let span = span(Some(duration_s));
            assert_eq!((span.start, span.end, span.word_first), (None, None, Some(0)), "{duration_s}");
            assert_eq!(span.text, "late");
        }
        assert_eq!(span(Some(4.2)).end, Some(4.2));
        assert_eq!(span(None).end, Some(5.0 + PADDING_S));
    }

    proptest! {
        /// The definition, said the other way round: ends stand out, neighbours are far enough apart, nothing above the
        /// threshold is left over, and no removed gap is crossed.
        #[test]
        fn runs_are_maximal_and_apart(
            weights in prop::collection::vec(prop_oneof![4 => 0.0..0.2_f32, 1 => 1.0..2.0_f32], 1..120),
            gaps in prop::collection::vec(prop_oneof![9 => Just(0_usize), 1 => 1..12_usize], 120),
        ) {
            let kept: Vec<usize> = gaps.iter().take(weights.len()).scan(0, |row, gap| {
                *row += 1 + gap;
                Some(*row)
            }).collect();
            let sum: f32 = weights.iter().sum();
            let weights: Vec<f32> = weights.iter().map(|w| w / sum).collect();
            let seconds: Vec<_> = kept.iter().map(|row| Some(window_span(*row))).collect();
            let apart = |before: usize, after: usize| window_span(kept[after]).0 - window_span(kept[before]).1;
            let relative: Vec<f32> = weights.iter().map(|w| w * weights.len() as f32).collect();
            let threshold = MIN_SALIENCE.max(quantile(&relative, SALIENCE_QUANTILE));
            let runs = salient_runs(&weights, &kept, &seconds);
            let inside = |place: usize| runs.iter().any(|run| (run.first..=run.last).contains(&place));
            for (place, a) in relative.iter().enumerate() {
                prop_assert!(*a <= threshold || inside(place));
            }
            for run in &runs {
                prop_assert!(relative[run.first] > threshold && relative[run.last] > threshold);
                for place in run.first..run.last {
                    prop_assert!(apart(place, place + 1) <= MERGE_S);
                }
            }
            for pair in runs.windows(2) {
                prop_assert!(pair[0].last < pair[1].first && apart(pair[0].last, pair[1].first) >= MERGE_S);
            }
        }
    }
}
