//! Formants of a made sound by analysis and synthesis: the resonances and the source under which a model has the harmonics
//! that the sound has.
//!
//! The harmonics of a made sound are exact, so that a model with the right source passes through all of them, and a first
//! formant between the first two of a high voice is found where it is. In real speech no such model fits: see
//! [`super::harmonic_model`]. Source and resonances in cascade, their levels added up: G. Fant, "Acoustic Theory of Speech
//! Production" (1960).

use nalgebra::DVector;

use super::fit::{BANDWIDTHS_HZ, Fit, GAIN, Harmonics, Problem, RESONANCES, Term};
use super::source::Source;
use super::{Formants, HIGHEST_HZ, LOWEST_HZ, Resonance, WIDEST_DAMPED_HZ};

/// Fewer harmonics than this do not bear the model's parameters: voices above 385 Hz have no model.
const LEAST_HARMONICS: usize = 14;
/// The lowest voice that is looked for, at 40 Hz, has no more.
const MOST_HARMONICS: usize = 135;
/// Where the fourth and fifth resonance are looked for: this far above the third, and there but no lower than in most voices.
const ABOVE_THIRD_HZ: [f64; 2] = [950.0, 1_900.0];
const LOWEST_UPPER_HZ: [f64; 2] = [3_400.0, 4_400.0];
/// Root mean square of the misses, as shares of their spread, up to which the model counts as the sound's own.
const FIT: f64 = 1.2;
/// Frames of a run in which the source is looked for, from the middle on: the first that has a model has the run's.
const SEARCHED: [f64; 3] = [0.5, 0.25, 0.75];
/// Starts of the search that are followed to their end: the best after a glance.
const FINALISTS: usize = 5;
/// Evaluations of a search at most, times the parameters.
const GLANCE: usize = 1;
const PATIENCE: usize = 20;

/// The source of a run of frames, and the resonances of the one in which it was found.
struct Model {
    frame: usize,
    parameters: DVector<f64>,
    /// Level of each harmonic before the resonances.
    source_db: Vec<f64>,
}

/// Moves the formants that prediction found in a run's frames to those of the model that has the run's harmonics. Says of each
/// frame whether there is one; where not, its formants stay.
pub(crate) fn fit_run(run: &[Harmonics], formants: &mut [Formants]) -> Vec<bool> {
    let mut fits = vec![false; run.len()];
    let mut searched = SEARCHED.into_iter().map(|share| (share * run.len() as f64) as usize);
    let Some(model) = searched.find_map(|frame| search(run.get(frame)?, frame, formants.get(frame)?)) else {
        return fits;
    };
    let mut follow_all = |frames: &mut dyn Iterator<Item = usize>| {
        let mut last = model.parameters.clone();
        for frame in frames {
            if let Some((parameters, found)) = follow(&run[frame], &last, &model.source_db) {
                formants[frame] = found;
                fits[frame] = true;
                last = parameters;
            }
        }
    };
    follow_all(&mut (model.frame..run.len()));
    follow_all(&mut (0..model.frame).rev());
    fits
}

/// The model's three lowest resonances; `None` where one of them is none that a voice has. A sound with fewer leaves some of
/// the model's free to lie anywhere.
fn lowest(parameters: &DVector<f64>) -> Option<Formants> {
    let mut found: Vec<Resonance> = (0..RESONANCES)
        .map(|n| Resonance { hz: parameters[n].exp(), bandwidth_hz: parameters[RESONANCES + n].exp() })
        .collect();
    found.sort_by(|a, b| a.hz.total_cmp(&b.hz));
    let of_a_voice = |r: &Resonance| (LOWEST_HZ..HIGHEST_HZ).contains(&r.hz) && r.bandwidth_hz <= WIDEST_DAMPED_HZ;
    let lowest: Formants = std::array::from_fn(|n| found.get(n).copied().filter(of_a_voice));
    lowest.iter().all(Option::is_some).then_some(lowest)
}

