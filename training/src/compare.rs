//! HireNet beside its ablations, baselines and fusions on the same splits, seed after seed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::Device;
use hirenet_core::Modality;
use hirenet_model::Calibration;
use serde::Serialize;

use crate::baselines::{self, Baseline};
use crate::bundle::{Networks, fusion_seed, network_seed};
use crate::data::split::{Splits, split};
use crate::data::{Corpus, Normalisation, Split, normalisation};
use crate::eval::predictions::{FUSED, Own, Predictions};
use crate::fit::config::Config;
use crate::fit::{
    Observer, PREDICT_BATCH, Scored, Settings, Single, Task, check_classes, positive_weight, predict, singles, train,
};
use crate::fusion::{Early, Evidence, FusionTask, GatedFusion, Summary, late, summarise};
use crate::models::{Kind, Network};
use crate::nn::Parameters;
use crate::{Result, TrainError};

/// What the folder's predictions were asked for.
const CONFIG_FILE: &str = "comparison.json";

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Compared {
    /// HireNet of each modality.
    Hirenet,
    /// Without context.
    HnSatt,
    /// Without attention.
    HnAvg,
    /// Without hierarchy.
    Bigru,
    /// Statistics over an answer's rows.
    NonSequential,
    /// Words over k-means of rows.
    BagOfWords,
    /// The position's majority.
    Majority,
    /// By the share of positives.
    Random,
    /// Early, late and gated fusion of the HireNets.
    Fusions,
    /// Fusions with each modality missing at test, and those trained without it.
    Missing,
}

/// A comparison.
pub struct Comparison<'a> {
    /// The data set.
    pub corpus: &'a Corpus,
    /// Of every network; the seed is overridden.
    pub settings: &'a Settings,
    /// What is compared.
    pub models: &'a [Compared],
    /// Where predictions go. A part that is there already is not computed again.
    pub folder: PathBuf,
    /// Where networks run.
    pub device: Device,
}

/// One seed's state.
struct Seeded<'a> {
    comparison: &'a Comparison<'a>,
    seed: u64,
    splits: Splits,
    normalisations: BTreeMap<Modality, Normalisation>,
    positive: f64,
    dataset: String,
    observer: &'a dyn Fn(&str) -> Box<dyn Observer>,
}

impl Comparison<'_> {
    /// Readies the folder: what is there already must have been made with the same settings of the same data set.
    ///
    /// # Errors
    /// [`TrainError::Usage`] where it was not, or where its models need more modalities; [`TrainError::Write`].
    pub fn prepare(&self) -> Result<()> {
        if self.models.contains(&Compared::Missing) && self.settings.modalities.len() < 2 {
            return Err(TrainError::Usage("`missing` leaves a modality out: it needs two or more".to_owned()));
        }
        let mut settings = self.settings.clone();
        // Each seed has predictions of its own.
        settings.train.seed = 0;
        let (config, file) = (Config::new(&settings, self.corpus)?, self.folder.join(CONFIG_FILE));
        if file.exists() {
            return config.check(&file);
        }
        if self.folder.exists() && !Predictions::files(&self.folder)?.is_empty() {
            let folder = self.folder.display();
            let detail = format!("{folder} holds predictions, but no {CONFIG_FILE} that tells what they are of");
            return Err(TrainError::Usage(detail));
        }
        crate::files::make_folder(&self.folder)?;
        config.save(&file)
    }

    /// Runs one seed.
    ///
    /// # Errors
    /// Those of [`Comparison::prepare`], and of reading, training and writing.
    pub fn seed(&self, seed: u64, observer: &dyn Fn(&str) -> Box<dyn Observer>) -> Result<()> {
        self.prepare()?;
        let splits = split(self.corpus, self.settings.split, seed)?;
        check_classes(self.corpus, &splits)?;
        let train_on = splits.of(Split::Train);
        let normalisations = normalisation(self.corpus, train_on)?;
        let positive = positive_weight(self.corpus, train_on, self.settings.train.balance);
        let dataset = self.corpus.fingerprint()?;
        let seeded = Seeded { comparison: self, seed, splits, normalisations, positive, dataset, observer };
        let has = |model| self.models.contains(&model);
        for (model, kind) in
            [(Compared::HnSatt, Kind::HnSatt), (Compared::HnAvg, Kind::HnAvg), (Compared::Bigru, Kind::Bigru)]
        {
            if has(model) {
                self.settings.modalities.iter().try_for_each(|m| seeded.ablation(kind, *m))?;
            }
        }
        for (model, baseline) in [
            (Compared::NonSequential, Baseline::NonSequential),
            (Compared::BagOfWords, Baseline::BagOfWords),
            (Compared::Majority, Baseline::Majority),
            (Compared::Random, Baseline::Random),
        ] {
            if has(model) {
                seeded.baseline(baseline)?;
            }
        }
        if has(Compared::Hirenet) || has(Compared::Fusions) || has(Compared::Missing) {
            seeded.hirenets(has(Compared::Fusions), has(Compared::Missing))?;
        }
        Ok(())
    }
}

