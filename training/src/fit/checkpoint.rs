//! Checkpoints: weights, the optimiser's state and the history in one file, which is replaced whole.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use crate::files::write_whole;
use crate::{Result, TrainError};

/// What a checkpoint says beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress<T> {
    /// What the run was asked for; a run that is resumed must be asked for the same.
    pub settings: serde_json::Value,
    /// Steps of the optimiser so far.
    pub steps: usize,
    /// What happened so far.
    pub history: T,
}

/// Writes tensors with a JSON text, whole or not at all.
///
/// # Errors
/// [`TrainError::Write`]
pub fn save(path: &Path, tensors: &[(String, Tensor)], about: &impl Serialize) -> Result<()> {
    let mut parts = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        parts.push((name.as_str(), tensor.dims().to_vec(), bytes));
    }
    let failed = |error: &dyn std::fmt::Display| TrainError::write(path, error);
    let views = parts
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| failed(&error))?;
    let about = serde_json::to_string(about).map_err(|error| failed(&error))?;
    let metadata = HashMap::from([("hirenet".to_owned(), about)]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| failed(&error))?;
    write_whole(path, &bytes)
}

/// Reads a file that [`save`] wrote.
///
/// # Errors
/// [`TrainError::Read`] where it is not there, [`TrainError::Dataset`] where it is damaged.
pub fn load<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<(HashMap<String, Tensor>, T)> {
    let wrong = |error: &dyn std::fmt::Display| TrainError::dataset(path, format!("it is damaged: {error}"));
    let bytes = std::fs::read(path).map_err(|error| TrainError::read(path, &error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| wrong(&error))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| wrong(&error))?;
    let about = header.metadata().as_ref().and_then(|metadata| metadata.get("hirenet"));
    let about = about.ok_or_else(|| wrong(&"its metadata is missing"))?;
    let about = serde_json::from_str(about).map_err(|error| wrong(&error))?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        let values: Vec<f32> =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        tensors.insert(name, Tensor::from_vec(values, view.shape(), &Device::Cpu)?);
    }
    Ok((tensors, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_read_and_a_cut_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint.safetensors");
        let tensor = Tensor::new(&[[1.0_f32, 2.0], [3.0, 4.0]], &Device::Cpu).unwrap();
        save(&path, &[("w".to_owned(), tensor.clone())], &7).unwrap();
        let (tensors, about): (_, i32) = load(&path).unwrap();
        assert_eq!(about, 7);
        assert_eq!(tensors["w"].to_vec2::<f32>().unwrap(), tensor.to_vec2::<f32>().unwrap());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let error = load::<i32>(&path).unwrap_err();
        assert!(error.to_string().contains("checkpoint.safetensors"), "{error}");
    }
}
