//! Additive attention over ragged sequences as one operator.
//!
//! ```text
//! e_t = u . tanh(p_t + c_s)      alpha = softmax(e) inside each sequence s      pooled_s = sum_t alpha_t h_t
//! ```
//! where `p = W_h h + b` comes from the states and `c = W_c context` from the question or the title.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::Ragged;
use super::activation::{exp, tanh};
use super::host::{slice, with_slice};

/// Pooled states `[S, H]` (zeros for an empty sequence) and the weight of each row `[R]`, of states `h` `[R, H]`, their
/// projection `p` `[R, N]`, and `contexts` `[S + 1, N]`: the projected context of each sequence, then the query `u`.
///
/// # Errors
/// Those of the device, and of shapes that do not fit.
pub fn attend(h: &Tensor, p: &Tensor, contexts: &Tensor, rows: &Ragged) -> Result<(Tensor, Vec<f32>)> {
    if !h.device().is_cpu() {
        #[cfg(feature = "cuda")]
        if h.device().is_cuda() && !rows.is_empty() {
            return super::device::attend(h, p, contexts, rows);
        }
        return super::composed::attend(h, p, contexts, rows);
    }
    let ((count, width), (p_rows, units)) = (h.dims2()?, p.dims2()?);
    if count != rows.rows() || p_rows != count || contexts.dims2()? != (rows.sequences() + 1, units) {
        bail!("attend: {:?}, {:?}, {:?} over {} rows", h.shape(), p.shape(), contexts.shape(), rows.rows());
    }
    let saved = Arc::new(Mutex::new(Saved::default()));
    let op = AttendOp { rows: rows.clone(), width, units, saved: saved.clone() };
    let pooled = h.contiguous()?.apply_op3(&p.contiguous()?, &contexts.contiguous()?, op)?;
    let weights = saved.lock().unwrap_or_else(PoisonError::into_inner).weights.clone();
    Ok((pooled, weights))
}

#[derive(Default)]
struct Saved {
    /// `tanh(p + c)`, `[R, N]`.
    hidden: Vec<f32>,
    /// `alpha`, `[R]`.
    weights: Vec<f32>,
}

struct AttendOp {
    rows: Ragged,
    width: usize,
    units: usize,
    saved: Arc<Mutex<Saved>>,
}

