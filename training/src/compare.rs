//! HireNet beside its ablations, baselines and fusions on the same splits, seed after seed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::Device;
use hirenet_core::Modality;
use serde::Serialize;

use crate::Result;
use crate::baselines::{self, Baseline};
use crate::bundle::{Networks, fusion_seed, network_seed};
use crate::data::split::{Splits, split};
use crate::data::{Corpus, Normalisation, Split, normalisation};
use crate::eval::predictions::{FUSED, Predictions};
use crate::fit::{Observer, PREDICT_BATCH, Scored, Settings, Single, Task, positive_weight, predict, singles, train};
use crate::fusion::{Early, Evidence, FusionTask, GatedFusion, Summary, late, summarise};
use crate::models::{Kind, Network};
use crate::nn::Parameters;

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
    observer: &'a dyn Fn(&str) -> Box<dyn Observer>,
}

impl Comparison<'_> {
    /// Runs one seed.
    ///
    /// # Errors
    /// Those of reading, training and writing.
    pub fn seed(&self, seed: u64, observer: &dyn Fn(&str) -> Box<dyn Observer>) -> Result<()> {
        let splits = split(self.corpus, self.settings.split, seed)?;
        let train_on = splits.of(Split::Train);
        let normalisations = normalisation(self.corpus, train_on)?;
        let positive = positive_weight(self.corpus, train_on, self.settings.train.balance);
        let seeded = Seeded { comparison: self, seed, splits, normalisations, positive, observer };
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
        };
        predictions.save(&self.comparison.folder)
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
        let last = if missing {
            "gated_without_visual"
        } else if fusions {
            "gated"
        } else {
            "hirenet"
        };
        let last_modality = if fusions || missing { FUSED } else { Modality::Visual.as_str() };
        if self.is_done(last, last_modality) {
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
                for left_out in &settings.modalities {
                    let others: Vec<Modality> = settings.modalities.iter().copied().filter(|m| m != left_out).collect();
                    self.fusions(&summaries, &others, Some(*left_out))?;
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
        let name =
            |fusion: &str| left_out.map_or_else(|| fusion.to_owned(), |m| format!("{fusion}_trained_without_{m}"));
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
            for absent in modalities {
                let others: Vec<Modality> = modalities.iter().copied().filter(|m| m != absent).collect();
                let blind = task(&others);
                self.save(&format!("gated_without_{absent}"), FUSED, |i| predict(&blind, i, PREDICT_BATCH))?;
            }
        }
        self.save(&name("gated"), FUSED, |interviews| predict(&task(modalities), interviews, PREDICT_BATCH))
    }
}
