//! Streams a made-up corpus to disk.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;

use hirenet_core::{ByModality, Modality};
use rand::Rng;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::plan::{PlannedPosition, plan, positions, stream};
use super::signal::{speaker, speech, windows};
use super::words::Vectors;
use super::{Planned, SynthOptions, Truth};
use crate::data::{
    AnswerContent, AnswerRecord, DATASET_FORMAT, Header, PositionRecord, Record, Split, TrackContent, write_records,
};
use crate::eval::metrics::auc;
use crate::files::make_folder;
use crate::{Result, TrainError};

/// Interviews that are worked on at once.
const CHUNK: usize = 64;
/// Answer files of one folder belong to this many interviews.
const FOLDER: usize = 100;
/// What is known of each interview, a line each.
pub const TRUTH_FILE: &str = "truth.jsonl";

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Interviews.
    pub interviews: usize,
    /// Answers.
    pub answers: usize,
    /// Share of positive labels.
    pub positive: f64,
    /// AUC of the true probabilities: no one can do better.
    pub ceiling: f64,
    /// AUC of each modality's evidence: no one can do better from it alone.
    pub ceilings: ByModality<f64>,
    /// Bytes of the answers' files.
    pub bytes: u64,
}

struct Made {
    record: Record,
    truth: Truth,
    bytes: u64,
}

/// Writes a corpus into a new folder. `progress` is told how many interviews are done.
///
/// # Errors
/// [`TrainError::Usage`] for impossible options, [`TrainError::Write`].
pub fn generate(options: &SynthOptions, folder: &Path, progress: &dyn Fn(usize)) -> Result<Summary> {
    check(options)?;
    make_folder(&folder.join("answers"))?;
    let positions = positions(options);
    let vectors = Vectors::default();
    let (mut records, mut truths, mut bytes) = (Vec::new(), Vec::new(), 0);
    let numbers: Vec<usize> = (0..options.interviews).collect();
    for chunk in numbers.chunks(CHUNK) {
        for number in chunk.iter().filter(|n| *n % FOLDER == 0 || **n == chunk[0]) {
            make_folder(&folder.join(format!("answers/{:03}", number / FOLDER)))?;
        }
        let made: Vec<Made> = chunk
            .par_iter()
            .map(|n| write_interview(options, &positions, &vectors, folder, *n))
            .collect::<Result<_>>()?;
        for one in made {
            records.push(one.record);
            truths.push(one.truth);
            bytes += one.bytes;
        }
        progress(records.len());
    }
    let summary = summarise(&records, &truths, bytes);
    write_truth(folder, &truths)?;
    write_records(folder, &records)?;
    let header = Header {
        format: DATASET_FORMAT.to_owned(),
        name: format!("synthetic interviews, seed {}", options.seed),
        synthetic: true,
        grouped_by_position: options.grouped,
        schemas: crate::data::SchemaEntries::of_the_pipeline(),
        made_by: json!({"program": "hirenet-train synth", "options": options, "summary": summary}),
    };
    // Written last: a folder without it is not taken for a data set.
    header.save(folder)?;
    Ok(summary)
}

fn check(options: &SynthOptions) -> Result<()> {
    let wrong = |what: &str| Err(TrainError::Usage(what.to_owned()));
    if !(2..=4).contains(&options.topics) {
        return wrong("--topics must be 2 to 4");
    }
    if options.interviews == 0 || options.positions == 0 || options.questions == 0 || options.seconds <= 0.0 {
        return wrong("--interviews, --positions, --questions and --seconds must be above 0");
    }
    Ok(())
}

fn write_interview(
    options: &SynthOptions,
    positions: &[PlannedPosition],
    vectors: &Vectors,
    folder: &Path,
    number: usize,
) -> Result<Made> {
    let mut rng = stream(options.seed, number as u64);
    let planned = plan(options, positions, &mut rng);
    let position = &positions[planned.position];
    let id = format!("i{number:05}");
    let mut bytes = 0;
    let mut answers = Vec::new();
    let levels = [Modality::Vocal, Modality::Visual].map(|m| speaker(m, &mut rng));
    for (place, (question, _)) in position.questions.iter().enumerate() {
        let answer = format!("a{}", place + 1);
        let content = content(options, &planned, position, vectors, &levels, place, &mut rng);
        let content = AnswerContent { interview: id.clone(), answer: answer.clone(), ..content };
        let file = format!("answers/{:03}/{id}-{answer}.safetensors", number / FOLDER);
        let serialised = content.to_bytes(&crate::data::SchemaEntries::of_the_pipeline())?;
        bytes += serialised.len() as u64;
        let path = folder.join(&file);
        std::fs::write(&path, serialised).map_err(|error| TrainError::write(&path, &error))?;
        answers.push(AnswerRecord { id: answer, question: question.clone(), file });
    }
    let split = if options.grouped { planned.position % 10 } else { rng.random_range(0..10) };
    let split = [Split::Test, Split::Validation].get(split).copied().unwrap_or(Split::Train);
    // A made-up attribute that nothing depends on.
    let group = if rng.random_bool(0.5) { "a" } else { "b" };
    let record = Record {
        id: id.clone(),
        position: PositionRecord { id: format!("p{:03}", planned.position), title: position.title.clone() },
        answers,
        label: planned.label,
        split: Some(split),
        groups: BTreeMap::from([("group".to_owned(), group.to_owned())]),
    };
    let Planned { probability, evidence, moments, .. } = planned;
    Ok(Made { record, truth: Truth { id, probability, evidence, moments }, bytes })
}

