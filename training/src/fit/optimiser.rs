//! Adam (Kingma and Ba, 2015) with a state that can be saved, and clipping by the norm of all gradients.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, bail};

use crate::nn::Parameters;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Moments of each weight's gradient.
#[derive(Debug)]
pub struct Adam {
    moments: Vec<(Tensor, Tensor)>,
    step: usize,
}

impl Adam {
    /// Before the first step.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(parameters: &Parameters) -> Result<Adam> {
        let zeros = |tensor: &Tensor| Ok((tensor.zeros_like()?, tensor.zeros_like()?));
        Ok(Adam { moments: parameters.vars().iter().map(|(_, var)| zeros(var)).collect::<Result<_>>()?, step: 0 })
    }

    /// One step along the gradients, scaled down where their norm is above `clip`. Gives the norm before.
    ///
    /// # Errors
    /// Those of the device.
    pub fn step(&mut self, parameters: &Parameters, gradients: &GradStore, rate: f64, clip: f64) -> Result<f64> {
        let mut squares = 0.0;
        for (_, var) in parameters.vars() {
            if let Some(gradient) = gradients.get(var) {
                squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
            }
        }
        let norm = squares.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let scale = if norm > clip { clip / norm } else { 1.0 };
        self.step += 1;
        let corrected = |beta: f64| 1.0 - beta.powi(self.step as i32);
        let (first, second) = (corrected(BETA1), corrected(BETA2));
        for ((_, var), (mean, square)) in parameters.vars().iter().zip(&mut self.moments) {
            let Some(gradient) = gradients.get(var) else { continue };
            let gradient = (gradient * scale)?.detach();
            *mean = ((&*mean * BETA1)? + (&gradient * (1.0 - BETA1))?)?;
            *square = ((&*square * BETA2)? + (gradient.sqr()? * (1.0 - BETA2))?)?;
            let step = ((&*mean * (rate / first))? / ((&*square / second)?.sqrt()? + EPSILON)?)?;
            var.set(&(var.as_tensor() - step)?)?;
        }
        Ok(norm)
    }

    /// The state by name.
    pub(crate) fn state(&self, parameters: &Parameters) -> Vec<(String, Tensor)> {
        let named = parameters.vars().iter().zip(&self.moments);
        named
            .flat_map(|((name, _), (m, v))| {
                [(format!("mean/{name}"), m.clone()), (format!("square/{name}"), v.clone())]
            })
            .collect()
    }

    /// The state after `step` steps.
    ///
    /// # Errors
    /// Where a moment is missing.
    pub(crate) fn restore(parameters: &Parameters, state: &HashMap<String, Tensor>, step: usize) -> Result<Adam> {
        let moment = |kind: &str, name: &str| match state.get(&format!("{kind}/{name}")) {
            Some(tensor) => tensor.to_device(parameters.device()),
            None => bail!("{kind}/{name} is missing"),
        };
        let moments = parameters.vars().iter().map(|(name, _)| Ok((moment("mean", name)?, moment("square", name)?)));
        Ok(Adam { moments: moments.collect::<Result<_>>()?, step })
    }

    /// Steps taken.
    pub(crate) fn steps(&self) -> usize {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn gradients_above_the_norm_are_scaled_down_to_it_all_together() {
        let moments = |clip: f64| {
            let mut parameters = Parameters::new(1, &Device::Cpu);
            let (a, b) = (parameters.zeros("a", &[1]).unwrap(), parameters.zeros("b", &[1]).unwrap());
            // Gradients 3 and 4: norm 5.
            let loss = ((a.as_tensor() * 3.0).unwrap() + (b.as_tensor() * 4.0).unwrap()).unwrap().sum_all().unwrap();
            let mut adam = Adam::new(&parameters).unwrap();
            let norm = adam.step(&parameters, &loss.backward().unwrap(), 0.1, clip).unwrap();
            assert!((norm - 5.0).abs() < 1e-6, "the norm before is told: {norm}");
            adam.moments.iter().map(|(mean, _)| f64::from(mean.to_vec1::<f32>().unwrap()[0])).collect::<Vec<_>>()
        };
        for (clip, expected) in [(1.0, [0.06, 0.08]), (10.0, [0.3, 0.4])] {
            for (found, expected) in moments(clip).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
            }
        }
    }
}