impl Seeded<'_> {
    fn settings(&self) -> Settings {
        let mut settings = self.comparison.settings.clone();
        settings.train.seed = self.seed;
        settings
    }

    fn is_done(&self, model: &str, modality: &str) -> bool {
        self.comparison.folder.join(Predictions::file_name(model, modality, self.seed)).exists()
    }

    fn save(&self, model: &str, modality: &str, said: impl Fn(&[usize]) -> Result<Vec<Scored>>) -> Result<()> {
        let predictions = Predictions {
            model: model.to_owned(),
            modality: modality.to_owned(),
            seed: self.seed,
            validation: said(self.splits.of(Split::Validation))?,
            test: said(self.splits.of(Split::Test))?,
            dataset: Some(self.dataset.clone()),
            train_positive: Some(self.train_positive()),
            // A vote of the position's training interviews is no score that validation could calibrate.
            own: (model == "majority").then_some(Own { calibration: Calibration { a: 1.0, b: 0.0 }, threshold: 0.5 }),
        };
        predictions.save(&self.comparison.folder)
    }

    /// Share of positive labels among the training interviews.
    fn train_positive(&self) -> f64 {
        let (records, train) = (self.comparison.corpus.records(), self.splits.of(Split::Train));
        train.iter().map(|index| f64::from(records[*index].label)).sum::<f64>() / train.len().max(1) as f64
    }

    fn train<T: Task>(&self, name: &str, task: &T) -> Result<()> {
        let (on, validation) = (self.splits.of(Split::Train), self.splits.of(Split::Validation));
        train(task, on, validation, &self.settings().train, None, (self.observer)(name).as_ref()).map(|_| ())
    }

    fn ablation(&self, kind: Kind, modality: Modality) -> Result<()> {
        let name = serde_json::json!(kind).as_str().unwrap_or_default().to_owned();
        if self.is_done(&name, modality.as_str()) {
            return Ok(());
        }
        let normalisation = &self.normalisations[&modality];
        let p = Parameters::new(network_seed(self.seed, modality), &self.comparison.device);
        let words = self.comparison.corpus.header().context_width();
        let network = kind.build(p, normalisation.mean.len(), words, self.settings().sizes)?;
        let single = self.single(modality, network.as_ref());
        self.train(&format!("{name} {modality} {}", self.seed), &single)?;
        self.save(&name, modality.as_str(), |interviews| predict(&single, interviews, PREDICT_BATCH))
    }

    fn single<'s>(&'s self, modality: Modality, network: &'s dyn Network) -> Single<'s> {
        Single {
            corpus: self.comparison.corpus,
            modality,
            normalisation: &self.normalisations[&modality],
            network,
            positive: self.positive,
            labels: None,
        }
    }

    fn baseline(&self, baseline: Baseline) -> Result<()> {
        let (corpus, modalities) = (self.comparison.corpus, &self.settings().modalities);
        for (name, modality) in baseline.parts(modalities) {
            if !self.is_done(&name, modality.map_or(FUSED, Modality::as_str)) {
                let fitted = baselines::fit(baseline, corpus, modality, &self.splits, &self.normalisations, self.seed)?;
                self.save(&name, modality.map_or(FUSED, Modality::as_str), |interviews| {
                    fitted.score(corpus, interviews)
                })?;
            }
        }
        Ok(())
    }

    fn hirenets(&self, fusions: bool, missing: bool) -> Result<()> {
        let settings = self.settings();
        // Every file counts: a run that was cut off has left some of them, and an earlier one may have made fewer.
        if expected(&settings.modalities, fusions, missing).iter().all(|(model, part)| self.is_done(model, part)) {
            return Ok(());
        }
        let corpus = self.comparison.corpus;
        let networks =
            Networks::draw(corpus.header(), &self.normalisations, settings.sizes, self.seed, &self.comparison.device)?;
        let singles = singles(corpus, &networks, self.positive);
        for single in &singles {
            self.train(&format!("hirenet {} {}", single.modality, self.seed), single)?;
            self.save("hirenet", single.modality.as_str(), |interviews| predict(single, interviews, PREDICT_BATCH))?;
        }
        if fusions || missing {
            let everyone: Vec<usize> = Split::ALL.iter().flat_map(|s| self.splits.of(*s)).copied().collect();
            let summaries = summarise(&singles, &everyone, PREDICT_BATCH)?;
            self.fusions(&summaries, &settings.modalities, None)?;
            if missing {
                for (left_out, others) in with_one_absent(&settings.modalities) {
                    self.fusions(&summaries, &others, Some(left_out))?;
                }
            }
        }
        Ok(())
    }

    /// Trains the three fusions of some modalities. With all of them, each is also scored with one missing.
    fn fusions(
        &self,
        summaries: &BTreeMap<usize, Summary>,
        modalities: &[Modality],
        left_out: Option<Modality>,
    ) -> Result<()> {
        let settings = self.settings();
        let name = |fusion: &str| left_out.map_or_else(|| fusion.to_owned(), |m| trained_without(fusion, m));
        let words = self.comparison.corpus.header().context_width();
        let p = Parameters::new(fusion_seed(self.seed), &self.comparison.device);
        let network = GatedFusion::new(p, modalities, 2 * settings.sizes.hidden, words, settings.sizes)?;
        let (on, validation) = (self.splits.of(Split::Train), self.splits.of(Split::Validation));
        network.believe(&Evidence::fit(summaries, validation, modalities))?;
        let task = |visible: &[Modality]| FusionTask {
            summaries,
            network: &network,
            modality_dropout: settings.modality_dropout,
            visible: visible.to_vec(),
            positive: self.positive,
        };
        self.train(&format!("{} {}", name("gated"), self.seed), &task(modalities))?;
        let early = Early::fit(summaries, on, validation, modalities)?;
        self.save(&name("early"), FUSED, |interviews| Ok(early.score(summaries, interviews, modalities)))?;
        self.save(&name("late"), FUSED, |interviews| Ok(late(summaries, interviews, modalities)))?;
        if left_out.is_none() {
            for (absent, others) in with_one_absent(modalities) {
                let blind = task(&others);
                self.save(&blinded(absent), FUSED, |i| predict(&blind, i, PREDICT_BATCH))?;
            }
        }
        self.save(&name("gated"), FUSED, |interviews| predict(&task(modalities), interviews, PREDICT_BATCH))
    }
}

