//! What a data set holds, after every file of it has been read.

use std::collections::{BTreeMap, BTreeSet};

use hirenet_core::Modality;
use rayon::prelude::*;
use serde::Serialize;

use super::answer_file::{ANSWER_FORMAT, AnswerFile};
use super::record::RECORDS_FILE;
use super::{Corpus, Limits, Record, split};
use crate::{Result, TrainError};

/// Counts of one modality.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tracks {
    /// Interviews of which some answer has a valid row.
    pub interviews: usize,
    /// Answers with a valid row.
    pub answers: usize,
    /// Answers without.
    pub missing: usize,
    /// Mean rows of an answer, invalid ones included.
    pub mean_rows: f64,
    /// Rows of the longest answer.
    pub longest: usize,
    /// Share of rows that are not valid.
    pub invalid: f64,
    /// Answers longer than `fit` reads unless told otherwise.
    pub beyond_limit: usize,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Interviews.
    pub interviews: usize,
    /// Positions.
    pub positions: usize,
    /// Answers.
    pub answers: usize,
    /// Share of positive labels.
    pub positive: f64,
    /// Interviews and share of positive labels by split; `none` where `fit` shall split.
    pub splits: BTreeMap<String, (usize, f64)>,
    /// Values of group attributes and how often each occurs.
    pub groups: BTreeMap<String, usize>,
    /// By modality.
    pub tracks: BTreeMap<Modality, Tracks>,
}

/// What one answer's file says of a modality: rows, valid rows; `None` where it is missing.
type Counts = Vec<Option<(usize, usize)>>;

/// Reads every file of a data set.
///
/// # Errors
/// [`TrainError::Dataset`] and [`TrainError::Read`] with the name of the first file that is broken.
pub fn inspect(corpus: &Corpus) -> Result<Inspection> {
    let records = corpus.records();
    if corpus.header().grouped_by_position {
        let file = corpus.folder().join(RECORDS_FILE);
        // Interviews that `fit` shall split break no promise; the others are held to it all the same.
        let assigned = records.iter().filter_map(|record| Some((record, record.split?)));
        split::check_groups(assigned).map_err(|detail| TrainError::dataset(file, detail))?;
    }
    let counts: Vec<Vec<Counts>> = records.par_iter().map(|record| read(corpus, record)).collect::<Result<_>>()?;
    let limits = Limits::default();
    let mut tracks = BTreeMap::new();
    for (place, modality) in
        Modality::ALL.into_iter().enumerate().filter(|(_, m)| corpus.header().schemas.get(*m).is_some())
    {
        let limit = if modality == Modality::Verbal { limits.words } else { limits.windows };
        tracks.insert(modality, of_modality(&counts, place, limit));
    }
    let share = |of: &[&Record]| of.iter().map(|r| f64::from(r.label)).sum::<f64>() / of.len().max(1) as f64;
    let mut splits: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for record in records {
        let name = record.split.map_or("none".to_owned(), |split| split.to_string());
        splits.entry(name).or_default().push(record);
        for (name, value) in &record.groups {
            *groups.entry(format!("{name}={value}")).or_default() += 1;
        }
    }
    Ok(Inspection {
        interviews: records.len(),
        positions: records.iter().map(|r| &r.position.id).collect::<BTreeSet<_>>().len(),
        answers: records.iter().map(|r| r.answers.len()).sum(),
        positive: share(&records.iter().collect::<Vec<_>>()),
        splits: splits.iter().map(|(name, of)| (name.clone(), (of.len(), share(of)))).collect(),
        groups,
        tracks,
    })
}

fn read(corpus: &Corpus, record: &Record) -> Result<Vec<Counts>> {
    let header = corpus.header();
    let mut counts = Vec::new();
    for answer in &record.answers {
        let path = corpus.folder().join(&answer.file);
        let file = AnswerFile::open(&path, &[ANSWER_FORMAT])?;
        file.check_owner(&record.id, &answer.id)?;
        file.title(header.context_width())?;
        let wanted: Vec<Modality> = Modality::ALL.into_iter().filter(|m| header.schemas.get(*m).is_some()).collect();
        let read = file.answer(&header.schemas, &wanted, |_| usize::MAX)?;
        let count = |m: &Modality| {
            let rows = file.rows(m.as_str())?;
            Some((rows, read.tracks.get(*m).map_or(0, |rows| rows.kept.len())))
        };
        counts.push(Modality::ALL.iter().map(count).collect());
    }
    Ok(counts)
}

fn of_modality(counts: &[Vec<Counts>], place: usize, limit: usize) -> Tracks {
    let mut tracks = Tracks::default();
    let (mut rows_in_all, mut valid_in_all, mut present) = (0, 0, 0);
    for interview in counts {
        let mut any = false;
        for answer in interview {
            let (rows, valid) = answer[place].unwrap_or((0, 0));
            present += usize::from(answer[place].is_some());
            rows_in_all += rows;
            valid_in_all += valid;
            tracks.longest = tracks.longest.max(rows);
            tracks.beyond_limit += usize::from(rows > limit);
            tracks.answers += usize::from(valid > 0);
            tracks.missing += usize::from(valid == 0);
            any |= valid > 0;
        }
        tracks.interviews += usize::from(any);
    }
    tracks.mean_rows = rows_in_all as f64 / f64::from(u32::try_from(present.max(1)).unwrap_or(u32::MAX));
    tracks.invalid = 1.0 - valid_in_all as f64 / rows_in_all.max(1) as f64;
    tracks
}
