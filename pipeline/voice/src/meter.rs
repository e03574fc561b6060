use hirenet_core::LLD_COLUMNS;
use hirenet_onnx::Runtime;
use ndarray::{Array2, s};

use crate::formant::{Correction, FormantFinder, Formants, HarmonicModel, Harmonics, Resonance, assign, fit_run};
use crate::frame::{HOP, HOP_S, copy_samples, frame_count, remove_mean};
use crate::harmonic::{HarmonicLevels, HarmonicMeter, Window};
use crate::hnr::HnrMeter;
use crate::period::{CycleFinder, Perturbation, perturbation};
use crate::pitch::PitchTracker;
use crate::smooth::{sma3, sma3nz};
use crate::spectral::{SPECTRAL_COLUMNS, Spectral};
use crate::{VoiceError, VoiceSettings};

/// Semitones count from this note, A0.
const SEMITONE_REFERENCE_HZ: f64 = 27.5;

/// The low-level descriptors of one recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Llds {
    /// `[N]`: time stamp of each frame in seconds, 10 ms apart from 0 on; a frame is centred on it.
    pub times_s: Vec<f64>,
    /// `[N, 25]`: columns and units as in [`LLD_COLUMNS`]. Always finite. From column
    /// [`hirenet_core::LLD_VOICED_FROM`] on, 0 means unvoiced or missing.
    pub values: Array2<f32>,
    /// `[N]`: true where the frame carries sound: its level, without its mean, is above the silence floor.
    pub valid: Vec<bool>,
}

/// Measures the 25 low-level descriptors of eGeMAPS (Eyben et al. 2016) every 10 ms.
#[derive(Debug)]
pub struct VoiceMeter {
    spectral: Spectral,
    pitch: PitchTracker,
    formants: FormantFinder,
    cycles: CycleFinder,
    hnr: HnrMeter,
    harmonics: HarmonicMeter,
    harmonic_model: HarmonicModel,
    silence_power: f64,
}

impl VoiceMeter {
    /// Opens the spectral graph on the runtime's device and prepares windows and tables.
    ///
    /// # Errors
    /// [`VoiceError::Settings`] where a setting is out of range, [`VoiceError::Graph`] where the runtime refuses the
    /// graph.
    pub fn new(runtime: &Runtime, settings: &VoiceSettings) -> Result<Self, VoiceError> {
        settings.check()?;
        Ok(VoiceMeter {
            spectral: Spectral::open(runtime)?,
            pitch: PitchTracker::new(settings),
            formants: FormantFinder::new(),
            cycles: CycleFinder::new(),
            hnr: HnrMeter::new(),
            harmonics: HarmonicMeter::new(),
            harmonic_model: HarmonicModel::default(),
            silence_power: 10_f64.powf(f64::from(settings.silence_floor_dbfs) / 10.0),
        })
    }

    /// Measures a recording of 16 kHz mono samples in -1..1. Values that are not finite count as silence.
    ///
    /// # Errors
    /// [`VoiceError::Graph`] where the spectral graph fails to run.
    pub fn measure(&mut self, samples: &[f32]) -> Result<Llds, VoiceError> {
        let frames = frame_count(samples.len());
        let mut values = Array2::zeros((frames, LLD_COLUMNS.len()));
        self.spectral.measure(samples, values.slice_mut(s![.., ..SPECTRAL_COLUMNS]))?;
        let valid = self.audible(samples);
        let f0_hz = self.pitch.track(samples, &valid);
        for (first, run) in voiced_runs(&f0_hz) {
            self.measure_run(samples, first, run, &mut values);
        }
        for column in 0..values.ncols() {
            let column_values = values.column_mut(column);
            if column < SPECTRAL_COLUMNS { sma3(column_values) } else { sma3nz(column_values) }
        }
        let times_s = (0..frames).map(|k| k as f64 * HOP_S).collect();
        Ok(Llds { times_s, values, valid })
    }

    /// Whether each frame's level, without its mean, is above the silence floor.
    fn audible(&self, samples: &[f32]) -> Vec<bool> {
        let mut frame = [0.0_f32; 2 * HOP];
        (0..frame_count(samples.len()))
            .map(|k| {
                copy_samples(samples, (k as isize - 1) * HOP as isize, &mut frame);
                remove_mean(&mut frame);
                let energy: f64 = frame.iter().map(|x| f64::from(*x).powi(2)).sum();
                energy / frame.len() as f64 > self.silence_power
            })
            .collect()
    }