/// Softmax in place.
pub(crate) fn softmax(scores: &mut [f32]) {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for e in scores.iter_mut() {
        *e = exp(*e - top);
    }
    let sum: f32 = scores.iter().sum();
    for e in scores.iter_mut() {
        *e /= sum;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `sums += factor values`
fn add_scaled(sums: &mut [f32], factor: f32, values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
}

impl AttendOp {
    fn forward(&self, h: &[f32], p: &[f32], contexts: &[f32]) -> Vec<f32> {
        let (n, d) = (self.units, self.width);
        let query = &contexts[self.rows.sequences() * n..];
        let mut hidden = vec![0.0; p.len()];
        let mut weights = vec![0.0; self.rows.rows()];
        let pooled: Vec<Vec<f32>> = self
            .rows
            .blocks()
            .into_par_iter()
            .zip(self.rows.split_mut(&mut hidden, n))
            .zip(self.rows.split_mut(&mut weights, 1))
            .map(|((block, hidden), weights)| {
                let first = self.rows.rows_of(&block).start;
                let mut pooled = vec![0.0; block.len() * d];
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        for (place, sequence) in block.clone().enumerate() {
                            let (start, length) = (self.rows.start(sequence), self.rows.len(sequence));
                            let context = &contexts[sequence * n..][..n];
                            let weights = &mut weights[start - first..][..length];
                            for (t, weight) in weights.iter_mut().enumerate() {
                                let p = &p[(start + t) * n..][..n];
                                let hidden = &mut hidden[(start - first + t) * n..][..n];
                                for i in 0..n {
                                    hidden[i] = tanh(p[i] + context[i]);
                                }
                                *weight = dot(hidden, query);
                            }
                            softmax(weights);
                            for (t, weight) in weights.iter().enumerate() {
                                add_scaled(&mut pooled[place * d..][..d], *weight, &h[(start + t) * d..][..d]);
                            }
                        }
                    },
                );
                pooled
            })
            .collect();
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Saved { hidden, weights };
        pooled.concat()
    }

    /// Gradients of the states, their projection, and the contexts with the query.
    fn backward(&self, h: &[f32], query: &[f32], dpooled: &[f32]) -> [Vec<f32>; 3] {
        let (n, d) = (self.units, self.width);
        let saved = std::mem::take(&mut *self.saved.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut dh, mut dp) = (vec![0.0; h.len()], vec![0.0; saved.hidden.len()]);
        let parts: Vec<(Vec<f32>, Vec<f32>)> = self
            .rows
            .blocks()
            .into_par_iter()
            .zip(self.rows.split_mut(&mut dh, d))
            .zip(self.rows.split_mut(&mut dp, n))
            .map(|((block, dh), dp)| {
                let first = self.rows.rows_of(&block).start;
                let (mut dcontexts, mut dquery) = (vec![0.0; block.len() * n], vec![0.0; n]);
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        for (place, sequence) in block.clone().enumerate() {
                            let (start, length) = (self.rows.start(sequence), self.rows.len(sequence));
                            let dpooled = &dpooled[sequence * d..][..d];
                            let weights = &saved.weights[start..][..length];
                            let dweights: Vec<f32> =
                                (0..length).map(|t| dot(dpooled, &h[(start + t) * d..][..d])).collect();
                            let mean = dot(weights, &dweights);
                            for t in 0..length {
                                let local = start - first + t;
                                add_scaled(&mut dh[local * d..][..d], weights[t], dpooled);
                                let descore = weights[t] * (dweights[t] - mean);
                                let hidden = &saved.hidden[(start + t) * n..][..n];
                                let dp = &mut dp[local * n..][..n];
                                let dcontext = &mut dcontexts[place * n..][..n];
                                for i in 0..n {
                                    dp[i] = descore * query[i] * (1.0 - hidden[i] * hidden[i]);
                                    dcontext[i] += dp[i];
                                    dquery[i] += descore * hidden[i];
                                }
                            }
                        }
                    },
                );
                (dcontexts, dquery)
            })
            .collect();
        let mut dcontexts = Vec::with_capacity((self.rows.sequences() + 1) * n);
        let mut dquery = vec![0.0; n];
        for (part, query) in parts {
            dcontexts.extend(part);
            add_scaled(&mut dquery, 1.0, &query);
        }
        dcontexts.extend(dquery);
        [dh, dp, dcontexts]
    }
}

impl CustomOp3 for AttendOp {
    fn name(&self) -> &'static str {
        "ragged-attention"
    }

    fn cpu_fwd(
        &self,
        h: &CpuStorage,
        h_layout: &Layout,
        p: &CpuStorage,
        p_layout: &Layout,
        contexts: &CpuStorage,
        contexts_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let pooled = self.forward(slice(h, h_layout)?, slice(p, p_layout)?, slice(contexts, contexts_layout)?);
        Ok((CpuStorage::F32(pooled), (self.rows.sequences(), self.width).into()))
    }

    fn bwd(
        &self,
        h: &Tensor,
        p: &Tensor,
        contexts: &Tensor,
        _pooled: &Tensor,
        dpooled: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let at = self.rows.sequences() * self.units;
        let [dh, dp, dcontexts] = with_slice(h, |h| {
            with_slice(contexts, |contexts| {
                with_slice(dpooled, |dpooled| Ok(self.backward(h, &contexts[at..], dpooled)))
            })
        })?;
        let tensor = |values, like: &Tensor| Tensor::from_vec(values, like.shape(), like.device());
        Ok((Some(tensor(dh, h)?), Some(tensor(dp, p)?), Some(tensor(dcontexts, contexts)?)))
    }
}
