//! The gated recurrent unit over ragged sequences as one operator: all steps forward, and all steps of its gradient.
//!
//! A framework's graph of one step at a time spends its time on bookkeeping: 207 steps are some 3,000 small tensors. Here
//! the sequences of a block go through the steps side by side, longest first, so that each step is one matrix product
//! over the sequences that still run; blocks go to all cores.
//!
//! With `x = W x_t + b` computed before, in ONNX's order of gates (`linear_before_reset`, as PyTorch has it):
//! ```text
//! z = sigmoid(x_z + U_z h + c_z)        r = sigmoid(x_r + U_r h + c_r)
//! n = tanh(x_n + r (U_n h + c_n))       h' = (1 - z) n + z h
//! ```

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

use super::Ragged;
use super::activation::{sigmoid, tanh};
use super::host::{slice, with_slice};

/// States `[R, directions H]` over projected rows `x` `[R, directions 3H]`, with recurrent weights `u` `[directions 3H, H]`
/// and their biases `c` `[directions 3H]`. The second direction runs from each sequence's last row to its first.
///
/// # Errors
/// Those of the device, and of shapes that do not fit.
pub fn gru(x: &Tensor, u: &Tensor, c: &Tensor, rows: &Ragged) -> Result<Tensor> {
    if !x.device().is_cpu() {
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() && !rows.is_empty() && super::device::fits(u.dim(1)?) {
            return super::device::gru(x, u, c, rows);
        }
        return super::composed::gru(x, u, c, rows);
    }
    let (width, hidden) = u.dims2()?;
    if x.dims2()? != (rows.rows(), width) || c.dims1()? != width || width % (3 * hidden) != 0 {
        bail!("gru: {:?}, {:?}, {:?} over {} rows", x.shape(), u.shape(), c.shape(), rows.rows());
    }
    let op = GruOp { rows: rows.clone(), hidden, directions: width / (3 * hidden), saved: Mutex::default() };
    x.contiguous()?.apply_op3(&u.contiguous()?, &c.contiguous()?, op)
}

struct GruOp {
    rows: Ragged,
    hidden: usize,
    directions: usize,
    /// What the gradient needs of the forward run, for each block and direction.
    saved: Mutex<Vec<Vec<Saved>>>,
}

/// Step by step, the rows that run in that step, in the block's order.
#[derive(Default)]
struct Saved {
    /// `z, r, n, U_n h + c_n`, each `[H]`.
    gates: Vec<f32>,
    /// The state before the step.
    before: Vec<f32>,
}

/// The sequences of a block, longest first.
struct Block {
    /// First row inside the block, and length.
    sequences: Vec<(usize, usize)>,
    /// How many sequences run in each step.
    running: Vec<usize>,
}

impl Block {
    fn new(rows: &Ragged, block: &Range<usize>) -> Block {
        let first = rows.rows_of(block).start;
        let mut sequences: Vec<_> = block.clone().map(|s| (rows.start(s) - first, rows.len(s))).collect();
        sequences.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
        let steps = sequences.first().map_or(0, |(_, length)| *length);
        let running = (0..steps).map(|t| sequences.partition_point(|(_, length)| *length > t)).collect();
        Block { sequences, running }
    }

    fn row(&self, sequence: usize, step: usize, backwards: bool) -> usize {
        let (first, length) = self.sequences[sequence];
        if backwards { first + length - 1 - step } else { first + step }
    }
}

/// One direction's weights and where its columns lie.
struct Direction<'a> {
    /// `[3H, H]`
    u: ArrayView2<'a, f32>,
    c: &'a [f32],
    hidden: usize,
    /// Columns of `x` and of the states in all.
    directions: usize,
    number: usize,
}

