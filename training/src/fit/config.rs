//! What a run was asked for and of which data, as its folder keeps it: a run is only gone on from with the same.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Settings;
use crate::data::{Corpus, Limits};
use crate::files::{read_json, write_json};
use crate::{Result, TrainError};

/// How much of each answer was read; the cache changes no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Windows of an answer at most.
    pub max_windows: usize,
    /// Words of an answer at most.
    pub max_words: usize,
}

impl From<Limits> for Read {
    fn from(limits: Limits) -> Read {
        Read { max_windows: limits.windows, max_words: limits.words }
    }
}

impl From<Read> for Limits {
    fn from(read: Read) -> Limits {
        Limits { windows: read.max_windows, words: read.max_words, ..Limits::default() }
    }
}

/// The file of a run's folder that holds a [`Config`].
pub(crate) const CONFIG_FILE: &str = "config.json";

/// The content of `config.json` and `comparison.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// What the run is asked for.
    #[serde(flatten)]
    pub settings: Settings,
    /// How much of the data set it reads.
    pub read: Read,
    /// [`Corpus::fingerprint`]
    pub dataset: String,
}

impl Config {
    /// Of a run over a data set.
    ///
    /// # Errors
    /// [`TrainError::Read`]
    pub fn new(settings: &Settings, corpus: &Corpus) -> Result<Config> {
        Ok(Config { settings: settings.clone(), read: corpus.limits().into(), dataset: corpus.fingerprint()? })
    }

    /// Of the run in a folder.
    ///
    /// # Errors
    /// [`TrainError::Read`] where the folder holds none, [`TrainError::Dataset`] where it cannot be understood.
    pub fn of_run(folder: &Path) -> Result<Config> {
        read_json(&folder.join(CONFIG_FILE))
    }

    /// Compares a file that an earlier run left with this one's.
    ///
    /// # Errors
    /// [`TrainError::Usage`] with the file and what differs; [`TrainError::Dataset`] where it cannot be understood.
    pub fn check(&self, path: &Path) -> Result<()> {
        let found: Config = read_json(path)?;
        let differ = differences(&as_kept(&found)?, &as_kept(self)?);
        if differ.is_empty() {
            return Ok(());
        }
        Err(TrainError::Usage(format!("{} was made with other settings: {}", path.display(), differ.join(", "))))
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`TrainError::Write`]
    pub fn save(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }
}

/// A value as it comes back from a file: reading a decimal number may move its last bit, and must not look like a change.
pub(crate) fn as_kept(value: &impl Serialize) -> Result<Value> {
    let text = serde_json::to_string(value).and_then(|text| serde_json::from_str(&text));
    text.map_err(|error| TrainError::Compute(format!("settings cannot be written as JSON: {error}")))
}

/// What differs between two JSON values, with the path of each.
pub(crate) fn differences(found: &Value, wanted: &Value) -> Vec<String> {
    let mut differ = Vec::new();
    compare("", found, wanted, &mut differ);
    differ
}

fn compare(path: &str, found: &Value, wanted: &Value, differ: &mut Vec<String>) {
    match (found, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            let only_found = a.keys().filter(|key| !b.contains_key(*key));
            for key in b.keys().chain(only_found) {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&inner, &found[key.as_str()], &wanted[key.as_str()], differ);
            }
        }
        _ if found == wanted => {}
        // Two hashes side by side tell nobody anything.
        _ if path.ends_with("dataset") => differ.push("another data set".to_owned()),
        _ => differ.push(format!("{path} was {found}, now {wanted}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named_by_its_path() {
        let found = json!({"train": {"rate": 0.1, "seed": 1}, "dataset": "a", "old": true});
        let wanted = json!({"train": {"rate": 0.2, "seed": 1}, "dataset": "b"});
        let expected = ["train.rate was 0.1, now 0.2", "another data set", "old was true, now null"];
        assert_eq!(differences(&found, &wanted), expected);
        assert!(differences(&found, &found).is_empty());
    }
}
