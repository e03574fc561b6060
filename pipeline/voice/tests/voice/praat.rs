//! Held to Praat on recordings of both (`reference/voice/*.praat.csv`); a peer, not the truth.

use hirenet_tests::shared;
use hirenet_voice::Llds;

use crate::spectral::measure;
use crate::support::read_wav;

const REAL: [&str; 3] = ["real_jfk", "real_librivox_a", "real_fleurs_fr_a"];
const OTHER: [&str; 3] = ["espeak_en_m", "espeak_fr_f_noise", "vowels_a"];

/// Share of frames that both call voiced or both unvoiced: worst recording, and all.
const VOICING_AGREEMENT: (f64, f64) = (0.90, 0.94);
/// Share of commonly voiced frames whose pitch is within 3 %: worst recording, and all.
const PITCH_AGREEMENT: (f64, f64) = (0.94, 0.97);
const PITCH_TOLERANCE: f64 = 0.03;
/// Median relative difference of F1, F2 and F3 on loud voiced frames.
const FORMANT_DIFFERENCES: [f64; 3] = [0.06, 0.06, 0.05];
/// Loud: this many dB below the loudest frame, or above.
const LOUD_DB: f64 = -20.0;
/// Factor between the recording's means of jitter and shimmer.
const PERTURBATION_RATIO: f64 = 1.35;
const HNR_CORRELATION: f64 = 0.9;
/// Praat's mark of a frame without a ratio.
const NO_HNR_DB: f64 = -200.0;
/// The constructed vowel with 2 % alternating jitter, which Praat hears an octave low, in seconds.
const OCTAVE_DOUBT_S: (f64, f64) = (5.0, 6.4);

/// One frame of both.
struct Row {
    time_s: f64,
    ours: Vec<f64>,
    /// `f0_hz, F1..F3, B1..B3, hnr_db`
    praat: Vec<f64>,
    level_db: f64,
}

impl Row {
    fn f0(&self) -> f64 {
        if self.ours[10] > 0.0 { 27.5 * (self.ours[10] / 12.0).exp2() } else { 0.0 }
    }

    fn both_voiced(&self) -> bool {
        self.ours[10] > 0.0 && self.praat[0] > 0.0
    }
}

fn rows(name: &str) -> Option<(Vec<Row>, Llds)> {
    let sound = shared(&format!("reference/voice/{name}.wav"))?;
    let table = std::fs::read_to_string(shared(&format!("reference/voice/{name}.praat.csv"))?).unwrap();
    let samples = read_wav(&sound);
    let llds = measure(&samples);
    let level = |k: usize| {
        let frame = &samples[(k * 160).saturating_sub(160)..(k * 160 + 160).min(samples.len())];
        let power = frame.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / frame.len() as f64;
        10.0 * power.max(1e-20).log10()
    };
    let rows = table.lines().skip(1).filter_map(|line| {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
        let k = (cells[0] * 100.0).round() as usize;
        (k < llds.valid.len()).then(|| Row {
            time_s: cells[0],
            ours: llds.values.row(k).iter().map(|v| f64::from(*v)).collect(),
            praat: cells[1..].to_vec(),
            level_db: level(k),
        })
    });
    Some((rows.collect(), llds))
}

fn share(rows: &[&Row], is: impl Fn(&Row) -> bool) -> (usize, usize) {
    (rows.iter().filter(|row| is(row)).count(), rows.len())
}

fn assert_shares(what: &str, bars: (f64, f64), shares: &[(&str, (usize, usize))]) {
    for (name, (hits, all)) in shares {
        let share = *hits as f64 / *all as f64;
        assert!(share >= bars.0, "{what}, {name}: {share}");
    }
    let (hits, all) = shares.iter().fold((0, 0), |sum, (_, share)| (sum.0 + share.0, sum.1 + share.1));
    assert!(hits as f64 / all as f64 >= bars.1, "{what}, all: {}", hits as f64 / all as f64);
}

