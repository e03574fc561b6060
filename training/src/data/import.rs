//! A data set from what `hirenet analyze` wrote and what recruiters decided.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use hirenet_core::Assessment;
use serde_json::json;

use super::answer_file::{AnswerContent, AnswerFile, TrackContent};
use super::header::{SchemaEntries, SchemaEntry};
use super::{AnswerRecord, DATASET_FORMAT, Header, PositionRecord, Record, write_records};
use crate::files::{make_folder, read_json, write_whole};
use crate::{Result, TrainError};

/// What `hirenet analyze` writes beside an assessment.
const TRACKS_FORMAT: &str = "hirenet-tracks/1";
/// Columns of group attributes begin with this.
const GROUP: &str = "group_";

/// What recruiters said of one interview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    votes: Vec<u8>,
    position: PositionRecord,
    groups: BTreeMap<String, String>,
}

impl Decision {
    /// 1 where at least half of the decisions say so.
    #[must_use]
    pub fn label(&self) -> u8 {
        let hirable = self.votes.iter().map(|vote| usize::from(*vote)).sum::<usize>();
        u8::from(2 * hirable >= self.votes.len())
    }
}

/// Reads a CSV with the columns `interview_id`, `decision`, `position_id`, `title` and any number of `group_NAME`.
///
/// # Errors
/// [`TrainError::Read`]; [`TrainError::Dataset`] with the line of a decision outside 0 and 1, of an empty id, or of another
/// position or group than an earlier line's.
pub fn read_decisions(path: &Path) -> Result<HashMap<String, Decision>> {
    let wrong = |line: u64, detail: String| TrainError::dataset(path, format!("line {line}: {detail}"));
    let mut reader = csv::Reader::from_path(path).map_err(|error| TrainError::read(path, &error))?;
    let headers = reader.headers().map_err(|error| TrainError::read(path, &error))?.clone();
    let column = |name: &str| {
        let mut found = headers.iter().enumerate().filter(|(_, header)| *header == name).map(|(at, _)| at);
        let separated = if headers.len() == 1 { ": columns are separated by commas" } else { "" };
        let missing = || TrainError::dataset(path, format!("the column `{name}` is missing{separated}"));
        match (found.next().ok_or_else(missing)?, found.next()) {
            (at, None) => Ok(at),
            _ => Err(TrainError::dataset(path, format!("the column `{name}` is there twice"))),
        }
    };
    let (id, decision, position, title) =
        (column("interview_id")?, column("decision")?, column("position_id")?, column("title")?);
    let mut decisions: HashMap<String, Decision> = HashMap::new();
    let mut titles: HashMap<String, String> = HashMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| TrainError::dataset(path, error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let field = |at: usize| row.get(at).unwrap_or_default().trim().to_owned();
        let vote = match field(decision).as_str() {
            "0" => 0,
            "1" => 1,
            other => return Err(wrong(line, format!("decision is `{other}`; it must be 0 or 1"))),
        };
        for (at, name) in [(id, "interview_id"), (position, "position_id")] {
            if field(at).is_empty() {
                return Err(wrong(line, format!("`{name}` is empty")));
            }
        }
        let position = PositionRecord { id: field(position), title: field(title) };
        let title = titles.entry(position.id.clone()).or_insert_with(|| position.title.clone());
        if *title != position.title {
            let detail =
                format!("position `{}` has the title `{}`, on an earlier line `{title}`", position.id, position.title);
            return Err(wrong(line, detail));
        }
        let groups = headers.iter().enumerate().filter_map(|(at, name)| {
            let value = field(at);
            Some((name.strip_prefix(GROUP)?.to_owned(), value)).filter(|(_, value)| !value.is_empty())
        });
        let known = decisions.entry(field(id)).or_insert_with(|| Decision {
            votes: Vec::new(),
            position: position.clone(),
            groups: BTreeMap::new(),
        });
        if known.position != position {
            return Err(wrong(line, "the interview has another position on an earlier line".to_owned()));
        }
        for (name, value) in groups {
            let earlier = known.groups.entry(name.clone()).or_insert_with(|| value.clone());
            if *earlier != value {
                return Err(wrong(line, format!("{GROUP}{name} is `{value}`, on an earlier line `{earlier}`")));
            }
        }
        known.votes.push(vote);
    }
    Ok(decisions)
}

/// What an import made, and what it found no counterpart for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Interviews of the data set.
    pub interviews: usize,
    /// Results without a decision.
    pub undecided: usize,
    /// Interviews with decisions and without a result, in order.
    pub without_result: Vec<String>,
}

/// Builds a data set.
///
/// # Errors
/// [`TrainError::Read`] and [`TrainError::Dataset`], which name the file; [`TrainError::Write`].
pub fn import(results: &[PathBuf], decisions: &Path, out: &Path, name: &str) -> Result<Imported> {
    let known = read_decisions(decisions)?;
    make_folder(&out.join("answers"))?;
    let mut schemas = SchemaEntries::default();
    let (mut records, mut undecided) = (Vec::new(), 0);
    let mut seen: HashMap<String, &Path> = HashMap::new();
    for folder in results {
        let path = folder.join("assessment.json");
        let assessment: Assessment = read_json(&path)?;
        if let Some(earlier) = seen.insert(assessment.interview_id.clone(), folder) {
            let detail = format!("interview `{}` is in {} too", assessment.interview_id, earlier.display());
            return Err(TrainError::dataset(path, detail));
        }
        let Some(decision) = known.get(&assessment.interview_id) else {
            undecided += 1;
            continue;
        };
        let answers = answers_of(folder, &assessment, records.len(), out, &mut schemas)?;
        records.push(Record {
            id: assessment.interview_id.clone(),
            position: decision.position.clone(),
            answers,
            label: decision.label(),
            split: None,
            groups: decision.groups.clone(),
        });
    }
    if records.is_empty() {
        return Err(TrainError::dataset(decisions, "it decides none of the interviews"));
    }
    if schemas.context.is_none() {
        let detail = "none of the decided interviews has tracks: there is nothing to train on";
        return Err(TrainError::dataset(results[0].join("assessment.json"), detail));
    }
    write_records(out, &records)?;
    let header = Header {
        format: DATASET_FORMAT.to_owned(),
        name: name.to_owned(),
        synthetic: false,
        grouped_by_position: false,
        schemas,
        made_by: json!({"program": "hirenet-train import"}),
    };
    header.save(out)?;
    let mut without_result: Vec<String> = known.into_keys().filter(|id| !seen.contains_key(id)).collect();
    without_result.sort();
    Ok(Imported { interviews: records.len(), undecided, without_result })
}

