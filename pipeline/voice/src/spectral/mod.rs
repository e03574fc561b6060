//! The spectral group, columns 1 to 10: an ONNX graph written at start and run on the configured device.

mod constants;
mod graph;

use hirenet_onnx::ort::session::Session;
use hirenet_onnx::ort::value::TensorRef;
use hirenet_onnx::{OnnxError, Runtime, ort};
use ndarray::{Array2, ArrayViewMut2, s};

use crate::frame::{HOP, copy_samples, frame_count};

/// Number of columns that the graph computes.
pub(crate) const SPECTRAL_COLUMNS: usize = 10;
/// Index of the spectral flux among them.
const FLUX: usize = 5;
/// Frames a run: few enough that the intermediate spectra stay in the processor's cache.
const CHUNK_FRAMES: usize = 128;

/// Runs the spectral graph over a recording.
#[derive(Debug)]
pub(crate) struct Spectral {
    session: Session,
    /// `[CHUNK_FRAMES + 2, HOP]`: the blocks of samples of one run.
    blocks: Array2<f32>,
}

impl Spectral {
    pub(crate) fn open(runtime: &Runtime) -> Result<Self, OnnxError> {
        let session = runtime.open_bytes(&graph::front_end().to_bytes())?;
        Ok(Spectral { session, blocks: Array2::zeros((CHUNK_FRAMES + 2, HOP)) })
    }

    /// Writes the unsmoothed columns, `[frame_count(samples), SPECTRAL_COLUMNS]`.
    pub(crate) fn measure(&mut self, samples: &[f32], mut out: ArrayViewMut2<'_, f32>) -> Result<(), OnnxError> {
        let frames = frame_count(samples.len());
        for first in (0..frames).step_by(CHUNK_FRAMES) {
            let count = CHUNK_FRAMES.min(frames - first);
            // Frame k lies on blocks k - 1 and k; the frame before the first is computed again, for the flux.
            let mut blocks = self.blocks.slice_mut(s![..count + 2, ..]);
            if let Some(flat) = blocks.as_slice_mut() {
                copy_samples(samples, (first as isize - 2) * HOP as isize, flat);
            }
            let input = TensorRef::from_array_view(blocks.view())?;
            let outputs = self.session.run(ort::inputs![graph::INPUT => input])?;
            let rows = outputs[graph::OUTPUT].try_extract_array::<f32>()?;
            let rows = rows
                .into_shape_with_order((count, SPECTRAL_COLUMNS))
                .map_err(|error| OnnxError::Run(error.to_string()))?;
            out.slice_mut(s![first..first + count, ..]).assign(&rows);
        }
        if frames > 0 {
            out[[0, FLUX]] = 0.0;
        }
        Ok(())
    }
}