impl Direction<'_> {
    fn x<'b>(&self, x: &'b [f32], row: usize) -> &'b [f32] {
        let width = 3 * self.hidden;
        &x[(row * self.directions + self.number) * width..][..width]
    }

    fn x_mut<'b>(&self, x: &'b mut [f32], row: usize) -> &'b mut [f32] {
        let width = 3 * self.hidden;
        &mut x[(row * self.directions + self.number) * width..][..width]
    }

    fn state_at(&self, row: usize) -> usize {
        (row * self.directions + self.number) * self.hidden
    }

    fn forward(&self, block: &Block, x: &[f32], states: &mut [f32]) -> Saved {
        let n = self.hidden;
        let total: usize = block.running.iter().sum();
        let mut saved = Saved { gates: vec![0.0; total * 4 * n], before: vec![0.0; total * n] };
        let mut h = vec![0.0; block.sequences.len() * n];
        let mut product = vec![0.0; block.sequences.len() * 3 * n];
        let mut done = 0;
        for (step, &running) in block.running.iter().enumerate() {
            multiply(&h[..running * n], &self.u.t(), &mut product[..running * 3 * n], 0.0);
            saved.before[done * n..][..running * n].copy_from_slice(&h[..running * n]);
            let gates = &mut saved.gates[done * 4 * n..][..running * 4 * n];
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    for s in 0..running {
                        let row = block.row(s, step, self.number == 1);
                        let h = &mut h[s * n..][..n];
                        step_forward(
                            self.x(x, row),
                            &product[s * 3 * n..][..3 * n],
                            self.c,
                            h,
                            &mut gates[s * 4 * n..][..4 * n],
                        );
                        states[self.state_at(row)..][..n].copy_from_slice(h);
                    }
                },
            );
            done += running;
        }
        saved
    }

    /// Writes the gradient of `x` and gives those of `u` and `c`.
    fn backward(&self, block: &Block, saved: &Saved, dstates: &[f32], dx: &mut [f32]) -> (Vec<f32>, Vec<f32>) {
        let n = self.hidden;
        let total: usize = block.running.iter().sum();
        let mut dgates = vec![0.0; total * 3 * n];
        let mut dh = vec![0.0; block.sequences.len() * n];
        let mut done = total;
        for (step, &running) in block.running.iter().enumerate().rev() {
            done -= running;
            let dgate = &mut dgates[done * 3 * n..][..running * 3 * n];
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    for s in 0..running {
                        let row = block.row(s, step, self.number == 1);
                        step_backward(
                            &saved.gates[(done + s) * 4 * n..][..4 * n],
                            &saved.before[(done + s) * n..][..n],
                            &dstates[self.state_at(row)..][..n],
                            &mut dh[s * n..][..n],
                            self.x_mut(dx, row),
                            &mut dgate[s * 3 * n..][..3 * n],
                        );
                    }
                },
            );
            multiply(dgate, &self.u, &mut dh[..running * n], 1.0);
        }
        let mut du = vec![0.0; 3 * n * n];
        let dgates = view(&dgates, 3 * n);
        general_mat_mul(1.0, &dgates.t(), &view(&saved.before, n), 0.0, &mut view_mut(&mut du, n));
        (du, dgates.sum_axis(ndarray::Axis(0)).to_vec())
    }
}

/// One sequence, one step; `gates` gets `z, r, n, U_n h + c_n`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions that its caller was dispatched to")]
fn step_forward(x: &[f32], product: &[f32], c: &[f32], h: &mut [f32], gates: &mut [f32]) {
    let n = h.len();
    let (x, product, c, gates) = (&x[..3 * n], &product[..3 * n], &c[..3 * n], &mut gates[..4 * n]);
    for i in 0..n {
        let z = sigmoid(x[i] + product[i] + c[i]);
        let r = sigmoid(x[n + i] + product[n + i] + c[n + i]);
        let inner = product[2 * n + i] + c[2 * n + i];
        let candidate = tanh(x[2 * n + i] + r * inner);
        gates[i] = z;
        gates[n + i] = r;
        gates[2 * n + i] = candidate;
        gates[3 * n + i] = inner;
        h[i] = candidate + z * (h[i] - candidate);
    }
}

/// Gradients of one step: of the projected row, and of the products with the state. `dh` comes in as the gradient from
/// the later steps and goes out as its part through `z h`; the caller adds the part through the products.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
fn step_backward(gates: &[f32], before: &[f32], dstate: &[f32], dh: &mut [f32], dx: &mut [f32], dproduct: &mut [f32]) {
    let n = dh.len();
    let (gates, before, dstate) = (&gates[..4 * n], &before[..n], &dstate[..n]);
    let (dx, dproduct) = (&mut dx[..3 * n], &mut dproduct[..3 * n]);
    for i in 0..n {
        let (z, r, candidate, inner) = (gates[i], gates[n + i], gates[2 * n + i], gates[3 * n + i]);
        let d = dh[i] + dstate[i];
        let dcandidate = d * (1.0 - z) * (1.0 - candidate * candidate);
        let dz = d * (before[i] - candidate) * z * (1.0 - z);
        let dr = dcandidate * inner * r * (1.0 - r);
        dx[i] = dz;
        dx[n + i] = dr;
        dx[2 * n + i] = dcandidate;
        dproduct[i] = dz;
        dproduct[n + i] = dr;
        dproduct[2 * n + i] = dcandidate * r;
        dh[i] = d * z;
    }
}

