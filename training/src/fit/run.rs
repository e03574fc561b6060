//! A whole bundle: the networks of the modalities, the fusion on top of them, and the calibration of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Device;
use hirenet_core::Modality;
use hirenet_model::Calibration;
use serde::{Deserialize, Serialize};

use super::config::{CONFIG_FILE, Config, as_kept};
use super::{Epoch, Kept, Observer, Scored, Settings, Single, Task, checkpoint, predict, train};
use crate::bundle::Networks;
use crate::data::split::{Splits, split};
use crate::data::{Corpus, Normalisation, Split, normalisation};
use crate::eval::predictions::{FUSED, Predictions};
use crate::files::{make_folder, read_json, write_json};
use crate::fusion::{Evidence, FusionTask, summarise};
use crate::{Result, TrainError};

/// Interviews a batch while nothing is trained.
pub(crate) const PREDICT_BATCH: usize = 128;
const STATISTICS_FILE: &str = "statistics.json";

/// What a run leaves behind.
pub struct Fitted {
    /// The networks, trained.
    pub networks: Networks,
    /// Of each modality, and of the fusion under `None`.
    pub calibration: BTreeMap<Option<Modality>, Calibration>,
    /// How each went, by its name.
    pub histories: BTreeMap<String, Vec<Epoch>>,
    /// What each says of validation and test, by its name.
    pub predictions: Vec<Predictions>,
    /// Which interviews served for what.
    pub splits: Splits,
    /// What the run was asked for, and of which data.
    pub config: Config,
}

/// Statistics as they are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Statistics {
    mean: Vec<f32>,
    std: Vec<f32>,
}

/// Weight of a positive label that makes both classes count the same.
#[must_use]
pub fn positive_weight(corpus: &Corpus, interviews: &[usize], balance: bool) -> f64 {
    let positives = interviews.iter().filter(|i| corpus.records()[**i].label == 1).count().max(1);
    if balance { (interviews.len() - positives.min(interviews.len())).max(1) as f64 / positives as f64 } else { 1.0 }
}

/// Refuses splits that nothing can be learnt from.
///
/// # Errors
/// [`TrainError::Dataset`] where all training interviews have the same label.
pub fn check_classes(corpus: &Corpus, splits: &Splits) -> Result<()> {
    let labels: Vec<u8> = splits.of(Split::Train).iter().map(|index| corpus.records()[*index].label).collect();
    match labels.first() {
        Some(first) if labels.iter().all(|label| label == first) => {
            let detail = format!("all {} training interviews have label {first}; both labels are needed", labels.len());
            Err(TrainError::dataset(corpus.records_file(), detail))
        }
        _ => Ok(()),
    }
}

/// A run in its folder.
pub struct Run<'a> {
    /// The data set.
    pub corpus: &'a Corpus,
    /// What is asked for.
    pub settings: &'a Settings,
    /// Where checkpoints and results go.
    pub folder: PathBuf,
    /// Where networks run.
    pub device: Device,
    /// Whether to go on from the folder's checkpoints.
    pub resume: bool,
}

impl Run<'_> {
    /// Trains everything. `observer` is made for each part by its name.
    ///
    /// # Errors
    /// Those of reading, training and writing; [`TrainError::Usage`] where the folder holds a run that is not to be gone on
    /// from, or was asked for something else, before anything in it is touched.
    pub fn fit(&self, observer: &dyn Fn(&str) -> Box<dyn Observer>) -> Result<Fitted> {
        let (config, file) = (Config::new(self.settings, self.corpus)?, self.folder.join(CONFIG_FILE));
        match (self.resume, file.exists()) {
            (true, true) => config.check(&file)?,
            // Its checkpoints would be lost one by one, and with half of them gone neither run could be gone on from.
            (false, true) => {
                let folder = self.folder.display();
                let advice = "go on from it with --resume, name another folder with --run, or remove it";
                return Err(TrainError::Usage(format!("{folder} holds an earlier run: {advice}")));
            }
            _ => {}
        }
        let seed = self.settings.train.seed;
        let splits = split(self.corpus, self.settings.split, seed)?;
        check_classes(self.corpus, &splits)?;
        make_folder(&self.folder)?;
        config.save(&file)?;
        let about = as_kept(&config)?;
        let normalisations = normalisation(self.corpus, splits.of(Split::Train))?;
        save_statistics(&self.folder, &normalisations)?;
        let networks = Networks::draw(self.corpus.header(), &normalisations, self.settings.sizes, seed, &self.device)?;
        let positive = positive_weight(self.corpus, splits.of(Split::Train), self.settings.train.balance);
        let (mut histories, mut predictions) = (BTreeMap::new(), Vec::new());
        let singles = singles(self.corpus, &networks, positive);
        for single in &singles {
            let name = single.modality.as_str();
            let (history, said) = self.part(name, single, (&splits, &about), observer(name).as_ref())?;
            histories.insert(name.to_owned(), history);
            predictions.push(said);
        }
        let everyone: Vec<usize> = (0..self.corpus.records().len()).collect();
        let summaries = summarise(&singles, &everyone, PREDICT_BATCH)?;
        let evidence = Evidence::fit(&summaries, splits.of(Split::Validation), &self.settings.modalities);
        networks.fusion.believe(&evidence)?;
        let fusion = FusionTask {
            summaries: &summaries,
            network: &networks.fusion,
            modality_dropout: self.settings.modality_dropout,
            visible: self.settings.modalities.clone(),
            positive,
        };
        let (history, said) = self.part(FUSED, &fusion, (&splits, &about), observer(FUSED).as_ref())?;
        histories.insert(FUSED.to_owned(), history);
        predictions.push(said);
        drop(singles);
        let calibration = predictions.iter().map(|said| (modality_of(&said.modality), said.calibration())).collect();
        Ok(Fitted { networks, calibration, histories, predictions, splits, config })
    }

    fn part<T: Task>(
        &self,
        name: &str,
        task: &T,
        (splits, about): (&Splits, &serde_json::Value),
        observer: &dyn Observer,
    ) -> Result<(Vec<Epoch>, Predictions)> {
        let path = self.folder.join(format!("{name}.safetensors"));
        let options = &self.settings.train;
        let (train_on, validation) = (splits.of(Split::Train), splits.of(Split::Validation));
        let kept = Kept { path: &path, resume: self.resume, about };
        let history = train(task, train_on, validation, options, Some(kept), observer)?;
        let said = |split| -> Result<Vec<Scored>> { predict(task, splits.of(split), PREDICT_BATCH) };
        let model = if name == FUSED { "gated" } else { "hirenet" };
        let predictions = Predictions {
            model: model.to_owned(),
            modality: name.to_owned(),
            seed: options.seed,
            validation: said(Split::Validation)?,
            test: said(Split::Test)?,
            dataset: about["dataset"].as_str().map(str::to_owned),
            train_positive: None,
            own: None,
        };
        Ok((history, predictions))
    }
}

