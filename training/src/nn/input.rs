//! The first product of a network, on data. A framework would also compute the gradient of the data, which nobody reads:
//! a third of the work.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use super::host::{slice, with_slice};

/// Rows a task takes; fixed, so that sums are formed in the same order everywhere.
const ROWS_A_TASK: usize = 1024;

/// `x W^T + b` for data `x` `[R, D]`, weights `[N, D]` and biases `[N]`.
///
/// # Errors
/// Those of the device, and of shapes that do not fit.
pub fn project_input(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() || x.dim(0)? == 0 {
        return x.matmul(&w.t()?)?.broadcast_add(b);
    }
    w.contiguous()?.apply_op2(b, InputOp { x: x.contiguous()? })
}

struct InputOp {
    x: Tensor,
}

fn view(values: &[f32], columns: usize) -> Result<ArrayView2<'_, f32>> {
    ArrayView2::from_shape((values.len() / columns, columns), values).map_err(candle_core::Error::wrap)
}

impl CustomOp2 for InputOp {
    fn name(&self) -> &'static str {
        "input-projection"
    }

    fn cpu_fwd(
        &self,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, columns) = self.x.dims2()?;
        let (w, b) = (view(slice(w, w_layout)?, columns)?, slice(b, b_layout)?);
        let n = b.len();
        let mut out = vec![0.0; rows * n];
        with_slice(&self.x, |x| {
            out.par_chunks_mut(ROWS_A_TASK * n).zip(x.par_chunks(ROWS_A_TASK * columns)).try_for_each(|(out, x)| {
                out.chunks_exact_mut(n).for_each(|row| row.copy_from_slice(b));
                let mut out = ArrayViewMut2::from_shape((out.len() / n, n), out).map_err(candle_core::Error::wrap)?;
                general_mat_mul(1.0, &view(x, columns)?, &w.t(), 1.0, &mut out);
                Ok(())
            })
        })?;
        Ok((CpuStorage::F32(out), (rows, n).into()))
    }

    fn bwd(&self, w: &Tensor, b: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (n, columns) = w.dims2()?;
        let parts: Vec<(Array2<f32>, Vec<f32>)> = with_slice(&self.x, |x| {
            with_slice(dy, |dy| {
                dy.par_chunks(ROWS_A_TASK * n)
                    .zip(x.par_chunks(ROWS_A_TASK * columns))
                    .map(|(dy, x)| {
                        let dy = view(dy, n)?;
                        Ok((dy.t().dot(&view(x, columns)?), dy.sum_axis(Axis(0)).to_vec()))
                    })
                    .collect()
            })
        })?;
        let (mut dw, mut db) = (Array2::zeros((n, columns)), vec![0.0; n]);
        for (w, b) in &parts {
            dw += w;
            db.iter_mut().zip(b).for_each(|(sum, b)| *sum += b);
        }
        let dw = Tensor::from_vec(dw.into_raw_vec_and_offset().0, (n, columns), w.device())?;
        Ok((Some(dw), Some(Tensor::from_vec(db, n, b.device())?)))
    }
}
