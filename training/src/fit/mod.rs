//! Fitting: one network, a fusion, a whole bundle.

pub mod checkpoint;
pub mod config;
pub mod curves;
mod optimiser;
mod run;
mod settings;
mod single;
mod train;

pub use optimiser::Adam;
pub(crate) use run::PREDICT_BATCH;
pub use run::{Fitted, Run, check_classes, load_run, positive_weight, singles};
pub use settings::{Grid, Settings, allowed, parse_grid_entry};
pub use single::Single;
pub use train::{
    Epoch, Kept, Observer, Scored, Task, TrainOptions, Unseen, best_epoch, cross_entropy, for_batches, predict, train,
};
