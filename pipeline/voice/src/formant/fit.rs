//! The fit of a source and resonances in cascade to the levels of one frame's harmonics.

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

use super::pole::Pole;
use super::source::Source;
use super::{FORMANTS, HIGHEST_HZ};

/// Resonances of the model: those below the highest harmonic that is looked at.
pub(super) const RESONANCES: usize = 5;
/// Parameters without the source's: the natural logarithms of the resonances' frequencies and of their bandwidths in Hz, and the
/// gain in dB.
pub(super) const GAIN: usize = 2 * RESONANCES;
/// Typical bandwidths in Hz (J. L. Flanagan 1972), and how far others lie from them (natural logarithm).
pub(super) const BANDWIDTHS_HZ: [f64; RESONANCES] = [70.0, 100.0, 150.0, 220.0, 300.0];
const BANDWIDTH_SPREAD: f64 = 0.5;
/// How far the fourth and fifth resonance lie from where they are expected (natural logarithm).
const UPPER_SPREAD: f64 = 0.2;
/// How exactly a level is known in dB: the peak of a harmonic is read to 0.2 dB, and the model is no better than this.
const LEVEL_SPREAD_DB: f64 = 0.4;
/// From here on the harmonics meet what the model leaves out above it...
const EDGE_HZ: f64 = 4_500.0;
/// ...and are known so exactly.
const EDGE_SPREAD_DB: f64 = 1.5;
/// This far below the highest harmonic the window's side lobes reach its level.
const RANGE_DB: f64 = 70.0;
/// Relative change at which a search ends.
const TOLERANCE: f64 = 1e-4;

/// Levels of a frame's harmonics in dB, from the first on.
#[derive(Debug)]
pub(crate) struct Harmonics {
    f0_hz: f64,
    pub(super) level_db: Vec<f64>,
}

impl Harmonics {
    /// `level_db` is the level of the harmonic of a number, `None` beyond the spectrum.
    pub(crate) fn new(f0_hz: f64, level_db: impl Fn(usize) -> Option<f64>) -> Self {
        Harmonics { f0_hz, level_db: (1..=(HIGHEST_HZ / f0_hz) as usize).map_while(level_db).collect() }
    }

    fn spreads_db(&self) -> Vec<f64> {
        let floor = self.level_db.iter().copied().fold(f64::NEG_INFINITY, f64::max) - RANGE_DB;
        let spread = |(level, number): (&f64, usize)| {
            let spread = if number as f64 * self.f0_hz > EDGE_HZ { EDGE_SPREAD_DB } else { LEVEL_SPREAD_DB };
            spread * (1.0 + 10.0_f64.powf((floor - level) / 20.0))
        };
        self.level_db.iter().zip(1..).map(spread).collect()
    }
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Fit {
    /// Half the sum of squares.
    pub(super) cost: f64,
    /// Root mean square of the misses, as shares of their spread.
    pub(super) miss: f64,
    pub(super) parameters: DVector<f64>,
}

/// The source in a search.
#[derive(Clone, Copy)]
pub(super) enum Term<'a> {
    /// Searched for as well: its parameters follow the others.
    Free(Source),
    /// Known: the level of each harmonic.
    Known(&'a [f64]),
}

/// The search for the parameters under which the model has the harmonics' levels: the squares of its misses as shares of
/// their spread, and of the distances from what is typical, become least.
pub(super) struct Problem<'a> {
    harmonics: &'a Harmonics,
    spread_db: Vec<f64>,
    source: Term<'a>,
    /// Index of a parameter of which it is known what is typical, what is, and the spread.
    typical: Vec<(usize, f64, f64)>,
    parameters: DVector<f64>,
}

impl<'a> Problem<'a> {
    /// `upper` are the natural logarithms of the frequencies near which the fourth and fifth resonance are looked for.
    pub(super) fn new(harmonics: &'a Harmonics, source: Term<'a>, upper: [f64; 2], parameters: DVector<f64>) -> Self {
        let bandwidths = (0..RESONANCES).map(|n| (RESONANCES + n, BANDWIDTHS_HZ[n].ln(), BANDWIDTH_SPREAD));
        let upper = upper.into_iter().enumerate().map(|(n, at)| (FORMANTS + n, at, UPPER_SPREAD));
        let mut typical: Vec<_> = bandwidths.chain(upper).collect();
        if let Term::Free(source) = source {
            typical.extend(source.typical().iter().enumerate().map(|(n, (at, spread))| (GAIN + 1 + n, *at, *spread)));
        }
        Problem { spread_db: harmonics.spreads_db(), harmonics, source, typical, parameters }
    }

    /// Searches, for so many evaluations times the parameters at most; `None` where the search fails.
    pub(super) fn solve(self, patience: usize) -> Option<Fit> {
        let search = LevenbergMarquardt::new()
            .with_ftol(TOLERANCE)
            .with_xtol(TOLERANCE)
            .with_gtol(TOLERANCE)
            .with_patience(patience);
        let (problem, report) = search.minimize(self);
        let squares: f64 =
            problem.misses_db().zip(&problem.spread_db).map(|(miss, spread)| (miss / spread).powi(2)).sum();
        let miss = (squares / problem.spread_db.len() as f64).sqrt();
        let cost = report.objective_function;
        (cost.is_finite() && miss.is_finite()).then_some(Fit { cost, miss, parameters: problem.parameters })
    }

