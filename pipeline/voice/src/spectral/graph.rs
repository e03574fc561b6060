//! The graph: blocks of 160 samples in, the ten spectral columns out.
//!
//! It computes in `f64`: beside a strong harmonic, the quiet bins that slopes hang on are lost in the rounding of `f32`.

use hirenet_onnx::graph::{Attr, Dim, Element, Graph, Value};

use super::SPECTRAL_COLUMNS;
use super::constants::{
    BANDS, BINS, CEPSTRA, alpha_bands, bin_at, cepstral_transform, equal_loudness, half_transforms, mel_bank,
    slope_weights,
};
use crate::frame::HOP;

/// Name of the input: `[frames + 2, 160]`, consecutive blocks of samples. The first frame of the result lies on blocks
/// 1 and 2.
pub(crate) const INPUT: &str = "blocks";
/// Name of the output: `[frames, 10]`.
pub(crate) const OUTPUT: &str = "columns";

/// Least power of a bin or band, which keeps logarithms finite in digital silence.
const POWER_FLOOR: f64 = 1e-14;
/// Cepstra count in steps of 16-bit samples, as the field does; one step is the floor.
const INT16_POWER: f64 = 32767.0 * 32767.0;
/// Stevens' power law of loudness, rounded as in the published set.
const LOUDNESS_EXPONENT: f64 = 0.33;
const DB_PER_NEPER: f64 = 10.0 / std::f64::consts::LN_10;

/// Builds the graph. Definitions: Eyben et al. 2016 (eGeMAPS), with the bands of `constants`.
pub(crate) fn front_end() -> Graph {
    let mut g = Graph::new("voice_spectral");
    let blocks = g.input(INPUT, Element::F32, &[Dim::Named("frames_and_2"), Dim::Fixed(HOP as i64)]);
    let exact = g.op("Cast", &[&blocks], &[("to", Attr::Int(Element::F64.code().into()))]);
    let power = power_spectrum(&mut g, &exact);
    let flux = flux(&mut g, &power);
    // The first frame serves the flux alone.
    let power = slice(&mut g, &power, 0, 1, i64::MAX, 1);
    let (loudness, cepstra) = auditory(&mut g, &power);
    let alpha = alpha_ratio(&mut g, &power);
    let level = {
        let low = slice(&mut g, &power, 1, 0, bin_at(5000.0) as i64 + 1, 1);
        decibel(&mut g, &low)
    };
    let hammarberg = hammarberg_index(&mut g, &level);
    let slopes = {
        let rows = bin_at(1500.0) as i64 + 1;
        let low = slice(&mut g, &level, 1, 0, rows, 1);
        let weights = g.constant_f64(&[rows, 2], &slope_weights());
        g.op("MatMul", &[&low, &weights], &[])
    };
    let columns =
        g.op("Concat", &[&loudness, &alpha, &hammarberg, &slopes, &flux, &cepstra], &[("axis", Attr::Int(1))]);
    let columns = g.op("Cast", &[&columns], &[("to", Attr::Int(Element::F32.code().into()))]);
    g.output(OUTPUT, &columns, Element::F32, &[Dim::Named("frames"), Dim::Fixed(SPECTRAL_COLUMNS as i64)]);
    g
}

/// `[n, 160]` blocks to `[n - 1, 257]` power spectra of the frames that two adjacent blocks make.
fn power_spectrum(g: &mut Graph, blocks: &Value) -> Value {
    let shape = [HOP as i64, BINS as i64];
    let (cosines, sines) = half_transforms();
    let early = slice(g, blocks, 0, 0, -1, 1);
    let late = slice(g, blocks, 0, 1, i64::MAX, 1);
    let mirrored = slice(g, &late, 1, -1, i64::MIN, -1);
    let even = g.op("Add", &[&early, &mirrored], &[]);
    let odd = g.op("Sub", &[&early, &mirrored], &[]);
    let cosines = g.constant_f64(&shape, &cosines);
    let sines = g.constant_f64(&shape, &sines);
    let real = g.op("MatMul", &[&even, &cosines], &[]);
    let imaginary = g.op("MatMul", &[&odd, &sines], &[]);
    let real = g.op("Mul", &[&real, &real], &[]);
    let imaginary = g.op("Mul", &[&imaginary, &imaginary], &[]);
    g.op("Add", &[&real, &imaginary], &[])
}

