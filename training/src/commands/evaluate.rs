//! `hirenet-train evaluate`

use std::path::{Path, PathBuf};

use hirenet_core::Modality;
use hirenet_model::{Bundle, Calibration};
use hirenet_onnx::Runtime;

use super::print;
use crate::cli::{Evaluate, MeasuredOn};
use crate::data::split::{Splitting, split};
use crate::data::{Corpus, Limits, fingerprint, read_records};
use crate::eval::bundle::{InterviewScore, TrainedOn, open, runtime, score};
use crate::eval::markdown::markdown;
use crate::eval::predictions::{FUSED, Own, Predictions};
use crate::eval::report::reports;
use crate::files::{make_folder, write_json, write_whole};
use crate::fit::Scored;
use crate::{Result, TrainError};

pub(super) fn run(arguments: &Evaluate) -> Result<()> {
    let (records, dataset) = (read_records(&arguments.dataset)?, fingerprint(&arguments.dataset)?);
    // The process has one environment of ONNX Runtime, whatever the number of bundles.
    let mut environment: Option<Runtime> = None;
    let mut predictions: Vec<Predictions> = Vec::new();
    for path in &arguments.models {
        if path.is_dir() {
            for (file, said) in Predictions::load_all(path)? {
                said.check(&file, &records, &dataset)?;
                predictions.push(said);
            }
        } else {
            let environment = match &mut environment {
                Some(environment) => environment,
                none => none.insert(runtime()?),
            };
            let name = name_of(path, &arguments.models);
            predictions.extend(of_bundle(arguments, environment, path, &name)?);
        }
    }
    check_distinct(&predictions)?;
    let reports = reports(&predictions, &records, arguments.draws);
    let text = markdown(&reports);
    make_folder(&arguments.out)?;
    write_whole(&arguments.out.join("evaluation.md"), text.as_bytes())?;
    write_json(&arguments.out.join("evaluation.json"), &reports)?;
    print(&text)
}

/// A bundle's row is named after its file, with the folder where two files have the same name.
fn name_of(path: &Path, all: &[PathBuf]) -> String {
    let same = all.iter().filter(|other| other.file_name() == path.file_name()).count();
    let name = path.file_name().filter(|_| same == 1).map_or(path.as_os_str(), |name| name);
    name.to_string_lossy().into_owned()
}

/// Refuses the same thing twice: it would be taken for two seeds.
fn check_distinct(predictions: &[Predictions]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for said in predictions {
        if !seen.insert((&said.model, &said.modality, said.seed)) {
            let Predictions { model, modality, seed, .. } = said;
            return Err(TrainError::Usage(format!("{model} of {modality}, seed {seed}, is there twice")));
        }
    }
    Ok(())
}

/// A bundle's logits with its card's calibration and threshold: nothing is fitted to what it is measured on.
fn of_bundle(arguments: &Evaluate, runtime: &Runtime, path: &Path, name: &str) -> Result<Vec<Predictions>> {
    let mut bundle = open(runtime, path)?;
    let trained_on = TrainedOn::of(bundle.card(), path)?;
    let limits = trained_on.as_ref().map_or_else(Limits::default, |on| on.read.into());
    let modalities: Vec<Modality> = bundle.modalities().collect();
    let corpus = Corpus::open(&arguments.dataset, &modalities, limits)?;
    let interviews = measured_on(arguments, &corpus, trained_on.as_ref(), path)?;
    let scored = score(&mut bundle, &corpus, &interviews)?;
    let part = |modality| of_part(&bundle, &scored, name, modality);
    Ok(modalities.iter().map(|m| Some(*m)).chain([None]).map(part).collect())
}

fn of_part(bundle: &Bundle, scored: &[InterviewScore], name: &str, modality: Option<Modality>) -> Predictions {
    let card = bundle.card();
    let calibration = modality.map_or(Some(card.calibration.fused), |m| card.calibration.get(m));
    let of = |said: &InterviewScore| {
        let logit = modality.map_or(Some(said.logit), |m| said.logits.get(m).copied())?;
        Some(Scored { index: said.index, label: said.label, logit })
    };
    Predictions {
        model: name.to_owned(),
        modality: modality.map_or(FUSED, Modality::as_str).to_owned(),
        seed: 1,
        validation: Vec::new(),
        test: scored.iter().filter_map(of).collect(),
        dataset: None,
        train_positive: None,
        own: Some(Own {
            calibration: calibration.unwrap_or(Calibration { a: 1.0, b: 0.0 }),
            threshold: card.threshold,
        }),
    }
}

/// Interviews that a bundle is measured on: on its own data set, those that its training left for this.
fn measured_on(
    arguments: &Evaluate,
    corpus: &Corpus,
    trained_on: Option<&TrainedOn>,
    bundle: &Path,
) -> Result<Vec<usize>> {
    let wanted = match arguments.on {
        MeasuredOn::All => return Ok((0..corpus.records().len()).collect()),
        MeasuredOn::Split(wanted) => wanted,
    };
    match trained_on {
        Some(on) if on.how != Splitting::Given && on.dataset == corpus.fingerprint()? => {
            return Ok(split(corpus, on.how, on.seed)?.of(wanted).to_vec());
        }
        _ => {}
    }
    let records = corpus.records().iter().enumerate();
    let found: Vec<usize> = records.filter(|(_, record)| record.split == Some(wanted)).map(|(i, _)| i).collect();
    if found.is_empty() {
        let (file, bundle) = (corpus.records_file(), bundle.display());
        return Err(TrainError::Usage(format!(
            "{}: no interview has the split `{wanted}`, and {bundle} was not trained on this data set with a split of its \
             own; --on all measures it on every interview",
            file.display()
        )));
    }
    Ok(found)
}