    /// Fills the voiced columns of the frames `first..first + f0_hz.len()`.
    fn measure_run(&mut self, samples: &[f32], first: usize, f0_hz: &[f32], values: &mut Array2<f32>) {
        self.formants.restart();
        let resonances: Vec<Vec<Resonance>> = (first..first + f0_hz.len())
            .map(|frame| {
                let mut found = Vec::new();
                self.formants.find(samples, frame, &mut found);
                found
            })
            .collect();
        let mut formants = assign(&resonances);
        let cycles = self.cycles.find(samples, first, f0_hz);
        let modelled = if cycles.is_deterministic {
            self.model_run(samples, first, f0_hz, &mut formants)
        } else {
            vec![false; f0_hz.len()]
        };
        let correction = if cycles.is_deterministic { Correction::MADE } else { Correction::SPOKEN };
        for (offset, (f0, formants)) in f0_hz.iter().zip(&mut formants).enumerate() {
            let (frame, f0_hz) = (first + offset, f64::from(*f0));
            self.harmonics.listen(samples, frame, Window::Gaussian);
            if !modelled[offset] {
                let level = |number| self.harmonics.harmonic_level(f0_hz, number);
                self.harmonic_model.correct(f0_hz, level, correction, formants);
            }
            let voiced = VoicedFrame {
                f0_hz,
                perturbation: perturbation(&cycles, frame),
                hnr_db: self.hnr.measure(samples, frame),
                levels: self.harmonics.levels(f0_hz, formants),
                formants,
            };
            for (value, voiced) in values.row_mut(frame).iter_mut().skip(SPECTRAL_COLUMNS).zip(voiced.columns()) {
                *value = voiced as f32;
            }
        }
    }

    /// Moves the formants of a made sound to those of the model of its source and resonances; which frames have one.
    fn model_run(&mut self, samples: &[f32], first: usize, f0_hz: &[f32], formants: &mut [Formants]) -> Vec<bool> {
        let harmonics: Vec<Harmonics> = (first..)
            .zip(f0_hz)
            .map(|(frame, f0_hz)| {
                self.harmonics.listen(samples, frame, Window::Blackman);
                let f0_hz = f64::from(*f0_hz);
                Harmonics::new(f0_hz, |number| self.harmonics.harmonic_level(f0_hz, number))
            })
            .collect();
        fit_run(&harmonics, formants)
    }
}

/// What is measured in a voiced frame.
#[derive(Debug)]
struct VoicedFrame<'a> {
    f0_hz: f64,
    perturbation: Perturbation,
    hnr_db: f64,
    levels: HarmonicLevels,
    formants: &'a Formants,
}

impl VoicedFrame<'_> {
    /// Columns 11 to 25; 0 where missing.
    fn columns(&self) -> [f64; 15] {
        let mut row = [0.0; 15];
        row[0] = 12.0 * (self.f0_hz / SEMITONE_REFERENCE_HZ).log2();
        row[1] = self.perturbation.jitter.unwrap_or(0.0);
        row[2] = self.perturbation.shimmer_db.unwrap_or(0.0);
        row[3] = self.hnr_db;
        row[4] = self.levels.h1_over_h2.unwrap_or(0.0);
        row[5] = self.levels.h1_over_a3.unwrap_or(0.0);
        for (n, formant) in self.formants.iter().enumerate() {
            if let Some(formant) = formant {
                row[6 + 3 * n] = formant.hz;
                row[7 + 3 * n] = formant.bandwidth_hz;
                row[8 + 3 * n] = self.levels.formant_over_h1[n].unwrap_or(0.0);
            }
        }
        row
    }
}

/// The maximal runs of voiced frames: index of the first, and the pitch of each.
fn voiced_runs(f0_hz: &[f32]) -> impl Iterator<Item = (usize, &[f32])> {
    let mut first = 0;
    f0_hz
        .chunk_by(|a, b| (*a > 0.0) == (*b > 0.0))
        .map(move |run| {
            first += run.len();
            (first - run.len(), run)
        })
        .filter(|(_, run)| run[0] > 0.0)
}