/// Root mean square of the change of the magnitudes from 0 to 5 kHz, `[n - 1, 1]`.
fn flux(g: &mut Graph, power: &Value) -> Value {
    let low = slice(g, power, 1, 0, bin_at(5000.0) as i64 + 1, 1);
    let magnitude = g.op("Sqrt", &[&low], &[]);
    let before = slice(g, &magnitude, 0, 0, -1, 1);
    let now = slice(g, &magnitude, 0, 1, i64::MAX, 1);
    let change = g.op("Sub", &[&now, &before], &[]);
    let squared = g.op("Mul", &[&change, &change], &[]);
    let mean = g.op("ReduceMean", &[&squared], &[("axes", Attr::Ints(&[1])), ("keepdims", Attr::Int(1))]);
    g.op("Sqrt", &[&mean], &[])
}

/// Loudness `[n, 1]` and mel-frequency cepstral coefficients `[n, 4]`.
fn auditory(g: &mut Graph, power: &Value) -> (Value, Value) {
    let bands = BANDS as i64;
    let bank = g.constant_f64(&[BINS as i64, bands], &mel_bank());
    let mel = g.op("MatMul", &[power, &bank], &[]);

    let curve = g.constant_f64(&[bands], &equal_loudness());
    let exponent = g.constant_f64(&[], &[LOUDNESS_EXPONENT]);
    let weighted = g.op("Mul", &[&mel, &curve], &[]);
    let compressed = g.op("Pow", &[&weighted, &exponent], &[]);
    let loudness = g.op("ReduceMean", &[&compressed], &[("axes", Attr::Ints(&[1])), ("keepdims", Attr::Int(1))]);

    let scale = g.constant_f64(&[], &[INT16_POWER]);
    let one = g.constant_f64(&[], &[1.0]);
    let scaled = g.op("Mul", &[&mel, &scale], &[]);
    let floored = g.op("Max", &[&scaled, &one], &[]);
    let log = g.op("Log", &[&floored], &[]);
    let transform = g.constant_f64(&[bands, CEPSTRA as i64], &cepstral_transform());
    let cepstra = g.op("MatMul", &[&log, &transform], &[]);
    (loudness, cepstra)
}

/// Energy of 1 to 5 kHz over energy of 50 Hz to 1 kHz in dB, `[n, 1]`.
fn alpha_ratio(g: &mut Graph, power: &Value) -> Value {
    let selection = g.constant_f64(&[BINS as i64, 2], &alpha_bands());
    let energies = g.op("MatMul", &[power, &selection], &[]);
    let level = decibel(g, &energies);
    let difference = g.constant_f64(&[2, 1], &[-1.0, 1.0]);
    g.op("MatMul", &[&level, &difference], &[])
}

/// Highest level of 0 to 2 kHz minus highest level of 2 to 5 kHz in dB, `[n, 1]`.
fn hammarberg_index(g: &mut Graph, level: &Value) -> Value {
    let edge = bin_at(2000.0) as i64;
    let low = slice(g, level, 1, 0, edge, 1);
    let high = slice(g, level, 1, edge, i64::MAX, 1);
    let [low, high] =
        [low, high].map(|band| g.op("ReduceMax", &[&band], &[("axes", Attr::Ints(&[1])), ("keepdims", Attr::Int(1))]));
    g.op("Sub", &[&low, &high], &[])
}

/// Level in dB over [`POWER_FLOOR`]: 0 in silence, so that sums of weights that cancel are 0 too.
fn decibel(g: &mut Graph, power: &Value) -> Value {
    let scale = g.constant_f64(&[], &[1.0 / POWER_FLOOR]);
    let one = g.constant_f64(&[], &[1.0]);
    let factor = g.constant_f64(&[], &[DB_PER_NEPER]);
    let scaled = g.op("Mul", &[power, &scale], &[]);
    let floored = g.op("Max", &[&scaled, &one], &[]);
    let log = g.op("Log", &[&floored], &[]);
    g.op("Mul", &[&log, &factor], &[])
}

fn slice(g: &mut Graph, value: &Value, axis: i64, start: i64, end: i64, step: i64) -> Value {
    let [start, end, axis, step] = [start, end, axis, step].map(|n| g.constant_i64(&[1], &[n]));
    g.op("Slice", &[value, &start, &end, &axis, &step], &[])
}
