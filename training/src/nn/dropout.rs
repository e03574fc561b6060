//! Dropout with its own random numbers, so that a seed gives the same masks on any device.

use candle_core::{Result, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Sets a share of values to 0 and scales the others up; off while evaluating.
#[derive(Debug, Clone)]
pub struct Dropout {
    share: f32,
    rng: ChaCha8Rng,
}

impl Dropout {
    /// Drops nothing.
    #[must_use]
    pub fn off() -> Dropout {
        Dropout::new(0.0, 0)
    }

    /// Drops `share` of the values.
    #[must_use]
    pub fn new(share: f32, seed: u64) -> Dropout {
        Dropout { share, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Applies it.
    ///
    /// # Errors
    /// Those of the device.
    pub fn apply(&mut self, x: &Tensor) -> Result<Tensor> {
        if self.share <= 0.0 {
            return Ok(x.clone());
        }
        let scale = 1.0 / (1.0 - self.share);
        let mask: Vec<f32> =
            (0..x.elem_count()).map(|_| if self.rng.random::<f32>() < self.share { 0.0 } else { scale }).collect();
        x * Tensor::from_vec(mask, x.shape(), x.device())?
    }
}
