//! The command line's part that says how to read a data set and how to train.

use clap::Args;
use hirenet_core::Modality;

use super::values::{batch, clip, count, dropout, hidden, modality, modality_dropout, rate};
use crate::data::Limits;
use crate::data::split::Splitting;
use crate::fit::{Settings, TrainOptions};
use crate::models::Sizes;

/// How a data set is read.
#[derive(Debug, Args)]
pub struct Reading {
    /// Windows of an answer that are read at most
    #[arg(long, default_value_t = 240, value_name = "N", value_parser = count())]
    pub max_windows: usize,
    /// Words of an answer that are read at most
    #[arg(long, default_value_t = 400, value_name = "N", value_parser = count())]
    pub max_words: usize,
    /// Interviews kept in memory, in MiB
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    pub cache_mib: usize,
}

impl Reading {
    /// As the corpus wants it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { windows: self.max_windows, words: self.max_words, cache_bytes: self.cache_mib << 20 }
    }
}

/// Settings of training.
#[derive(Debug, Args)]
pub struct Training {
    /// Modalities
    #[arg(long, value_delimiter = ',', default_value = "verbal,vocal,visual", value_parser = modality)]
    pub modalities: Vec<Modality>,
    /// How interviews are split
    #[arg(long, value_enum, default_value_t = Splitting::Given)]
    pub split: Splitting,
    /// Hidden units of each direction, and units of contexts and attention
    #[arg(long, default_value_t = 64, value_parser = hidden)]
    pub hidden: usize,
    /// Let the high level read the answers forwards only
    #[arg(long)]
    pub one_way: bool,
    /// Adam's step
    #[arg(long, default_value_t = 1e-3, value_parser = rate)]
    pub rate: f64,
    /// Interviews a batch
    #[arg(long, default_value_t = 32, value_parser = batch)]
    pub batch: usize,
    /// Share of values that dropout sets to 0
    #[arg(long, default_value_t = 0.2, value_parser = dropout)]
    pub dropout: f32,
    /// Epochs at most
    #[arg(long, default_value_t = 60, value_parser = count())]
    pub epochs: usize,
    /// Epochs without a better validation AUC after which training stops
    #[arg(long, default_value_t = 10, value_parser = count())]
    pub patience: usize,
    /// Norm of the gradients above which they are scaled down
    #[arg(long, default_value_t = 1.0, value_parser = clip)]
    pub clip: f64,
    /// Seed; the first of them for `compare`
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Let the classes weigh as often as they occur
    #[arg(long)]
    pub no_balance: bool,
    /// Probability with which the fusion's training leaves out a modality
    #[arg(long, default_value_t = 0.3, value_parser = modality_dropout)]
    pub modality_dropout: f64,
    /// Where networks are trained: cpu, or cuda:N in a build with the feature `cuda`
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

impl Training {
    /// As a run wants it.
    #[must_use]
    pub fn settings(&self) -> Settings {
        // Named twice or in another order, modalities are the same run's.
        let mut modalities = self.modalities.clone();
        modalities.sort();
        modalities.dedup();
        Settings {
            train: TrainOptions {
                rate: self.rate,
                batch: self.batch,
                dropout: self.dropout,
                epochs: self.epochs,
                patience: self.patience,
                clip: self.clip,
                seed: self.seed,
                balance: !self.no_balance,
            },
            sizes: Sizes { both_ways: !self.one_way, ..Sizes::uniform(self.hidden) },
            modalities,
            split: self.split,
            modality_dropout: self.modality_dropout,
        }
    }
}