/// The modality of a name; `None` for the fusion.
fn modality_of(name: &str) -> Option<Modality> {
    Modality::ALL.into_iter().find(|m| m.as_str() == name)
}

/// The networks of a bundle as things to run.
#[must_use]
pub fn singles<'a>(corpus: &'a Corpus, networks: &'a Networks, positive: f64) -> Vec<Single<'a>> {
    let single = |(modality, (network, normalisation)): (&Modality, &'a (crate::models::HireNet, Normalisation))| {
        Single { corpus, modality: *modality, normalisation, network, positive, labels: None }
    };
    networks.single.iter().map(single).collect()
}

fn save_statistics(folder: &Path, normalisations: &BTreeMap<Modality, Normalisation>) -> Result<()> {
    let kept: BTreeMap<&str, Statistics> = normalisations
        .iter()
        .map(|(m, n)| (m.as_str(), Statistics { mean: n.mean.to_vec(), std: n.std.to_vec() }))
        .collect();
    write_json(&folder.join(STATISTICS_FILE), &kept)
}

/// Settings and trained networks of a run's folder.
///
/// # Errors
/// [`TrainError::Read`] and [`TrainError::Dataset`], which name the file; [`TrainError::Usage`] for another data set's run.
pub fn load_run(folder: &Path, corpus: &Corpus, device: &Device) -> Result<(Settings, Networks)> {
    let Config { settings, dataset, .. } = Config::of_run(folder)?;
    if dataset != corpus.fingerprint()? {
        let [run, data] = [folder, corpus.folder()].map(Path::display);
        return Err(TrainError::Usage(format!(
            "{run} is a run over another data set than {data}, or it has changed since"
        )));
    }
    let kept: BTreeMap<String, Statistics> = read_json(&folder.join(STATISTICS_FILE))?;
    let mut normalisations = BTreeMap::new();
    for modality in &settings.modalities {
        let (Some(found), Some(schema)) = (kept.get(modality.as_str()), corpus.header().schemas.get(*modality)) else {
            return Err(TrainError::Usage(format!("{} and the data set differ in {modality}", folder.display())));
        };
        if found.mean.len() != schema.columns || found.std.len() != schema.columns {
            return Err(TrainError::Usage(format!("{} and the data set differ in {modality}", folder.display())));
        }
        let (mean, std) = (found.mean.clone().into(), found.std.clone().into());
        normalisations.insert(*modality, Normalisation { mean, std });
    }
    let networks = Networks::draw(corpus.header(), &normalisations, settings.sizes, settings.train.seed, device)?;
    let load = |name: &str, parameters: &crate::nn::Parameters| -> Result<()> {
        let path = folder.join(format!("{name}.safetensors"));
        let (tensors, _): (_, checkpoint::Progress<Vec<Epoch>>) = checkpoint::load(&path)?;
        let best = tensors.into_iter().filter_map(|(name, t)| Some((name.strip_prefix("best/")?.to_owned(), t)));
        parameters.restore(&best.collect()).map_err(|error| TrainError::dataset(path, error.to_string()))
    };
    for (modality, (network, _)) in &networks.single {
        load(modality.as_str(), crate::models::Network::parameters(network))?;
    }
    load(FUSED, networks.fusion.parameters())?;
    Ok((settings, networks))
}
