//! One run of the graph: inputs in, checked outputs out.

use hirenet_onnx::ort::session::{Session, SessionInputValue, SessionOutputs};
use hirenet_onnx::ort::value::TensorRef;
use ndarray::{Array, Array1, Array2, ArrayD, Dimension};

use crate::interview::{Packed, Padded};
use crate::{BundleError, contract};

/// What one modality's network says.
#[derive(Debug, Clone)]
pub(crate) struct BranchOutputs {
    pub(crate) logit: f32,
    /// `[A, T]`.
    pub(crate) attention: Array2<f32>,
    /// `[A]`.
    pub(crate) answers: Array1<f32>,
}

/// What the graph says.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    pub(crate) logit: f32,
    /// `[3]`: verbal, vocal, visual.
    pub(crate) modality_attention: Array1<f32>,
    /// In the order of the packed modalities.
    pub(crate) branches: Vec<BranchOutputs>,
}

type NamedInput<'a> = (String, SessionInputValue<'a>);

/// Runs the graph. Every output has the contract's shape and is finite, or the run failed.
pub(crate) fn run(session: &mut Session, packed: &Packed) -> Result<Outputs, BundleError> {
    let mut inputs = Vec::new();
    for m in &packed.modalities {
        inputs.extend(feed(m.modality.as_str(), &contract::length(m.modality), &m.rows)?);
    }
    inputs.extend(feed(contract::QUESTION, contract::QUESTION_LEN, &packed.question)?);
    inputs.extend(feed(contract::TITLE, contract::TITLE_LEN, &packed.title)?);
    let outputs = session.run(inputs).map_err(BundleError::failed)?;
    let mut branches = Vec::new();
    for m in &packed.modalities {
        let (answers, rows, _) = m.rows.values.dim();
        let attention = take(&outputs, &contract::attention(m.modality), &[answers, rows])?;
        let between = take(&outputs, &contract::answer_attention(m.modality), &[answers])?;
        branches.push(BranchOutputs {
            logit: take_scalar(&outputs, &contract::logit(m.modality))?,
            attention: with_axes(attention)?,
            answers: with_axes(between)?,
        });
    }
    let modality_attention = take(&outputs, contract::MODALITY_ATTENTION, &[3])?;
    Ok(Outputs {
        logit: take_scalar(&outputs, contract::LOGIT)?,
        modality_attention: with_axes(modality_attention)?,
        branches,
    })
}

fn feed<'a>(values: &str, lengths: &str, padded: &'a Padded) -> Result<[NamedInput<'a>; 2], BundleError> {
    let rows = TensorRef::from_array_view(&padded.values).map_err(BundleError::failed)?;
    let counts = TensorRef::from_array_view(&padded.lengths).map_err(BundleError::failed)?;
    Ok([(values.to_owned(), rows.into()), (lengths.to_owned(), counts.into())])
}

fn take(outputs: &SessionOutputs<'_>, name: &str, shape: &[usize]) -> Result<ArrayD<f32>, BundleError> {
    let value = outputs.get(name).ok_or_else(|| BundleError::Failed(format!("output `{name}` is missing")))?;
    let array = value.try_extract_array::<f32>().map_err(BundleError::failed)?;
    if array.shape() != shape {
        let found = array.shape();
        let breach = format!("output `{name}` has shape {found:?}; it must have {shape:?}");
        return Err(BundleError::Contract(vec![breach]));
    }
    if array.iter().any(|v| !v.is_finite()) {
        let breach = format!("output `{name}` holds a number that is not finite");
        return Err(BundleError::Contract(vec![breach]));
    }
    Ok(array.to_owned())
}

fn take_scalar(outputs: &SessionOutputs<'_>, name: &str) -> Result<f32, BundleError> {
    Ok(take(outputs, name, &[1])?.sum())
}

/// Gives a checked array its static number of axes.
fn with_axes<D: Dimension>(array: ArrayD<f32>) -> Result<Array<f32, D>, BundleError> {
    array.into_dimensionality().map_err(|error| BundleError::Failed(error.to_string()))
}