/// Writes the answers' files of interview `number`.
fn answers_of(
    folder: &Path,
    assessment: &Assessment,
    number: usize,
    out: &Path,
    schemas: &mut SchemaEntries,
) -> Result<Vec<AnswerRecord>> {
    let mut answers = Vec::new();
    let mut ids = HashSet::new();
    for answer in &assessment.answers {
        if !ids.insert(&answer.id) {
            let detail = format!("answer `{}` is in it twice", answer.id);
            return Err(TrainError::dataset(folder.join("assessment.json"), detail));
        }
        let source = folder.join("tracks").join(format!("{}.safetensors", answer.id));
        if !source.exists() {
            // An answer that failed as a whole left no tracks, and its assessment lists none.
            if answer.tracks.iter().next().is_some() {
                return Err(TrainError::dataset(source, "it is missing, but assessment.json lists its tracks"));
            }
            continue;
        }
        let words = answer.transcript.as_ref().map(|t| t.words.iter().map(|word| word.text.clone()).collect());
        let content = convert(&source, &assessment.interview_id, &answer.id, words, schemas)?;
        for (modality, _) in answer.tracks.iter() {
            if !content.tracks.iter().any(|(name, _)| *name == modality.as_str()) {
                let detail = format!("it has no {modality} track, but assessment.json lists one");
                return Err(TrainError::dataset(source, detail));
            }
        }
        let file = format!("answers/i{number:05}-a{}.safetensors", answers.len() + 1);
        write_whole(&out.join(&file), &content.to_bytes(schemas)?)?;
        answers.push(AnswerRecord { id: answer.id.clone(), question: answer.question.clone(), file });
    }
    Ok(answers)
}

/// One answer's tracks in the data set's form; new schemas are noted, a differing one is refused.
fn convert(
    source: &Path,
    interview: &str,
    answer: &str,
    words: Option<Vec<String>>,
    schemas: &mut SchemaEntries,
) -> Result<AnswerContent> {
    let file = AnswerFile::open(source, &[TRACKS_FORMAT])?;
    // Tracks of another interview would be judged by this one's decision.
    file.check_owner(interview, answer)?;
    let described = file.about()["tracks"].as_object().cloned().unwrap_or_default();
    let mut content = AnswerContent {
        interview: interview.to_owned(),
        answer: answer.to_owned(),
        duration_s: file.about()["duration_s"].as_f64(),
        tracks: Vec::new(),
        word_times: None,
        words,
    };
    for name in ["verbal", "vocal", "visual", "question", "title"] {
        let Some(about) = described.get(name) else { continue };
        let values = file.matrix(name, usize::MAX)?;
        let found =
            SchemaEntry { id: about["schema"].as_str().unwrap_or_default().to_owned(), columns: values.ncols() };
        let room = if matches!(name, "question" | "title") { "context" } else { name };
        if let Some(slot) = schemas.slot(room) {
            let wanted = slot.get_or_insert_with(|| found.clone());
            if *wanted != found {
                let [one, other] = [&found, &*wanted].map(|s| format!("`{}` of {} columns", s.id, s.columns));
                let detail = format!("its {name} schema is {one}, an earlier answer's {other}");
                return Err(file.wrong(detail));
            }
        }
        if values.iter().any(|v| !v.is_finite()) {
            return Err(file.wrong(format!("`{name}` holds a number that is not finite")));
        }
        let valid = file.mask(&format!("{name}_valid"), usize::MAX)?;
        if valid.len() != values.nrows() {
            return Err(file.wrong(format!("`{name}` and `{name}_valid` differ in length")));
        }
        content.tracks.push((name, TrackContent { values, valid }));
    }
    // The network asks for the question and the title of every answer.
    if let Some(missing) = ["question", "title"].into_iter().find(|name| !content.tracks.iter().any(|(n, _)| n == name))
    {
        return Err(file.wrong(format!("it has no words of the {missing}")));
    }
    if file.has("verbal_times_s") {
        content.word_times = Some(file.word_times(usize::MAX)?);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_decides_and_a_draw_is_hirable() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("decisions.csv");
        let votes = [("a", "001"), ("b", "110"), ("c", "01"), ("d", "0"), ("e", "1"), ("f", "00011"), ("g", "0011")];
        let rows = votes.iter().flat_map(|(id, votes)| votes.chars().map(move |vote| format!("{id},{vote},p,T\n")));
        let text = "interview_id,decision,position_id,title\n".to_owned() + &rows.collect::<String>();
        std::fs::write(&file, text).unwrap();
        let decisions = read_decisions(&file).unwrap();
        let labels: Vec<u8> = votes.iter().map(|(id, _)| decisions[*id].label()).collect();
        assert_eq!(labels, [0, 1, 1, 0, 1, 0, 1]);
    }
}
