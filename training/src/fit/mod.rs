//! Fitting: one network, a fusion, a whole bundle.

pub mod checkpoint;
mod optimiser;
mod single;
mod train;

pub use optimiser::Adam;
pub use single::Single;
pub use train::{
    Epoch, Observer, Scored, Task, TrainOptions, Unseen, cross_entropy, for_batches, predict, train,
};
