//! Tensors on the host as slices.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The numbers of a contiguous argument of an operator.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("a contiguous f32 tensor is needed"),
    }
}

/// Calls `use_it` with the numbers of a tensor that lies in host memory.
pub(crate) fn with_slice<T>(tensor: &Tensor, use_it: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => use_it(slice(storage, layout)?),
        _ => bail!("a tensor in host memory is needed"),
    }
}