/// The best model of all sources, from the formants that prediction heard.
fn search(harmonics: &Harmonics, frame: usize, heard: &Formants) -> Option<Model> {
    let [Some(first), Some(second), Some(third)] = heard.map(|formant| formant.map(|formant| formant.hz)) else {
        return None;
    };
    if harmonics.level_db.len() < LEAST_HARMONICS {
        return None;
    }
    let above: [f64; 2] = ABOVE_THIRD_HZ.map(|hz| third + hz);
    let raised: [f64; 2] = std::array::from_fn(|n| above[n].max(LOWEST_UPPER_HZ[n]));
    let uppers = [Some(above), (raised != above).then_some(raised)];
    let starts = uppers.into_iter().flatten().flat_map(|upper| Source::starts().map(move |start| (upper, start)));
    let mut fits: Vec<(Source, [f64; 2], Fit)> = starts
        .filter_map(|(upper, (source, start))| {
            let frequencies = [first, second, third].into_iter().chain(upper);
            let mut parameters: Vec<f64> = frequencies.chain(BANDWIDTHS_HZ).map(f64::ln).collect();
            parameters.push(0.0);
            parameters.extend(start);
            let upper = upper.map(f64::ln);
            let problem = Problem::new(harmonics, Term::Free(source), upper, parameters.into()).levelled();
            Some((source, upper, problem.solve(GLANCE)?))
        })
        .collect();
    fits.sort_by(|a, b| a.2.cost.total_cmp(&b.2.cost));
    fits.truncate(FINALISTS);
    let finals = fits.into_iter().filter_map(|(source, upper, Fit { parameters, .. })| {
        Some((source, Problem::new(harmonics, Term::Free(source), upper, parameters).solve(PATIENCE)?))
    });
    let (source, fit) = finals.min_by(|a, b| a.1.cost.total_cmp(&b.1.cost)).filter(|best| best.1.miss <= FIT)?;
    lowest(&fit.parameters)?;
    let own = &fit.parameters.as_slice()[GAIN + 1..];
    let source_db = (1..=MOST_HARMONICS).map(|number| source.level_db(own, number)).collect();
    Some(Model { frame, parameters: fit.parameters.rows(0, GAIN + 1).into_owned(), source_db })
}

/// The parameters of a neighbouring frame, moved to this one, and its formants; `None` where they do not fit.
fn follow(harmonics: &Harmonics, parameters: &DVector<f64>, source_db: &[f64]) -> Option<(DVector<f64>, Formants)> {
    if !(LEAST_HARMONICS..=source_db.len()).contains(&harmonics.level_db.len()) {
        return None;
    }
    let upper = [parameters[RESONANCES - 2], parameters[RESONANCES - 1]];
    let fit = Problem::new(harmonics, Term::Known(source_db), upper, parameters.clone()).solve(PATIENCE)?;
    let formants = lowest(&fit.parameters).filter(|_| fit.miss <= FIT)?;
    Some((fit.parameters, formants))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> Formants {
        [500.0, 1_500.0, 2_500.0].map(|hz| Some(Resonance { hz, bandwidth_hz: 80.0 }))
    }

    #[test]
    fn harmonics_that_no_model_has_change_nothing() {
        let uneven = |number: usize| Some(if number.is_multiple_of(2) { -20.0 } else { -50.0 });
        let too_few = Harmonics::new(600.0, |number| Some(-6.0 * number as f64));
        let mut formants = [heard(), [None; 3], heard()];
        let before = formants;
        let run = [Harmonics::new(120.0, uneven), Harmonics::new(120.0, |_| None), too_few];
        assert_eq!(fit_run(&run, &mut formants), [false; 3]);
        assert_eq!(formants, before);
        assert!(fit_run(&[], &mut []).is_empty());
    }

    #[test]
    fn what_is_found_is_a_voices_where_the_sound_has_no_resonance() {
        for slope in [0.0, -6.0, -12.0] {
            let saw = |number: usize| Some(slope * (number as f64).log2() - 20.0);
            let run: Vec<Harmonics> = (0..5).map(|_| Harmonics::new(150.0, saw)).collect();
            let mut formants = [heard(); 5];
            fit_run(&run, &mut formants);
            for formant in formants.iter().flatten().flatten() {
                assert!((LOWEST_HZ..HIGHEST_HZ).contains(&formant.hz), "{slope}: {formant:?}");
            }
        }
    }
}
