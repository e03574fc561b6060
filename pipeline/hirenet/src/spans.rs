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
struct Run {
    first: usize,
    last: usize,
    mass: f32,
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

/// Runs above the threshold among the rows in use. `kept` are their original indices, `seconds` their times.
fn salient_runs(weights: &[f32], kept: &[usize], seconds: &[Option<(f64, f64)>]) -> Vec<Run> {
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
    // A moment has both times or none.
    let bounds = start.zip(end).map(|(start, end)| (start, end.max(start)));
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