/// Each modality with the others; nothing where there is one only.
fn with_one_absent(modalities: &[Modality]) -> Vec<(Modality, Vec<Modality>)> {
    let others = |absent: &Modality| modalities.iter().copied().filter(|m| m != absent).collect::<Vec<_>>();
    modalities.iter().map(|m| (*m, others(m))).filter(|(_, others)| !others.is_empty()).collect()
}

/// Name of a fusion that never saw a modality.
fn trained_without(fusion: &str, modality: Modality) -> String {
    format!("{fusion}_trained_without_{modality}")
}

/// Name of the gated fusion that misses a modality at test.
fn blinded(modality: Modality) -> String {
    format!("gated_without_{modality}")
}

/// Model and modality of everything that HireNets and their fusions leave in the folder.
fn expected(modalities: &[Modality], fusions: bool, missing: bool) -> Vec<(String, &'static str)> {
    let mut all: Vec<_> = modalities.iter().map(|m| ("hirenet".to_owned(), m.as_str())).collect();
    if fusions || missing {
        let whole = ["early", "late", "gated"].map(str::to_owned).into_iter();
        let absent: Vec<Modality> = with_one_absent(modalities).into_iter().map(|(absent, _)| absent).collect();
        all.extend(whole.chain(absent.iter().map(|m| blinded(*m))).map(|model| (model, FUSED)));
        if missing {
            let without =
                absent.iter().flat_map(|m| ["early", "late", "gated"].map(|fusion| trained_without(fusion, *m)));
            all.extend(without.map(|model| (model, FUSED)));
        }
    }
    all
}
