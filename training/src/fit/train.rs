//! The training loop, whatever is trained.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use candle_core::Tensor;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::checkpoint::{self, Progress};
use super::optimiser::Adam;
use crate::eval::metrics::{auc, log_loss, sigmoid};
use crate::nn::{Dropout, Parameters};
use crate::{Result, TrainError};

/// Batches that are laid out ahead of the network.
const AHEAD: usize = 2;
/// A better AUC must be better by this, so that chance alone does not prolong a run.
const IMPROVEMENT: f64 = 1e-4;

/// Settings of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrainOptions {
    /// Adam's step.
    pub rate: f64,
    /// Interviews a batch.
    pub batch: usize,
    /// Share of values that dropout sets to 0.
    pub dropout: f32,
    /// Epochs at most.
    pub epochs: usize,
    /// Epochs without a better validation AUC after which it stops.
    pub patience: usize,
    /// Norm of all gradients above which they are scaled down.
    pub clip: f64,
    /// Seed of weights, order and dropout.
    pub seed: u64,
    /// Whether both classes weigh the same.
    pub balance: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            rate: 1e-3,
            batch: 32,
            dropout: 0.2,
            epochs: 60,
            patience: 10,
            clip: 1.0,
            seed: 1,
            balance: true,
        }
    }
}

/// What is trained: weights, how interviews become batches, and what a batch says.
pub trait Task: Sync {
    /// Interviews laid out.
    type Batch: Send;

    /// The weights.
    fn parameters(&self) -> &Parameters;

    /// Lays out the interviews with these numbers; `None` where none of them has what it takes. `noise` seeds whatever
    /// training changes at random; `None` while evaluating.
    ///
    /// # Errors
    /// Those of reading the interviews.
    fn batch(&self, interviews: &[usize], noise: Option<u64>) -> Result<Option<Self::Batch>>;

    /// The mean loss of a batch.
    ///
    /// # Errors
    /// Those of the device.
    fn loss(&self, batch: &Self::Batch, dropout: &mut Dropout) -> Result<Tensor>;

    /// Number, label and logit of each interview.
    ///
    /// # Errors
    /// Those of the device.
    fn logits(&self, batch: &Self::Batch) -> Result<Vec<Scored>>;
}

/// What a model says of an interview.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Number in the corpus.
    pub index: usize,
    /// 1 hirable, 0 not.
    pub label: u8,
    /// Uncalibrated logit.
    pub logit: f64,
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1; 0 is the start, before any step.
    pub epoch: usize,
    /// Mean over the epoch's batches; `None` at the start.
    pub train_loss: Option<f64>,
    /// Of the validation interviews, without class weights.
    pub validation_loss: f64,
    /// Of the validation interviews.
    pub validation_auc: f64,
}

/// Sees a run from outside.
pub trait Observer {
    /// A batch is done.
    fn batch(&self, epoch: usize, done: usize, of: usize, loss: f64);
    /// An epoch is done, and its checkpoint is on the disk.
    fn epoch(&self, epoch: &Epoch);
}

/// Sees nothing.
pub struct Unseen;

impl Observer for Unseen {
    fn batch(&self, _epoch: usize, _done: usize, _of: usize, _loss: f64) {}
    fn epoch(&self, _epoch: &Epoch) {}
}

/// Binary cross-entropy of logits `[B]`, positives weighted by `positive`.
///
/// # Errors
/// Those of the device.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, positive: f64) -> candle_core::Result<Tensor> {
    let loss = ((logits.relu()? - (logits * labels)?)? + (logits.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
    let weights = ((labels * (positive - 1.0))? + 1.0)?;
    (loss * &weights)?.sum_all()? / weights.sum_all()?
}

/// Lays out batches on a thread of their own, ahead of `use_it`.
///
/// # Errors
/// Those of the task and of `use_it`.
pub fn for_batches<T: Task>(
    task: &T,
    interviews: &[usize],
    size: usize,
    noise: Option<u64>,
    mut use_it: impl FnMut(T::Batch) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        scope.spawn(move || {
            for (number, chunk) in interviews.chunks(size).enumerate() {
                let noise = noise.map(|seed| seed.wrapping_mul(0x9e37_79b9).wrapping_add(number as u64));
                // A receiver that is gone has failed, and says why itself.
                if sender.send(task.batch(chunk, noise)).is_err() {
                    return;
                }
            }
        });
        for batch in receiver {
            if let Some(batch) = batch? {
                use_it(batch)?;
            }
        }
        Ok(())
    })
}