fn content(
    options: &SynthOptions,
    planned: &Planned,
    position: &PlannedPosition,
    vectors: &Vectors,
    levels: &[Vec<f32>; 2],
    place: usize,
    rng: &mut rand_chacha::ChaCha8Rng,
) -> AnswerContent {
    let answer = &planned.answers[place];
    let of =
        |modality| planned.moments.iter().filter(|m| m.answer == place && m.modality == modality).collect::<Vec<_>>();
    let mut content = AnswerContent {
        interview: String::new(),
        answer: String::new(),
        duration_s: Some(answer.seconds),
        tracks: Vec::new(),
        word_times: None,
        words: None,
    };
    let written = |m: Modality| options.modalities.contains(&m) && answer.has.get(m).is_some();
    if written(Modality::Verbal) {
        let (words, times) = speech(answer.seconds, &of(Modality::Verbal), rng);
        content.tracks.push(("verbal", TrackContent::whole(vectors.rows(&words))));
        content.word_times = Some(times);
        content.words = Some(words.into_iter().map(str::to_owned).collect());
    }
    for (modality, level) in [Modality::Vocal, Modality::Visual].into_iter().zip(levels) {
        if written(modality) {
            let track = windows(modality, answer.seconds, &of(modality), options.amplitude, level, rng);
            content.tracks.push((modality.as_str(), track));
        }
    }
    let text = |text: &str| vectors.rows(&text.split_whitespace().collect::<Vec<_>>());
    content.tracks.push(("question", TrackContent::whole(text(&position.questions[place].0))));
    content.tracks.push(("title", TrackContent::whole(text(&position.title))));
    content
}

fn summarise(records: &[Record], truths: &[Truth], bytes: u64) -> Summary {
    let labels: Vec<u8> = records.iter().map(|record| record.label).collect();
    let probabilities: Vec<f64> = truths.iter().map(|truth| truth.probability).collect();
    let mut ceilings = ByModality::default();
    for modality in Modality::ALL {
        let known: Vec<(f64, u8)> =
            truths.iter().zip(&labels).filter_map(|(t, y)| Some((*t.evidence.get(modality)?, *y))).collect();
        let (evidence, labels): (Vec<f64>, Vec<u8>) = known.into_iter().unzip();
        ceilings.set(modality, Some(auc(&evidence, &labels)));
    }
    Summary {
        interviews: records.len(),
        answers: records.iter().map(|record| record.answers.len()).sum(),
        positive: labels.iter().map(|y| f64::from(*y)).sum::<f64>() / labels.len() as f64,
        ceiling: auc(&probabilities, &labels),
        ceilings,
        bytes,
    }
}

fn write_truth(folder: &Path, truths: &[Truth]) -> Result<()> {
    let path = folder.join(TRUTH_FILE);
    let mut bytes = Vec::new();
    for truth in truths {
        serde_json::to_writer(&mut bytes, truth).map_err(|error| TrainError::write(&path, &error))?;
        bytes.write_all(b"\n").map_err(|error| TrainError::write(&path, &error))?;
    }
    crate::files::write_whole(&path, &bytes)
}

/// What is known of a made-up corpus, in the order of its interviews.
///
/// # Errors
/// [`TrainError::Read`] where the folder has none, [`TrainError::Dataset`].
pub fn read_truth(folder: &Path) -> Result<Vec<Truth>> {
    let path = folder.join(TRUTH_FILE);
    let file = std::fs::File::open(&path).map_err(|error| TrainError::read(&path, &error))?;
    let parse = |line: std::io::Result<String>| {
        let line = line.map_err(|error| TrainError::read(&path, &error))?;
        serde_json::from_str(&line).map_err(|error| TrainError::dataset(&path, error.to_string()))
    };
    std::io::BufReader::new(file).lines().map(parse).collect()
}
