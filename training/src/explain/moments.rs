//! Are the planted moments found? For made-up interviews, where the truth is known.

use hirenet_core::Modality;
use hirenet_model::Run;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::Attended;
use crate::synth::Truth;

/// How far a span's centre may lie from a planted moment, in seconds.
const NEAR_S: f64 = 0.5;
/// Random slices drawn for each answer.
const DRAWS: usize = 20;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MomentsHit {
    /// Answers with positive evidence.
    pub answers: usize,
    /// Share whose top span's centre lies within 0.5 s of the moment that is the evidence; no span is a miss.
    pub hit: f64,
    /// The same for a slice at random of the span's length; where no span stands out, of the spans' median length.
    pub random: f64,
}

/// Rows of a span.
fn length(span: &Run) -> usize {
    span.last - span.first + 1
}

/// Top spans against planted moments, over answers whose asked moment speaks for the candidate.
#[must_use]
pub fn moments_hit(attended: &[Attended], truths: &[Truth], modality: Modality, seed: u64) -> MomentsHit {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut lengths: Vec<usize> = attended.iter().filter_map(|a| a.slices.first().map(length)).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(1);
    let (mut answers, mut hits, mut by_chance) = (0, 0, 0);
    for a in attended {
        let asked = truths[a.interview]
            .moments
            .iter()
            .find(|m| m.answer == a.answer && m.modality == modality && m.asked && m.polarity > 0);
        let Some(moment) = asked else { continue };
        answers += 1;
        let near = |centre: f64| centre > moment.seconds.0 - NEAR_S && centre < moment.seconds.1 + NEAR_S;
        let centre = |first: usize, last: usize| Some(f64::midpoint(a.seconds[first]?.0, a.seconds[last]?.1));
        let top = a.slices.first().and_then(|slice| centre(slice.first, slice.last));
        hits += usize::from(top.is_some_and(near));
        let rows = a.slices.first().map_or(median, length).min(a.weights.len());
        for _ in 0..DRAWS {
            let first = rng.random_range(0..=a.weights.len() - rows);
            by_chance += usize::from(centre(first, first + rows - 1).is_some_and(near));
        }
    }
    let n = answers.max(1) as f64;
    MomentsHit { answers, hit: hits as f64 / n, random: by_chance as f64 / (n * DRAWS as f64) }
}