/// Logits of interviews, those that lack what the task needs left out.
///
/// # Errors
/// Those of the task.
pub fn predict<T: Task>(task: &T, interviews: &[usize], size: usize) -> Result<Vec<Scored>> {
    let mut scored = Vec::with_capacity(interviews.len());
    for_batches(task, interviews, size, None, |batch| {
        scored.extend(task.logits(&batch)?);
        Ok(())
    })?;
    Ok(scored)
}

/// Where a run is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The checkpoint's file.
    pub path: &'a Path,
    /// Whether to go on from it.
    pub resume: bool,
    /// What else the run was asked for, and of which data: a checkpoint of anything else is not gone on from.
    pub about: &'a serde_json::Value,
}

/// Trains until validation no longer gets better; the best epoch's weights are in place then, or those of the start where
/// no epoch was better. The history begins with the start, as epoch 0. With `checkpoint` each epoch is kept there, and a run
/// that was cut off goes on from it where `resume` is set.
///
/// # Errors
/// Those of the task; [`TrainError::Diverged`]; [`TrainError::Write`] where a checkpoint cannot be written;
/// [`TrainError::Usage`] where the checkpoint belongs to other settings, [`TrainError::Dataset`] where it is damaged.
pub fn train<T: Task>(
    task: &T,
    train: &[usize],
    validation: &[usize],
    options: &TrainOptions,
    checkpoint: Option<Kept<'_>>,
    observer: &dyn Observer,
) -> Result<Vec<Epoch>> {
    let parameters = task.parameters();
    let about = checkpoint.map_or(&serde_json::Value::Null, |kept| kept.about);
    let asked = json!({"options": options, "train": train.len(), "validation": validation.len(), "run": about});
    let settings = super::config::as_kept(&asked)?;
    let State { mut adam, mut history, mut best } = match checkpoint {
        Some(kept) if kept.resume && kept.path.exists() => State::load(kept.path, parameters, &settings)?,
        _ => {
            let (validation_loss, validation_auc) = validate(task, validation, options)?;
            let start = Epoch { epoch: 0, train_loss: None, validation_loss, validation_auc };
            observer.epoch(&start);
            State { adam: Adam::new(parameters)?, history: vec![start], best: parameters.snapshot()? }
        }
    };
    while history.len() <= options.epochs && history.len() - 1 - best_epoch(&history) < options.patience {
        let number = history.len();
        let train_loss = Some(run_epoch(task, train, options, number, &mut adam, observer)?);
        let (validation_loss, validation_auc) = validate(task, validation, options)?;
        let epoch = Epoch { epoch: number, train_loss, validation_loss, validation_auc };
        history.push(epoch);
        if best_epoch(&history) == number {
            best = parameters.snapshot()?;
        }
        if let Some(Kept { path, .. }) = checkpoint {
            let progress = Progress { settings: settings.clone(), steps: adam.steps(), history: history.clone() };
            checkpoint::save(path, &tensors_of(parameters, &adam, &best), &progress)?;
        }
        observer.epoch(&epoch);
    }
    parameters.restore(&best)?;
    Ok(history)
}

/// Where a run stands between two epochs, beside the weights.
struct State {
    adam: Adam,
    history: Vec<Epoch>,
    /// Weights of the best epoch.
    best: HashMap<String, Tensor>,
}

impl State {
    /// Reads a checkpoint, and sets the weights.
    fn load(path: &Path, parameters: &Parameters, settings: &serde_json::Value) -> Result<State> {
        let (tensors, progress): (_, Progress<Vec<Epoch>>) = checkpoint::load(path)?;
        if progress.settings != *settings {
            let differ = super::config::differences(&progress.settings, settings).join(", ");
            return Err(TrainError::Usage(format!("{} was made with other settings: {differ}", path.display())));
        }
        // The settings are the same, so whatever does not fit was not written by this program.
        let damaged = |error: candle_core::Error| TrainError::dataset(path, format!("it is damaged: {error}"));
        let stripped = |prefix: &str| -> HashMap<String, Tensor> {
            let part =
                |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()));
            tensors.iter().filter_map(part).collect()
        };
        let best = stripped("best/");
        parameters.restore(&best).map_err(damaged)?;
        parameters.restore(&stripped("weight/")).map_err(damaged)?;
        let adam = Adam::restore(parameters, &tensors, progress.steps).map_err(damaged)?;
        if progress.history.is_empty() {
            return Err(TrainError::dataset(path, "it is damaged: its history is empty"));
        }
        Ok(State { adam, history: progress.history, best })
    }
}

