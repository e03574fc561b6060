//! Weights by name, drawn from a seed.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use ndarray::{Array1, Array2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The weights of a model, in the order in which they were drawn.
#[derive(Debug, Clone)]
pub struct Parameters {
    vars: Vec<(String, Var)>,
    rng: ChaCha8Rng,
    device: Device,
}

impl Parameters {
    /// No weights yet.
    #[must_use]
    pub fn new(seed: u64, device: &Device) -> Parameters {
        Parameters { vars: Vec::new(), rng: ChaCha8Rng::seed_from_u64(seed), device: device.clone() }
    }

    /// Draws a weight uniformly within `range` of 0.
    ///
    /// # Errors
    /// Those of the device.
    pub fn uniform(&mut self, name: &str, shape: &[usize], range: f32) -> Result<Var> {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| self.rng.random_range(-range..=range)).collect();
        let var = Var::from_tensor(&Tensor::from_vec(values, shape, &self.device)?)?;
        self.vars.push((name.to_owned(), var.clone()));
        Ok(var)
    }

    /// A weight of zeros. It draws nothing, so that the others stay the same.
    ///
    /// # Errors
    /// Those of the device.
    pub fn zeros(&mut self, name: &str, shape: &[usize]) -> Result<Var> {
        let var = Var::zeros(shape, DType::F32, &self.device)?;
        self.vars.push((name.to_owned(), var.clone()));
        Ok(var)
    }

    /// Draws every weight anew, those of zeros too: for checks that need no training.
    ///
    /// # Errors
    /// Those of the device.
    pub fn redraw(&mut self, range: f32) -> Result<()> {
        for (_, var) in &self.vars {
            let values: Vec<f32> = (0..var.elem_count()).map(|_| self.rng.random_range(-range..=range)).collect();
            var.set(&Tensor::from_vec(values, var.shape(), &self.device)?)?;
        }
        Ok(())
    }

    /// Where the weights lie.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Names and weights.
    #[must_use]
    pub fn vars(&self) -> &[(String, Var)] {
        &self.vars
    }

    /// Copies of the weights by name.
    ///
    /// # Errors
    /// Those of the device.
    pub fn snapshot(&self) -> Result<HashMap<String, Tensor>> {
        self.vars.iter().map(|(name, var)| Ok((name.clone(), var.as_tensor().copy()?))).collect()
    }

    /// Sets every weight from a snapshot.
    ///
    /// # Errors
    /// Where one is missing or has another shape.
    pub fn restore(&self, snapshot: &HashMap<String, Tensor>) -> Result<()> {
        for (name, var) in &self.vars {
            let Some(tensor) = snapshot.get(name) else { bail!("weight `{name}` is missing") };
            var.set(&tensor.to_device(&self.device)?)?;
        }
        Ok(())
    }
}

/// A weight matrix on the host.
///
/// # Errors
/// Those of the device.
pub fn matrix(tensor: &Tensor) -> Result<Array2<f32>> {
    let shape = tensor.dims2()?;
    Array2::from_shape_vec(shape, tensor.flatten_all()?.to_vec1()?).map_err(candle_core::Error::wrap)
}

/// A weight vector on the host.
///
/// # Errors
/// Those of the device.
pub fn vector(tensor: &Tensor) -> Result<Array1<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?.into())
}
