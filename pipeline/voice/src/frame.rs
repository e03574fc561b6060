//! Framing: every frame is centred on its time stamp, 10 ms times its index.

use hirenet_core::SAMPLE_RATE;

/// Samples from one frame to the next: 10 ms.
pub(crate) const HOP: usize = 160;
/// Sampling rate in Hz.
pub(crate) const RATE: f64 = SAMPLE_RATE as f64;
/// Seconds from one frame to the next.
pub(crate) const HOP_S: f64 = HOP as f64 / RATE;
/// Larger values are not sound: full scale is 1, and decoders overshoot it by a few dB at most.
const SOUND_LIMIT: f32 = 16.0;

/// Number of frames of a recording: one for each time stamp that lies inside it.
pub(crate) fn frame_count(samples: usize) -> usize {
    samples.div_ceil(HOP)
}

/// Copies `out.len()` samples from position `start` on (which may lie before the recording); zeros outside, and in
/// place of values that are not finite or far beyond full scale.
pub(crate) fn copy_samples(samples: &[f32], start: isize, out: &mut [f32]) {
    out.fill(0.0);
    let from = start.clamp(0, samples.len() as isize);
    let to = (start + out.len() as isize).clamp(from, samples.len() as isize);
    let inside = &samples[from as usize..to as usize];
    let offset = (from - start) as usize;
    if inside.is_empty() {
        return;
    }
    for (o, x) in out[offset..offset + inside.len()].iter_mut().zip(inside) {
        *o = if x.abs() <= SOUND_LIMIT { *x } else { 0.0 };
    }
}

/// Subtracts the mean.
pub(crate) fn remove_mean(frame: &mut [f32]) {
    let mean = (frame.iter().map(|x| f64::from(*x)).sum::<f64>() / frame.len().max(1) as f64) as f32;
    for x in frame {
        *x -= mean;
    }
}

/// Dot product in separate lanes, which the compiler keeps in vector registers.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    let mut lanes = [0.0_f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_reach_over_both_ends_with_zeros() {
        let samples = [1.0, 2.0, 3.0];
        let mut out = [9.0; 4];
        copy_samples(&samples, -2, &mut out);
        assert_eq!(out, [0.0, 0.0, 1.0, 2.0]);
        copy_samples(&samples, 2, &mut out);
        assert_eq!(out, [3.0, 0.0, 0.0, 0.0]);
        copy_samples(&samples, 7, &mut out);
        assert_eq!(out, [0.0; 4]);
        copy_samples(&samples, -9, &mut out);
        assert_eq!(out, [0.0; 4]);
    }

    #[test]
    fn what_is_no_sound_becomes_zero() {
        let mut out = [9.0; 4];
        copy_samples(&[f32::NAN, f32::INFINITY, 1e30, -0.5], 0, &mut out);
        assert_eq!(out, [0.0, 0.0, 0.0, -0.5]);
    }

    #[test]
    fn one_frame_a_time_stamp_inside_the_recording() {
        assert_eq!([0, 1, 160, 161, 16_000].map(frame_count), [0, 1, 1, 2, 100]);
    }
}
