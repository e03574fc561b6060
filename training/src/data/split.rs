//! Training, validation and test interviews.

use std::collections::{BTreeMap, HashMap};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Corpus, Record, Split};
use crate::{Result, TrainError};

/// How interviews are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Splitting {
    /// As the data set says; at random where it says nothing
    Given,
    /// 80 / 10 / 10 at random.
    Random,
    /// About 80 / 10 / 10, each position in one split only.
    Grouped,
}

/// Numbers of the interviews of each split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splits(BTreeMap<Split, Vec<usize>>);

impl Splits {
    /// The interviews of one split.
    #[must_use]
    pub fn of(&self, split: Split) -> &[usize] {
        self.0.get(&split).map_or(&[], Vec::as_slice)
    }
}

/// Splits a corpus.
///
/// # Errors
/// [`TrainError::Dataset`] where given splits are missing, or a position is in two splits of a data set that says that none
/// is; [`TrainError::Usage`] where a split comes out empty.
pub fn split(corpus: &Corpus, how: Splitting, seed: u64) -> Result<Splits> {
    let records = corpus.records();
    let file = corpus.folder().join(super::record::RECORDS_FILE);
    // An imported data set says nothing.
    let says_nothing = records.iter().all(|record| record.split.is_none());
    let how = if how == Splitting::Given && says_nothing { Splitting::Random } else { how };
    let assigned: Vec<Split> = match how {
        Splitting::Given => records.iter().map(|record| record.split).collect::<Option<_>>().ok_or_else(|| {
            TrainError::dataset(&file, "some interviews have no `split`; use --split random or grouped")
        })?,
        Splitting::Random => by_key(records, seed, |record| &record.id),
        Splitting::Grouped => by_key(records, seed, |record| &record.position.id),
    };
    if how == Splitting::Grouped || corpus.header().grouped_by_position && how == Splitting::Given {
        check_groups(records.iter().zip(assigned.iter().copied()))
            .map_err(|detail| TrainError::dataset(&file, detail))?;
    }
    let mut splits: BTreeMap<Split, Vec<usize>> = BTreeMap::new();
    for (index, split) in assigned.into_iter().enumerate() {
        splits.entry(split).or_default().push(index);
    }
    if let Some(split) = Split::ALL.into_iter().find(|split| !splits.contains_key(split)) {
        let advice = match how {
            Splitting::Grouped => "three positions at least are needed to group by; use --split random",
            Splitting::Given => "its `split` names none; use --split random or grouped",
            Splitting::Random => "more interviews are needed",
        };
        return Err(TrainError::Usage(format!("{}: no interview is left for {split}: {advice}", file.display())));
    }
    Ok(Splits(splits))
}

/// Refuses a position in two splits.
///
/// # Errors
/// What is wrong, in words.
pub fn check_groups<'a>(assigned: impl IntoIterator<Item = (&'a Record, Split)>) -> Result<(), String> {
    let mut seen: HashMap<&str, Split> = HashMap::new();
    for (record, split) in assigned {
        let first = *seen.entry(record.position.id.as_str()).or_insert(split);
        if first != split {
            let position = &record.position.id;
            return Err(format!(
                "position `{position}` is in {first} and in {split}, but splits are grouped by position"
            ));
        }
    }
    Ok(())
}

/// Shuffles the keys, and fills test, then validation, with a tenth of the interviews each; a key that is larger than that
/// fills one of them, and no more.
fn by_key<'a>(records: &'a [Record], seed: u64, key: impl Fn(&'a Record) -> &'a str) -> Vec<Split> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records {
        *sizes.entry(key(record)).or_default() += 1;
    }
    let mut keys: Vec<(&str, usize)> = sizes.into_iter().collect();
    keys.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let tenth = records.len().div_ceil(10);
    let (mut filled, mut in_it) = (0, 0);
    let split_of: HashMap<&str, Split> = keys
        .into_iter()
        .map(|(key, size)| {
            if in_it >= tenth {
                (filled, in_it) = (filled + 1, 0);
            }
            in_it += size;
            (key, [Split::Test, Split::Validation].get(filled).copied().unwrap_or(Split::Train))
        })
        .collect();
    records.iter().map(|record| split_of[key(record)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::PositionRecord;

    fn records(count: usize) -> Vec<Record> {
        let record = |i: usize| Record {
            id: format!("i{i}"),
            position: PositionRecord { id: format!("p{}", i % 37), title: String::new() },
            answers: Vec::new(),
            label: 0,
            split: None,
            groups: BTreeMap::new(),
        };
        (0..count).map(record).collect()
    }

    #[test]
    fn grouped_splits_keep_positions_together_and_random_ones_have_the_shares() {
        let records = records(400);
        let grouped = by_key(&records, 3, |record| &record.position.id);
        let check = |of: &[Split]| check_groups(records.iter().zip(of.iter().copied()));
        assert_eq!(check(&grouped), Ok(()));
        let random = by_key(&records, 3, |record| &record.id);
        let count = |split| random.iter().filter(|s| **s == split).count();
        assert_eq!(Split::ALL.map(count), [320, 40, 40]);
        let said = check(&random).unwrap_err();
        assert!(said.contains("position `p") && said.contains("in train"), "{said}");
    }

    #[test]
    fn large_positions_leave_no_split_empty() {
        let records = records(370);
        for positions in 3..8 {
            let name = |record: &Record| record.position.id[1..].parse::<usize>().unwrap() % positions;
            let names: Vec<String> = records.iter().map(|record| format!("p{}", name(record))).collect();
            let few: Vec<Record> = records
                .iter()
                .zip(&names)
                .map(|(r, id)| Record {
                    position: PositionRecord { id: id.clone(), title: String::new() },
                    ..r.clone()
                })
                .collect();
            for seed in 0..6 {
                let splits = by_key(&few, seed, |record| &record.position.id);
                assert!(Split::ALL.iter().all(|split| splits.contains(split)), "{positions} positions, seed {seed}");
            }
        }
    }
}
