//! `hirenet export`

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use hirenet_analyze::write_whole;
use hirenet_core::{Code, Modality, Schema, Track};
use hirenet_language::Encoder;
use hirenet_store::{ExportedAnswer, ExportedInterview, Store};
use serde_json::{Value, json};

use super::data_set::AnswerFile;
use super::export_folder::{ANSWERS, ExportFolder, HEADER, RECORDS};
use crate::commands::print;
use crate::config::Config;
use crate::daemon::tracks;
use crate::failure::{Failure, Outcome};
use crate::setup::{Installation, known_schemas};

/// Version of the folder, as `hirenet-train` reads it.
const DATASET_FORMAT: &str = "hirenet-dataset/1";
/// Interviews read at once.
const PAGE: i64 = 20;

/// A folder that is being written.
struct DataSet<'a> {
    out: &'a Path,
    encoder: Encoder,
    known: Vec<Arc<Schema>>,
    records: Vec<u8>,
    /// Modality or `context`, schema id, number of columns.
    schemas: BTreeSet<(String, String, usize)>,
    written: usize,
    undecided: usize,
}

pub(super) async fn run(config: &Config, out: &Path, tenant: Option<String>) -> Result<Outcome, Failure> {
    let store = Store::connect(&config.store).await?;
    let tenant = super::tenant(&store, tenant).await?;
    let folder = ExportFolder::open(out)?;
    let encoder = Installation::new(config)?.encoder()?;
    let known = known_schemas(&encoder);
    let (records, schemas) = (Vec::new(), BTreeSet::new());
    let mut set = DataSet { out: folder.next(), encoder, known, records, schemas, written: 0, undecided: 0 };
    let mut after = String::new();
    loop {
        let page = store.export(&tenant, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.interview_id);
        page.iter().try_for_each(|interview| set.add(interview))?;
    }
    set.finish(&tenant)?;
    folder.replace()?;
    let text = format!(
        "{} interviews with a decision written to {}\n{} without a decision left out\n",
        set.written,
        out.display(),
        set.undecided
    );
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

impl DataSet<'_> {
    fn add(&mut self, interview: &ExportedInterview) -> Result<(), Failure> {
        let Some(selected) = interview.selected else {
            self.undecided += 1;
            return Ok(());
        };
        // Ids of tenants are free text: files are numbered.
        let folder = format!("{ANSWERS}/{:06}", self.written);
        make_folder(&self.out.join(&folder))?;
        let title = self.encoder.context(&interview.title)?;
        let mut answers = Vec::new();
        for answer in &interview.answers {
            let file = format!("{folder}/{}.safetensors", answer.id);
            self.write(interview, answer, &title, &self.out.join(&file))?;
            answers.push(json!({"id": answer.id, "question": answer.question, "file": file}));
        }
        let record = json!({
            "id": interview.interview_id, "position": {"id": interview.position, "title": interview.title},
            "answers": answers, "label": u8::from(selected),
        });
        self.records.extend(record.to_string().bytes());
        self.records.push(b'\n');
        self.written += 1;
        Ok(())
    }

    fn write(
        &mut self,
        interview: &ExportedInterview,
        answer: &ExportedAnswer,
        title: &Track,
        path: &Path,
    ) -> Result<(), Failure> {
        let mut found = Vec::new();
        if let Some(transcript) = answer.transcript.as_ref().filter(|t| !t.words.is_empty()) {
            found.push((Modality::Verbal, self.encoder.verbal_track(transcript)?));
        }
        for stored in &answer.tracks {
            found.push((stored.modality, tracks::decode(stored, &self.known)?));
        }
        for (modality, track) in &found {
            self.schemas.insert((modality.to_string(), track.schema.id.clone(), track.schema.dim()));
        }
        self.schemas.insert(("context".to_owned(), title.schema.id.clone(), title.schema.dim()));
        let file = AnswerFile {
            interview: &interview.interview_id,
            answer: &answer.id,
            duration_s: answer.duration_s,
            tracks: &found,
            transcript: answer.transcript.as_ref(),
            question: &self.encoder.context(&answer.question)?,
            title,
        };
        Ok(write_whole(path, &file.to_bytes()?)?)
    }

    /// The records and the header, last: a folder without them is no data set.
    fn finish(&self, tenant: &str) -> Result<(), Failure> {
        let mut schemas = serde_json::Map::new();
        for (name, id, columns) in &self.schemas {
            if schemas.insert(name.clone(), json!({"id": id, "columns": columns})).is_some() {
                let sentence = format!("stored tracks have several schemas for `{name}`: they cannot be one data set");
                return Err(Failure::new(Code::BundleSchema, sentence));
            }
        }
        let header = json!({
            "format": DATASET_FORMAT, "name": format!("{tenant}-decisions"), "synthetic": false,
            "grouped_by_position": false, "schemas": Value::Object(schemas),
            "made_by": {"program": "hirenet export", "version": env!("CARGO_PKG_VERSION")},
        });
        write_whole(&self.out.join(RECORDS), &self.records)?;
        Ok(write_whole(&self.out.join(HEADER), format!("{header:#}\n").as_bytes())?)
    }
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::new(Code::OutputFailed, format!("{}: {error}", folder.display())))
}
