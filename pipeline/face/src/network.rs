//! One MediaPipe network: a session and the check of its outputs' sizes.

use hirenet_onnx::ort::session::{Session, SessionOutputs};
use hirenet_onnx::ort::value::TensorRef;
use hirenet_onnx::{ModelFile, Runtime};

use crate::FaceError;

/// A network with one input of a fixed shape.
#[derive(Debug)]
pub(crate) struct Network {
    name: &'static str,
    session: Session,
    shape: Vec<usize>,
    /// The input's values, row-major; filled before [`Network::run`].
    pub(crate) input: Vec<f32>,
}

/// The outputs of one run.
pub(crate) struct Outputs<'a> {
    name: &'static str,
    values: SessionOutputs<'a>,
}

impl Network {
    pub(crate) fn open(
        runtime: &Runtime,
        model: &ModelFile,
        name: &'static str,
        shape: &[usize],
    ) -> Result<Network, FaceError> {
        let session = runtime.open(model)?;
        Ok(Network { name, session, shape: shape.to_vec(), input: vec![0.0; shape.iter().product()] })
    }

    /// Runs the network on `input`, whose tensor has the name `tensor`.
    pub(crate) fn run(&mut self, tensor: &'static str) -> Result<Outputs<'_>, FaceError> {
        let input = TensorRef::from_array_view((self.shape.as_slice(), self.input.as_slice()))?;
        let values = self.session.run(hirenet_onnx::ort::inputs![tensor => input])?;
        Ok(Outputs { name: self.name, values })
    }
}

impl Outputs<'_> {
    /// The values of one output, which must be `expected` many.
    pub(crate) fn take(&self, output: &'static str, expected: usize) -> Result<&[f32], FaceError> {
        let wrong = |found| FaceError::Output { network: self.name, output, found, expected };
        let (_, values) = self.values.get(output).ok_or_else(|| wrong(0))?.try_extract_tensor::<f32>()?;
        if values.len() == expected { Ok(values) } else { Err(wrong(values.len())) }
    }
}

/// The logistic function, as the networks' contracts ask for it.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit.clamp(-100.0, 100.0)).exp())
}
