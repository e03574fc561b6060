//! What a run is asked for; kept as `config.json` in its folder.

use std::collections::BTreeMap;

use hirenet_core::Modality;
use serde::{Deserialize, Serialize};

use super::TrainOptions;
use crate::data::split::Splitting;
use crate::models::Sizes;
use crate::{Result, TrainError};

/// Settings of a whole bundle's run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Of the training loop.
    pub train: TrainOptions,
    /// Of the networks.
    pub sizes: Sizes,
    /// Which modalities the bundle gets.
    pub modalities: Vec<Modality>,
    /// How interviews are split.
    pub split: Splitting,
    /// Probability with which the fusion's training leaves out a modality.
    pub modality_dropout: f64,
}

/// Values of hyper-parameters to try, by name.
pub type Grid = BTreeMap<String, Vec<f64>>;

/// Units of a layer at most: beyond this a batch takes more memory than anyone has.
const MAX_UNITS: f64 = 2048.0;
/// Interviews of a batch at most.
const MAX_BATCH: f64 = 65_536.0;

/// Refuses a hyper-parameter's value that no run makes sense with; on the command line and in a grid alike.
///
/// # Errors
/// What it must be, in words.
pub fn allowed(name: &str, value: f64) -> Result<(), String> {
    let whole = |most: f64| value.fract() == 0.0 && (1.0..=most).contains(&value);
    let (allowed, must) = match name {
        "rate" => (value > 0.0 && value <= 1.0, "above 0 and at most 1"),
        "dropout" => ((0.0..1.0).contains(&value), "at least 0 and below 1"),
        "clip" => (value > 0.0 && value.is_finite(), "above 0"),
        "modality_dropout" => ((0.0..=1.0).contains(&value), "between 0 and 1"),
        "batch" => (whole(MAX_BATCH), "a whole number from 1 to 65536"),
        "hidden" => (whole(MAX_UNITS), "a whole number from 1 to 2048"),
        _ => {
            let known = "rate, dropout, batch, clip, hidden, modality_dropout";
            return Err(format!("`{name}` is no hyper-parameter; known are {known}"));
        }
    };
    if allowed { Ok(()) } else { Err(format!("{name} is {value}; it must be {must}")) }
}

/// Reads `NAME=VALUE,VALUE,...`.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_grid_entry(text: &str) -> Result<(String, Vec<f64>), String> {
    let (name, values) = text.split_once('=').ok_or("use NAME=VALUE,VALUE")?;
    let parse = |value: &str| {
        let value = value.parse::<f64>().map_err(|error| format!("{value}: {error}"))?;
        allowed(name, value).map(|()| value)
    };
    Ok((name.to_owned(), values.split(',').map(parse).collect::<Result<_, _>>()?))
}

impl Settings {
    /// The same settings with one hyper-parameter changed.
    ///
    /// # Errors
    /// [`TrainError::Usage`] for a name that is not known, or a value that is not [`allowed`].
    pub fn with(mut self, name: &str, value: f64) -> Result<Settings> {
        allowed(name, value).map_err(TrainError::Usage)?;
        match name {
            "rate" => self.train.rate = value,
            "dropout" => self.train.dropout = value as f32,
            "batch" => self.train.batch = value as usize,
            "clip" => self.train.clip = value,
            "modality_dropout" => self.modality_dropout = value,
            // `hidden` is the only other one that is allowed.
            _ => self.sizes = Sizes { both_ways: self.sizes.both_ways, ..Sizes::uniform(value as usize) },
        }
        Ok(self)
    }

    /// Every combination of a grid's values, with its name.
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn combinations(&self, grid: &Grid) -> Result<Vec<(String, Settings)>> {
        let mut all = vec![(String::new(), self.clone())];
        for (name, values) in grid {
            let mut next = Vec::new();
            for (label, settings) in &all {
                for value in values {
                    let joint = if label.is_empty() { "" } else { "-" };
                    next.push((format!("{label}{joint}{name}={value}"), settings.clone().with(name, *value)?));
                }
            }
            all = next;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_every_combination() {
        let settings = Settings {
            train: TrainOptions::default(),
            sizes: Sizes::uniform(64),
            modalities: Modality::ALL.to_vec(),
            split: Splitting::Given,
            modality_dropout: 0.3,
        };
        let grid = ["rate=0.001,0.0003", "hidden=32,64,128"].map(|text| parse_grid_entry(text).unwrap());
        let all = settings.combinations(&grid.into_iter().collect()).unwrap();
        assert_eq!(all.len(), 6);
        assert_eq!((all[5].0.as_str(), all[5].1.sizes.hidden), ("hidden=128-rate=0.0003", 128));
        assert!(settings.with("speed", 1.0).is_err());
        assert!(parse_grid_entry("rate").is_err() && parse_grid_entry("rate=x").is_err());
    }

    #[test]
    fn values_that_no_run_makes_sense_with_are_refused() {
        let bad = [
            "hidden=0",
            "hidden=2.5",
            "rate=-1",
            "rate=1000",
            "rate=nan",
            "dropout=2",
            "dropout=1",
            "clip=0",
            "batch=0",
            "modality_dropout=1.5",
            "speed=1",
        ];
        for text in bad {
            let said = parse_grid_entry(text).unwrap_err();
            assert!(said.contains("must be") || said.contains("no hyper-parameter"), "{text}: {said}");
        }
        assert!(parse_grid_entry("dropout=0,0.5").is_ok() && parse_grid_entry("clip=0.1").is_ok());
    }
}