#[test]
fn voicing_and_pitch_agree() {
    let (mut voicing, mut pitch) = (Vec::new(), Vec::new());
    for name in REAL.into_iter().chain(OTHER) {
        let Some((rows, _)) = rows(name) else { return };
        let all: Vec<&Row> = rows.iter().collect();
        voicing.push((name, share(&all, |row| (row.f0() > 0.0) == (row.praat[0] > 0.0))));
        let doubtful = |row: &Row| name == "vowels_a" && row.time_s > OCTAVE_DOUBT_S.0 && row.time_s < OCTAVE_DOUBT_S.1;
        let common: Vec<&Row> = rows.iter().filter(|row| row.both_voiced() && !doubtful(row)).collect();
        pitch.push((name, share(&common, |row| (row.f0() / row.praat[0] - 1.0).abs() <= PITCH_TOLERANCE)));
    }
    assert_shares("voicing", VOICING_AGREEMENT, &voicing);
    assert_shares("pitch", PITCH_AGREEMENT, &pitch);
}

#[test]
fn formants_of_real_speech_agree() {
    for name in REAL {
        let Some((rows, _)) = rows(name) else { return };
        let loudest = rows.iter().map(|row| row.level_db).fold(f64::NEG_INFINITY, f64::max);
        let loud: Vec<&Row> = rows.iter().filter(|row| row.both_voiced() && row.level_db > loudest + LOUD_DB).collect();
        for (n, bar) in FORMANT_DIFFERENCES.into_iter().enumerate() {
            let mut differences: Vec<f64> = loud
                .iter()
                .map(|row| (row.ours[16 + 3 * n], row.praat[1 + n]))
                .filter(|(ours, praat)| *ours > 0.0 && *praat > 0.0)
                .map(|(ours, praat)| (ours / praat - 1.0).abs())
                .collect();
            differences.sort_by(f64::total_cmp);
            let median = differences[differences.len() / 2];
            assert!(median <= bar, "{name}: F{} differs by {median}", n + 1);
            // A median over a few frames would say little.
            assert!(differences.len() * 10 >= loud.len() * 9, "{name}: F{} is missing too often", n + 1);
        }
    }
}

#[test]
fn jitter_and_shimmer_of_real_speech_agree() {
    for name in REAL {
        let Some((_, llds)) = rows(name) else { return };
        let Some(path) = shared(&format!("reference/voice/{name}.praat.json")) else { return };
        let text = std::fs::read_to_string(path).unwrap();
        for (column, key) in [(11, "\"jitter_local\": "), (12, "\"shimmer_local_db\": ")] {
            let rest = text.split(key).nth(1).unwrap();
            let praat: f64 = rest.split([',', '\n']).next().unwrap().trim().parse().unwrap();
            let values: Vec<f64> =
                llds.values.column(column).iter().filter(|v| **v > 0.0).map(|v| f64::from(*v)).collect();
            let ratio = values.iter().sum::<f64>() / values.len() as f64 / praat;
            assert!(ratio.max(1.0 / ratio) <= PERTURBATION_RATIO, "{name}, column {column}: ratio {ratio}");
        }
    }
}

#[test]
fn harmonics_to_noise_ratio_of_real_speech_correlates() {
    for name in REAL {
        let Some((rows, _)) = rows(name) else { return };
        let pairs: Vec<(f64, f64)> = rows
            .iter()
            .filter(|row| row.both_voiced() && row.praat[7] > NO_HNR_DB)
            .map(|row| (row.ours[13], row.praat[7]))
            .collect();
        let r = correlation(&pairs);
        assert!(r >= HNR_CORRELATION, "{name}: r = {r}");
    }
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (mx, my) = pairs.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        xy += (x - mx) * (y - my);
        xx += (x - mx).powi(2);
        yy += (y - my).powi(2);
    }
    xy / (xx * yy).sqrt()
}
