//! `hirenet-train compare`

use super::device;
use crate::cli::Compare;
use crate::compare::{Compared, Comparison};
use crate::data::Corpus;
use crate::fit::Observer;
use crate::progress::Bar;
use crate::{Result, TrainError};

/// What is compared where nothing is named.
const USUAL: [Compared; 9] = [
    Compared::Hirenet,
    Compared::HnSatt,
    Compared::HnAvg,
    Compared::Bigru,
    Compared::NonSequential,
    Compared::BagOfWords,
    Compared::Majority,
    Compared::Random,
    Compared::Fusions,
];

pub(super) fn run(arguments: &Compare, quiet: bool) -> Result<()> {
    let settings = arguments.training.settings();
    let corpus = Corpus::open(&arguments.dataset, &settings.modalities, arguments.reading.limits())?;
    let models = if arguments.models.is_empty() { &USUAL[..] } else { &arguments.models };
    let comparison = Comparison {
        corpus: &corpus,
        settings: &settings,
        models,
        folder: arguments.out.clone(),
        device: device(&arguments.training.device)?,
    };
    comparison.prepare()?;
    let first = arguments.training.seed;
    let end = first.checked_add(arguments.seeds);
    let end =
        end.ok_or_else(|| TrainError::Usage(format!("--seed {first} leaves no room for {} seeds", arguments.seeds)))?;
    for seed in first..end {
        comparison.seed(seed, &|name| -> Box<dyn Observer> { Box::new(Bar::new(name, quiet)) })?;
    }
    Ok(())
}
