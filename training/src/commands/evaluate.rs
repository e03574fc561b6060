//! `hirenet-train evaluate`

use std::path::Path;

use hirenet_core::Modality;

use super::print;
use crate::cli::{Evaluate, MeasuredOn};
use crate::data::{Corpus, Limits, Record, Split};
use crate::eval::bundle::{open, runtime, score};
use crate::eval::predictions::{FUSED, Predictions};
use crate::eval::report::{markdown, reports};
use crate::files::{make_folder, write_json, write_whole};
use crate::fit::Scored;
use crate::{Result, TrainError};

pub(super) fn run(arguments: &Evaluate) -> Result<()> {
    let mut predictions = Vec::new();
    for path in &arguments.models {
        if path.is_dir() {
            predictions.extend(Predictions::load_all(path)?);
        } else {
            predictions.extend(of_bundle(arguments, path)?);
        }
    }
    let records = crate::data::read_records(&arguments.dataset)?;
    let reports = reports(&predictions, &records, arguments.draws);
    let text = markdown(&reports);
    make_folder(&arguments.out)?;
    write_whole(&arguments.out.join("evaluation.md"), text.as_bytes())?;
    write_json(&arguments.out.join("evaluation.json"), &reports)?;
    print(&text)
}

/// A bundle's calibrated scores as logits, so that it is measured like any other model. Its calibration is its own, so
/// "before" and "after" differ only by what validation still finds.
fn of_bundle(arguments: &Evaluate, path: &Path) -> Result<Vec<Predictions>> {
    let runtime = runtime()?;
    let mut bundle = open(&runtime, path)?;
    let modalities: Vec<Modality> = bundle.modalities().collect();
    let corpus = Corpus::open(&arguments.dataset, &modalities, Limits::default())?;
    let of = |on: MeasuredOn| -> Vec<usize> {
        let wanted = |record: &Record| on == MeasuredOn::All || record.split.map(MeasuredOn::Split) == Some(on);
        let records = corpus.records().iter().enumerate();
        records.filter(|(_, record)| wanted(record)).map(|(index, _)| index).collect()
    };
    let (validation, test) = (of(MeasuredOn::Split(Split::Validation)), of(arguments.on));
    if test.is_empty() {
        let folder = arguments.dataset.display();
        return Err(TrainError::Usage(format!("{folder} has no such interviews: {:?}", arguments.on)));
    }
    let (validation, test) = (score(&mut bundle, &corpus, &validation)?, score(&mut bundle, &corpus, &test)?);
    let logit = |p: f64| (p.clamp(1e-9, 1.0 - 1e-9) / (1.0 - p.clamp(1e-9, 1.0 - 1e-9))).ln();
    let part = |modality: Option<Modality>| {
        let pick = |scored: &[(usize, u8, f64, hirenet_core::ByModality<f64>)]| -> Vec<Scored> {
            let of = |(index, label, fused, scores): &(usize, u8, f64, hirenet_core::ByModality<f64>)| {
                let p = modality.map_or(Some(*fused), |m| scores.get(m).copied())?;
                Some(Scored { index: *index, label: *label, logit: logit(p) })
            };
            scored.iter().filter_map(of).collect()
        };
        Predictions {
            model: "bundle".to_owned(),
            modality: modality.map_or(FUSED, Modality::as_str).to_owned(),
            seed: 1,
            validation: pick(&validation),
            test: pick(&test),
        }
    };
    Ok(modalities.iter().map(|m| Some(*m)).chain([None]).map(part).collect())
}
