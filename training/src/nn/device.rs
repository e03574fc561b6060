//! The two ragged operators on an NVIDIA GPU: kernels of our own, compiled when they are first used.
//!
//! Out of candle's operators a step of the recurrence is some twenty kernels, and each sum over rows runs on as many
//! threads as there are columns: see [`super::composed`], which shapes that are too wide for a block still take.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::cuda::WrapErr;
use candle_core::cuda::cudarc::driver::{CudaFunction, CudaSlice, CudaView, LaunchConfig, PushKernelArg};
use candle_core::cuda::cudarc::nvrtc::compile_ptx;
use candle_core::op::BackpropOp;
use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp3, Error, Layout, Result, Shape, Storage, Tensor, bail,
};

use super::Ragged;

/// Threads of a block at most.
const BLOCK: usize = 1024;
/// Threads that attend to a sequence; the kernels know this number.
const ATTENDING: u32 = 256;

/// Whether a block can hold a step of this many units.
pub(crate) fn fits(hidden: usize) -> bool {
    3 * hidden <= BLOCK
}

fn kernel(device: &CudaDevice, name: &str) -> Result<CudaFunction> {
    static COMPILED: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        compile_ptx(include_str!("ragged.cu")).map(|ptx| ptx.to_src()).map_err(|error| format!("{error:?}"))
    });
    let code = compiled.as_ref().map_err(|error| Error::Msg(format!("the kernels do not compile: {error}")))?;
    Ok(device.get_or_load_custom_func(name, "hirenet-ragged", code)?.into_cuda_function())
}

/// The numbers of a contiguous f32 tensor's storage.
fn view<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<f32>()?.slice(start..end)),
        None => bail!("a contiguous tensor is needed"),
    }
}

/// Calls `use_it` with the numbers of a tensor on a GPU.
fn with_view<T>(tensor: &Tensor, use_it: impl FnOnce(CudaView<'_, f32>) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cuda(storage) => use_it(view(storage, layout)?),
        _ => bail!("a tensor on a GPU is needed"),
    }
}

fn tensor(values: CudaSlice<f32>, device: &CudaDevice, shape: impl Into<Shape>) -> Tensor {
    let storage = CudaStorage::wrap_cuda_slice(values, device.clone());
    Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
}

fn starts(rows: &Ragged, device: &CudaDevice) -> Result<CudaSlice<u32>> {
    let starts: Vec<u32> = (0..rows.sequences()).map(|s| rows.start(s) as u32).chain([rows.rows() as u32]).collect();
    device.clone_htod(&starts)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`super::gru`].
pub(crate) fn gru(x: &Tensor, u: &Tensor, c: &Tensor, rows: &Ragged) -> Result<Tensor> {
    let (width, hidden) = u.dims2()?;
    if x.dims2()? != (rows.rows(), width) || c.dims1()? != width || width % (3 * hidden) != 0 {
        bail!("gru: {:?}, {:?}, {:?} over {} rows", x.shape(), u.shape(), c.shape(), rows.rows());
    }
    let directions = width / (3 * hidden);
    let transposed = u.detach().reshape((directions, 3 * hidden, hidden))?.transpose(1, 2)?.contiguous()?;
    let op = GruOp { rows: rows.clone(), hidden, directions, transposed, saved: Mutex::default() };
    x.contiguous()?.apply_op3(&u.contiguous()?, &c.contiguous()?, op)
}

struct GruOp {
    rows: Ragged,
    hidden: usize,
    directions: usize,
    /// `u` as `[D, H, 3H]`: there threads read side by side.
    transposed: Tensor,
    /// Gates `[R, D 4H]` and the states before each step `[R, D H]`.
    saved: Mutex<Option<(CudaSlice<f32>, CudaSlice<f32>)>>,
}

impl GruOp {
    fn launch(&self, buffers: usize) -> LaunchConfig {
        LaunchConfig {
            grid_dim: (self.rows.sequences() as u32, self.directions as u32, 1),
            block_dim: ((3 * self.hidden).next_multiple_of(32) as u32, 1, 1),
            shared_mem_bytes: (buffers * self.hidden * size_of::<f32>()) as u32,
        }
    }
}