/// Loss and AUC on the validation interviews, without class weights.
fn validate<T: Task>(task: &T, validation: &[usize], options: &TrainOptions) -> Result<(f64, f64)> {
    let scored = predict(task, validation, 4 * options.batch)?;
    let labels: Vec<u8> = scored.iter().map(|s| s.label).collect();
    let logits: Vec<f64> = scored.iter().map(|s| s.logit).collect();
    let probabilities: Vec<f64> = logits.iter().map(|logit| sigmoid(*logit)).collect();
    Ok((log_loss(&probabilities, &labels), auc(&logits, &labels)))
}

fn tensors_of(parameters: &Parameters, adam: &Adam, best: &HashMap<String, Tensor>) -> Vec<(String, Tensor)> {
    let weights = parameters.vars().iter().map(|(name, var)| (format!("weight/{name}"), var.as_tensor().clone()));
    let best = best.iter().map(|(name, tensor)| (format!("best/{name}"), tensor.clone()));
    weights.chain(best).chain(adam.state(parameters)).collect()
}

/// The mean loss over the epoch's batches. The order depends on seed and epoch alone, so that a resumed run sees the same.
fn run_epoch<T: Task>(
    task: &T,
    train: &[usize],
    options: &TrainOptions,
    epoch: usize,
    adam: &mut Adam,
    observer: &dyn Observer,
) -> Result<f64> {
    let parameters = task.parameters();
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    rng.set_stream(epoch as u64);
    let mut order = train.to_vec();
    order.shuffle(&mut rng);
    let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(epoch as u64);
    let mut dropout = Dropout::new(options.dropout, seed);
    let of = order.len().div_ceil(options.batch);
    let (mut sum, mut done) = (0.0, 0);
    for_batches(task, &order, options.batch, Some(seed), |batch| {
        let loss = task.loss(&batch, &mut dropout)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        let norm = adam.step(parameters, &loss.backward()?, options.rate, options.clip)?;
        if !value.is_finite() || !norm.is_finite() {
            let detail = format!("the loss is {value}, the gradient's norm {norm}");
            return Err(TrainError::Diverged { epoch, detail });
        }
        sum += value;
        done += 1;
        observer.batch(epoch, done, of, value);
        Ok(())
    })?;
    Ok(sum / f64::from(u32::try_from(done.max(1)).unwrap_or(u32::MAX)))
}

/// The epoch whose weights are kept: its place in the history. 0 is the start.
#[must_use]
pub fn best_epoch(history: &[Epoch]) -> usize {
    let mut best = 0;
    for (place, epoch) in history.iter().enumerate() {
        if epoch.validation_auc > history[best].validation_auc + IMPROVEMENT {
            best = place;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn cross_entropy_is_the_definition_also_for_large_logits() {
        let logits = Tensor::new(&[0.3_f32, -2.0, 60.0, -60.0], &Device::Cpu).unwrap();
        let labels = Tensor::new(&[1.0_f32, 0.0, 1.0, 1.0], &Device::Cpu).unwrap();
        let loss = cross_entropy(&logits, &labels, 3.0).unwrap().to_scalar::<f32>().unwrap();
        let terms = [3.0 * -sigmoid(0.3).ln(), -(1.0 - sigmoid(-2.0)).ln(), 0.0, 3.0 * 60.0];
        assert!((f64::from(loss) - terms.iter().sum::<f64>() / 10.0).abs() < 1e-5);
    }

    #[test]
    fn a_run_stops_after_its_best_epoch() {
        let epoch = |auc| Epoch { epoch: 0, train_loss: None, validation_loss: 0.0, validation_auc: auc };
        let best = |aucs: &[f64]| best_epoch(&aucs.iter().copied().map(epoch).collect::<Vec<_>>());
        assert_eq!([best(&[0.4]), best(&[0.4, 0.5]), best(&[0.4, 0.5, 0.7, 0.6, 0.7])], [0, 1, 2]);
        // The start stays where nothing is better.
        assert_eq!(best(&[0.4, 0.3, 0.4]), 0);
    }
}
