//! Which resonance is which formant: a path through a voiced run with a light cost for jumps.

use super::{Resonance, WIDEST_HZ};

/// Formants that are reported.
pub(crate) const FORMANTS: usize = 3;
/// The first formants of one frame; `None` where missing.
pub(crate) type Formants = [Option<Resonance>; FORMANTS];

/// Resonances of a frame that can be one of the first three formants.
const CANDIDATES: usize = 5;
/// Cost of a formant that is left out although a resonance is there for it.
const MISSING_COST: f64 = 0.6;
/// Cost of a resonance below the highest formant that is passed over.
const SKIP_COST: f64 = 0.4;
/// Cost of a resonance that is wide for a formant: less than to pass it over, so that the next formant stays in its place.
const WIDE_COST: f64 = 0.1;
/// Cost of a change of a formant by an octave.
const JUMP_COST: f64 = 0.5;

/// One way to read a frame, with the cost of the best path that ends in it.
#[derive(Debug, Clone, Copy)]
struct Reading {
    formants: Formants,
    cost: f64,
    from: usize,
}

/// Reads the resonances of each frame of a voiced run as formants.
pub(crate) fn assign(run: &[Vec<Resonance>]) -> Vec<Formants> {
    let mut frames: Vec<Vec<Reading>> = Vec::with_capacity(run.len());
    for resonances in run {
        let mut readings = readings(&resonances[..resonances.len().min(CANDIDATES)]);
        if let Some(before) = frames.last() {
            for reading in &mut readings {
                let costs = before.iter().map(|b| b.cost + jump_cost(&b.formants, &reading.formants));
                let (from, cost) = lowest(costs);
                reading.from = from;
                reading.cost += cost;
            }
        }
        frames.push(readings);
    }
    let mut at = frames.last().map_or(0, |last| lowest(last.iter().map(|r| r.cost)).0);
    let mut path: Vec<Formants> = frames
        .iter()
        .rev()
        .map(|readings| {
            let reading = readings[at];
            at = reading.from;
            reading.formants
        })
        .collect();
    path.reverse();
    path
}

/// All ways to read resonances as formants in rising order.
fn readings(resonances: &[Resonance]) -> Vec<Reading> {
    let mut all = vec![];
    let mut extend = |formants: Formants, used: usize, highest: usize| {
        let possible = resonances.len().min(FORMANTS);
        let wide = formants.iter().flatten().filter(|f| f.bandwidth_hz > WIDEST_HZ).count();
        let cost = MISSING_COST * possible.saturating_sub(used) as f64
            + SKIP_COST * (highest - used) as f64
            + WIDE_COST * wide as f64;
        all.push(Reading { formants, cost, from: 0 });
    };
    // Each formant takes a resonance (counted from 1) above the last one taken, or none (0).
    let count = resonances.len();
    for first in 0..=count {
        for second in (0..=count).filter(|s| *s == 0 || *s > first) {
            for third in (0..=count).filter(|t| *t == 0 || *t > first.max(second)) {
                let picks = [first, second, third];
                let formants = picks.map(|pick| pick.checked_sub(1).map(|index| resonances[index]));
                let used = picks.iter().filter(|pick| **pick > 0).count();
                extend(formants, used, first.max(second).max(third));
            }
        }
    }
    all
}

fn jump_cost(before: &Formants, now: &Formants) -> f64 {
    let jump = |(b, n): (&Option<Resonance>, &Option<Resonance>)| match (b, n) {
        (Some(b), Some(n)) => (b.hz / n.hz).log2().abs(),
        _ => 0.0,
    };
    JUMP_COST * before.iter().zip(now).map(jump).sum::<f64>()
}

fn lowest(costs: impl Iterator<Item = f64>) -> (usize, f64) {
    costs.enumerate().fold((0, f64::INFINITY), |best, (index, cost)| if cost < best.1 { (index, cost) } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resonances(hz: &[f64]) -> Vec<Resonance> {
        hz.iter().map(|hz| Resonance { hz: *hz, bandwidth_hz: 80.0 }).collect()
    }

    fn frequencies(formants: &Formants) -> [f64; FORMANTS] {
        formants.map(|f| f.map_or(0.0, |f| f.hz))
    }

    #[test]
    fn the_lowest_three_are_the_formants() {
        let path = assign(&[resonances(&[500.0, 1500.0, 2500.0, 3500.0])]);
        assert_eq!(frequencies(&path[0]), [500.0, 1500.0, 2500.0]);
    }

    #[test]
    fn a_formant_that_is_missing_for_a_frame_leaves_its_place_empty() {
        let whole = resonances(&[500.0, 1500.0, 2500.0, 3500.0]);
        let run = [whole.clone(), whole.clone(), resonances(&[1510.0, 2490.0]), whole.clone(), whole];
        let path = assign(&run);
        assert_eq!(frequencies(&path[2]), [0.0, 1510.0, 2490.0]);
        assert_eq!(frequencies(&path[3]), [500.0, 1500.0, 2500.0]);
    }

    #[test]
    fn a_damped_formant_keeps_its_place() {
        let mut frame = resonances(&[500.0, 1500.0, 2600.0, 3500.0]);
        frame[2].bandwidth_hz = 900.0;
        assert_eq!(frequencies(&assign(&[frame])[0]), [500.0, 1500.0, 2600.0]);
    }

    #[test]
    fn frames_without_resonances_have_no_formants() {
        assert!(assign(&[]).is_empty());
        assert_eq!(assign(&[vec![], vec![]]), [[None; FORMANTS]; 2]);
    }
}