impl CustomOp3 for GruOp {
    fn name(&self) -> &'static str {
        "ragged-gru"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("this operator runs on a GPU")
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        _u: &CudaStorage,
        _u_layout: &Layout,
        c: &CudaStorage,
        c_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let device = &x.device;
        let (rows, n, directions) = (self.rows.rows(), self.hidden, self.directions);
        let shape = (rows, directions * n);
        let starts = starts(&self.rows, device)?;
        let mut states = device.alloc_zeros::<f32>(rows * directions * n)?;
        let mut gates = device.alloc_zeros::<f32>(rows * directions * 4 * n)?;
        let mut before = device.alloc_zeros::<f32>(rows * directions * n)?;
        let (x, c) = (view(x, x_layout)?, view(c, c_layout)?);
        let (units, ways) = (n as i32, directions as i32);
        let (forward, stream) = (kernel(device, "gru_forward")?, device.cuda_stream());
        with_view(&self.transposed, |ut| {
            let mut launch = stream.launch_builder(&forward);
            launch.arg(&x).arg(&ut).arg(&c).arg(&starts).arg(&mut states).arg(&mut gates).arg(&mut before);
            launch.arg(&units).arg(&ways);
            #[expect(unsafe_code, reason = "a kernel is started")]
            // SAFETY: the arguments are those of the kernel, and the buffers have the sizes that it reads and writes.
            unsafe { launch.launch(self.launch(4)) }.w()?;
            Ok(())
        })?;
        *locked(&self.saved) = Some((gates, before));
        Ok((CudaStorage::wrap_cuda_slice(states, device.clone()), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        u: &Tensor,
        c: &Tensor,
        _states: &Tensor,
        dstates: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let device = x.device().as_cuda_device()?;
        let (rows, n, directions) = (self.rows.rows(), self.hidden, self.directions);
        let Some((gates, before)) = locked(&self.saved).take() else { bail!("gru: nothing was saved") };
        let starts = starts(&self.rows, device)?;
        let mut dx = device.alloc_zeros::<f32>(rows * directions * 3 * n)?;
        let mut dproduct = device.alloc_zeros::<f32>(rows * directions * 3 * n)?;
        let (units, ways) = (n as i32, directions as i32);
        let (backward, stream) = (kernel(device, "gru_backward")?, device.cuda_stream());
        with_view(u, |u| {
            with_view(dstates, |dstates| {
                let mut launch = stream.launch_builder(&backward);
                launch.arg(&dstates).arg(&u).arg(&starts).arg(&gates).arg(&before).arg(&mut dx).arg(&mut dproduct);
                launch.arg(&units).arg(&ways);
                #[expect(unsafe_code, reason = "a kernel is started")]
                // SAFETY: as above.
                unsafe { launch.launch(self.launch(7)) }.w()?;
                Ok(())
            })
        })?;
        let dproduct = tensor(dproduct, device, (rows, directions * 3 * n));
        let before = tensor(before, device, (rows, directions * n));
        let of_direction = |d: usize| {
            let dproduct = dproduct.narrow(1, d * 3 * n, 3 * n)?.t()?.contiguous()?;
            dproduct.matmul(&before.narrow(1, d * n, n)?.contiguous()?)
        };
        let du = Tensor::cat(&(0..directions).map(of_direction).collect::<Result<Vec<_>>>()?, 0)?;
        let dc = dproduct.sum(0)?.reshape(c.shape())?;
        Ok((Some(tensor(dx, device, x.shape().clone())), Some(du), Some(dc)))
    }
}

/// As [`super::attend`].
pub(crate) fn attend(h: &Tensor, p: &Tensor, contexts: &Tensor, rows: &Ragged) -> Result<(Tensor, Vec<f32>)> {
    let ((count, width), (p_rows, units)) = (h.dims2()?, p.dims2()?);
    if count != rows.rows() || p_rows != count || contexts.dims2()? != (rows.sequences() + 1, units) {
        bail!("attend: {:?}, {:?}, {:?} over {} rows", h.shape(), p.shape(), contexts.shape(), rows.rows());
    }
    let saved = Arc::new(Mutex::new(None));
    let op = AttendOp { rows: rows.clone(), width, units, saved: Arc::clone(&saved) };
    let pooled = h.contiguous()?.apply_op3(&p.contiguous()?, &contexts.contiguous()?, op)?;
    let weights = match &*locked(&saved) {
        Some(Saved { weights, .. }) => h.device().as_cuda_device()?.clone_dtoh(weights)?,
        None => bail!("attend: nothing was saved"),
    };
    Ok((pooled, weights))
}

struct Saved {
    /// `tanh(p + c)`, `[R, N]`.
    hidden: CudaSlice<f32>,
    /// `alpha`, `[R]`.
    weights: CudaSlice<f32>,
}

struct AttendOp {
    rows: Ragged,
    width: usize,
    units: usize,
    saved: Arc<Mutex<Option<Saved>>>,
}

impl AttendOp {
    fn launch(&self) -> LaunchConfig {
        LaunchConfig {
            grid_dim: (self.rows.sequences() as u32, 1, 1),
            block_dim: (ATTENDING, 1, 1),
            shared_mem_bytes: 0,
        }
    }
}

impl CustomOp3 for AttendOp {
    fn name(&self) -> &'static str {
        "ragged-attention"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("this operator runs on a GPU")
    }