#[expect(clippy::expect_used, reason = "every buffer here is made of whole rows")]
fn view(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

#[expect(clippy::expect_used, reason = "every buffer here is made of whole rows")]
fn view_mut(values: &mut [f32], columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

/// `out = a b + keep out`, row-major with `b.ncols()` columns.
fn multiply(a: &[f32], b: &ArrayView2<'_, f32>, out: &mut [f32], keep: f32) {
    general_mat_mul(1.0, &view(a, b.nrows()), b, keep, &mut view_mut(out, b.ncols()));
}

impl GruOp {
    fn directions<'a>(&self, u: &'a [f32], c: &'a [f32]) -> Vec<Direction<'a>> {
        let (n, size) = (self.hidden, 3 * self.hidden);
        (0..self.directions)
            .map(|number| Direction {
                u: view(&u[number * size * n..][..size * n], n),
                c: &c[number * size..][..size],
                hidden: n,
                directions: self.directions,
                number,
            })
            .collect()
    }

    fn forward(&self, x: &[f32], u: &[f32], c: &[f32]) -> Vec<f32> {
        let (width, hidden) = (self.directions * 3 * self.hidden, self.directions * self.hidden);
        let directions = self.directions(u, c);
        let mut states = vec![0.0; self.rows.rows() * hidden];
        let saved: Vec<Vec<Saved>> = self
            .rows
            .blocks()
            .into_par_iter()
            .zip(self.rows.split_mut(&mut states, hidden))
            .map(|(block, states)| {
                let rows = self.rows.rows_of(&block);
                let x = &x[rows.start * width..rows.end * width];
                let block = Block::new(&self.rows, &block);
                directions.iter().map(|direction| direction.forward(&block, x, states)).collect()
            })
            .collect();
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = saved;
        states
    }

    fn backward(&self, u: &[f32], c: &[f32], dstates: &[f32]) -> [Vec<f32>; 3] {
        let (width, hidden) = (self.directions * 3 * self.hidden, self.directions * self.hidden);
        let directions = self.directions(u, c);
        let saved = std::mem::take(&mut *self.saved.lock().unwrap_or_else(PoisonError::into_inner));
        let mut dx = vec![0.0; self.rows.rows() * width];
        let parts: Vec<Vec<(Vec<f32>, Vec<f32>)>> = self
            .rows
            .blocks()
            .into_par_iter()
            .zip(self.rows.split_mut(&mut dx, width))
            .zip(saved)
            .map(|((block, dx), saved)| {
                let rows = self.rows.rows_of(&block);
                let dstates = &dstates[rows.start * hidden..rows.end * hidden];
                let block = Block::new(&self.rows, &block);
                directions.iter().zip(&saved).map(|(d, saved)| d.backward(&block, saved, dstates, dx)).collect()
            })
            .collect();
        let (mut du, mut dc) = (vec![0.0; u.len()], vec![0.0; c.len()]);
        // Always in the blocks' order: the same sums on any number of cores.
        for block in &parts {
            for (number, (u, c)) in block.iter().enumerate() {
                add(&mut du[number * u.len()..], u);
                add(&mut dc[number * c.len()..], c);
            }
        }
        [dx, du, dc]
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

impl CustomOp3 for GruOp {
    fn name(&self) -> &'static str {
        "ragged-gru"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        u: &CpuStorage,
        u_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let states = self.forward(slice(x, x_layout)?, slice(u, u_layout)?, slice(c, c_layout)?);
        Ok((CpuStorage::F32(states), (self.rows.rows(), self.directions * self.hidden).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        u: &Tensor,
        c: &Tensor,
        _states: &Tensor,
        dstates: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [dx, du, dc] =
            with_slice(u, |u| with_slice(c, |c| with_slice(dstates, |dstates| Ok(self.backward(u, c, dstates)))))?;
        let tensor = |values, like: &Tensor| Tensor::from_vec(values, like.shape(), like.device());
        Ok((Some(tensor(dx, x)?), Some(tensor(du, u)?), Some(tensor(dc, c)?)))
    }
}