    /// The same with the gain that leaves no mean miss.
    pub(super) fn levelled(mut self) -> Self {
        self.parameters[GAIN] -= self.misses_db().sum::<f64>() / self.spread_db.len() as f64;
        self
    }

    /// What the model has above each harmonic, in dB.
    fn misses_db(&self) -> impl Iterator<Item = f64> {
        let poles = self.poles();
        let gain_db = self.parameters[GAIN];
        self.harmonics.level_db.iter().enumerate().map(move |(index, level)| {
            let hz = (index + 1) as f64 * self.harmonics.f0_hz;
            let power: f64 = poles.iter().map(|pole| pole.power(hz)).product();
            let source_db = match self.source {
                Term::Free(source) => source.level_db(self.own(), index + 1),
                Term::Known(levels) => levels[index],
            };
            10.0 * power.log10() + source_db + gain_db - level
        })
    }

    fn poles(&self) -> [Pole; RESONANCES] {
        std::array::from_fn(|n| Pole::new(self.parameters[n].exp(), self.parameters[RESONANCES + n].exp()))
    }

    /// The source's own parameters.
    fn own(&self) -> &[f64] {
        &self.parameters.as_slice()[GAIN + 1..]
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, parameters: &DVector<f64>) {
        self.parameters.copy_from(parameters);
    }

    fn params(&self) -> DVector<f64> {
        self.parameters.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        let misses = self.misses_db().zip(&self.spread_db).map(|(miss, spread)| miss / spread);
        let distances = self.typical.iter().map(|(index, at, spread)| (self.parameters[*index] - at) / spread);
        Some(DVector::from_iterator(self.spread_db.len() + self.typical.len(), misses.chain(distances)))
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let harmonics = self.spread_db.len();
        let mut slopes = DMatrix::zeros(harmonics + self.typical.len(), self.parameters.len());
        let poles = self.poles();
        for (row, spread) in self.spread_db.iter().enumerate() {
            for (n, pole) in poles.iter().enumerate() {
                let [hz, bandwidth] = pole.slopes_db((row + 1) as f64 * self.harmonics.f0_hz);
                slopes[(row, n)] = hz / spread;
                slopes[(row, RESONANCES + n)] = bandwidth / spread;
            }
            slopes[(row, GAIN)] = 1.0 / spread;
            if let Term::Free(source) = self.source {
                for (n, slope) in source.slopes_db(self.own(), row + 1).enumerate() {
                    slopes[(row, GAIN + 1 + n)] = slope / spread;
                }
            }
        }
        for (row, (index, _, spread)) in self.typical.iter().enumerate() {
            slopes[(harmonics + row, *index)] = 1.0 / spread;
        }
        Some(slopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A high voice whose first formant lies between its first two harmonics.
    const F0_HZ: f64 = 180.0;
    const RESONANCES_HZ: [f64; RESONANCES] = [310.0, 2_790.0, 3_310.0, 4_200.0, 5_000.0];
    const PULSE: [f64; 2] = [0.4, 0.16];

    fn parameters(frequencies_hz: [f64; RESONANCES], pulse: [f64; 2]) -> DVector<f64> {
        let mut parameters: Vec<f64> = frequencies_hz.into_iter().chain(BANDWIDTHS_HZ).map(f64::ln).collect();
        parameters.push(-20.0);
        parameters.extend(pulse);
        parameters.into()
    }

    fn problem(harmonics: &Harmonics, parameters: DVector<f64>) -> Problem<'_> {
        let upper = [RESONANCES_HZ[3], RESONANCES_HZ[4]].map(f64::ln);
        Problem::new(harmonics, Term::Free(Source::Cosine), upper, parameters)
    }

    /// The harmonics that the model itself has.
    fn made() -> Harmonics {
        let silent = Harmonics::new(F0_HZ, |_| Some(0.0));
        let level_db = problem(&silent, parameters(RESONANCES_HZ, PULSE)).misses_db().collect();
        Harmonics { f0_hz: F0_HZ, level_db }
    }

    #[test]
    fn what_a_sound_is_made_of_is_found() {
        let harmonics = made();
        let start = parameters([340.0, 2_750.0, 3_350.0, 4_300.0, 5_100.0], [0.42, 0.14]);
        let fit = problem(&harmonics, start).levelled().solve(20).unwrap();
        assert!(fit.miss < 0.1, "{fit:?}");
        for (found, truth) in fit.parameters.iter().zip(&RESONANCES_HZ[..FORMANTS]) {
            assert!((found.exp() / truth - 1.0).abs() < 0.01, "{} Hz instead of {truth}", found.exp());
        }
        assert!((fit.parameters[GAIN + 1] - PULSE[0]).abs() < 0.02, "{fit:?}");
    }

    #[test]
    fn slopes_are_those_of_the_misses() {
        let harmonics = Harmonics::new(F0_HZ, |number| Some(-3.0 * number as f64));
        let here = parameters(RESONANCES_HZ, PULSE);
        let slopes = problem(&harmonics, here.clone()).jacobian().unwrap();
        let step = 1e-5;
        for n in 0..here.len() {
            let moved = |by: f64| {
                let mut parameters = here.clone();
                parameters[n] += by;
                problem(&harmonics, parameters).residuals().unwrap()
            };
            let numeric = (moved(step) - moved(-step)) / (2.0 * step);
            let off = (slopes.column(n) - &numeric).amax();
            assert!(off < 1e-3 * numeric.amax().max(1.0), "parameter {n}: {off}");
        }
    }
}