    fn cuda_fwd(
        &self,
        h: &CudaStorage,
        h_layout: &Layout,
        p: &CudaStorage,
        p_layout: &Layout,
        contexts: &CudaStorage,
        contexts_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let device = &h.device;
        let (rows, sequences) = (self.rows.rows(), self.rows.sequences());
        let starts = starts(&self.rows, device)?;
        let mut hidden = device.alloc_zeros::<f32>(rows * self.units)?;
        let mut weights = device.alloc_zeros::<f32>(rows)?;
        let mut pooled = device.alloc_zeros::<f32>(sequences * self.width)?;
        let (h, p, contexts) = (view(h, h_layout)?, view(p, p_layout)?, view(contexts, contexts_layout)?);
        let (width, units, count) = (self.width as i32, self.units as i32, sequences as i32);
        let (forward, stream) = (kernel(device, "attend_forward")?, device.cuda_stream());
        let mut launch = stream.launch_builder(&forward);
        launch.arg(&h).arg(&p).arg(&contexts).arg(&starts).arg(&mut hidden).arg(&mut weights).arg(&mut pooled);
        launch.arg(&width).arg(&units).arg(&count);
        #[expect(unsafe_code, reason = "a kernel is started")]
        // SAFETY: as above.
        unsafe { launch.launch(self.launch()) }.w()?;
        *locked(&self.saved) = Some(Saved { hidden, weights });
        Ok((CudaStorage::wrap_cuda_slice(pooled, device.clone()), (sequences, self.width).into()))
    }

    fn bwd(
        &self,
        h: &Tensor,
        p: &Tensor,
        contexts: &Tensor,
        _pooled: &Tensor,
        dpooled: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let device = h.device().as_cuda_device()?;
        let (rows, sequences, n) = (self.rows.rows(), self.rows.sequences(), self.units);
        let Some(Saved { hidden, weights }) = locked(&self.saved).take() else { bail!("attend: nothing was saved") };
        let starts = starts(&self.rows, device)?;
        let mut dweights = device.alloc_zeros::<f32>(rows)?;
        let mut dh = device.alloc_zeros::<f32>(rows * self.width)?;
        let mut dp = device.alloc_zeros::<f32>(rows * n)?;
        let mut dcontexts = device.alloc_zeros::<f32>(sequences * n)?;
        let mut dquery = device.alloc_zeros::<f32>(sequences * n)?;
        let (width, units) = (self.width as i32, n as i32);
        let (backward, stream) = (kernel(device, "attend_backward")?, device.cuda_stream());
        let query = contexts.narrow(0, sequences, 1)?;
        with_view(h, |h| {
            with_view(&query, |query| {
                with_view(dpooled, |dpooled| {
                    let mut launch = stream.launch_builder(&backward);
                    launch.arg(&h).arg(&query).arg(&dpooled).arg(&hidden).arg(&weights).arg(&starts);
                    launch.arg(&mut dweights).arg(&mut dh).arg(&mut dp).arg(&mut dcontexts).arg(&mut dquery);
                    launch.arg(&width).arg(&units);
                    #[expect(unsafe_code, reason = "a kernel is started")]
                    // SAFETY: as above.
                    unsafe { launch.launch(self.launch()) }.w()?;
                    Ok(())
                })
            })
        })?;
        let dquery = tensor(dquery, device, (sequences, n)).sum_keepdim(0)?;
        let dcontexts = Tensor::cat(&[tensor(dcontexts, device, (sequences, n)), dquery], 0)?;
        let (dh, dp) = (tensor(dh, device, h.shape().clone()), tensor(dp, device, p.shape().clone()));
        Ok((Some(dh), Some(dp), Some(dcontexts)))
    }
}
