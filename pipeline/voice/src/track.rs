use hirenet_core::{LLD_VOICED_FROM, SpeechProbability, Track, vocal_lld51, window_count, window_span, window_stats};
use ndarray::{Array2, s};

use crate::Llds;

/// The vocal track, schema `vocal/lld51/1`, `[T, 51]`: mean and standard deviation of each descriptor in each window of
/// the common clock, and the window's share of speech.
///
/// Frames that carry no sound are left out; columns that exist only in voiced frames are averaged over those. A window
/// without a frame that carries sound is not valid and all zeros. `speech_threshold` is the probability from which the
/// voice activity counts as speech.
#[must_use]
pub fn track(llds: &Llds, speech: &SpeechProbability, duration_s: f64, speech_threshold: f32) -> Track {
    let windows = window_count(duration_s);
    let columns = llds.values.ncols();
    let stats = window_stats(windows, &llds.times_s, &llds.values, |row, column| {
        llds.valid[row] && (column < LLD_VOICED_FROM || llds.values[[row, column]] != 0.0)
    });
    let schema = vocal_lld51();
    let mut values = Array2::zeros((windows, schema.dim()));
    values.slice_mut(s![.., ..columns]).assign(&stats.mean);
    values.slice_mut(s![.., columns..2 * columns]).assign(&stats.std);
    // Column 0 counts every frame that carries sound.
    let valid: Vec<bool> = stats.count.column(0).iter().map(|count| *count > 0).collect();
    for (k, valid) in valid.iter().enumerate() {
        if *valid {
            let (start, end) = window_span(k);
            values[[k, 2 * columns]] = speech.share(start, end, speech_threshold);
        }
    }
    Track { schema, values, valid }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::LLD_COLUMNS;

    #[test]
    fn voiced_columns_skip_unvoiced_frames_and_silent_windows_are_not_valid() {
        let frames = 100;
        let mut values = Array2::ones((frames, LLD_COLUMNS.len()));
        for k in (0..frames).step_by(2) {
            values[[k, LLD_VOICED_FROM]] = 0.0;
            values[[k, 0]] = 3.0;
        }
        let times_s = (0..frames).map(|k| k as f64 * 0.01).collect();
        let valid = (0..frames).map(|k| k < 50).collect();
        let llds = Llds { times_s, values, valid };
        let speech = SpeechProbability { hop_s: 0.25, values: vec![0.9, 0.1, 0.9, 0.9] };
        let track = track(&llds, &speech, 1.0, 0.5);
        assert_eq!(track.valid, [true, true, false]);
        assert_eq!(track.values[[0, 0]], 2.0);
        assert_eq!(track.values[[0, 25]], 1.0);
        assert_eq!(track.values[[0, LLD_VOICED_FROM]], 1.0);
        assert_eq!(track.values[[0, 25 + LLD_VOICED_FROM]], 0.0);
        assert_eq!(track.values[[0, 50]], 0.5);
        assert!(track.values.row(2).iter().all(|v| *v == 0.0));
    }
}
