//! Loading: the file, its card, its schemas and its signature.

use std::path::Path;
use std::sync::Arc;

use hirenet_core::{BundleInfo, ByModality, Modality, Schema, sha256_bytes};
use hirenet_onnx::ort::session::Session;
use hirenet_onnx::{Runtime, external_files};

use crate::contract::METADATA_KEY;
use crate::interview::Packed;
use crate::run::{Outputs, run};
use crate::{BundleError, Card, InterviewTracks, forbidden, signature};

/// A HireNet graph that keeps the contract, ready to run.
#[derive(Debug)]
pub struct Bundle {
    session: Session,
    card: Card,
    info: BundleInfo,
    schemas: Vec<(Modality, Arc<Schema>)>,
    context: Arc<Schema>,
}

impl Bundle {
    /// Loads a file, and the files with weights that it names beside it. `known` are the schemas that extractors here produce, those of questions and titles included.
    ///
    /// # Errors
    /// [`BundleError::Missing`] and [`BundleError::Unreadable`] for the file; else as [`Bundle::from_bytes`].
    pub fn load(runtime: &Runtime, path: &Path, known: &[Arc<Schema>]) -> Result<Bundle, BundleError> {
        let unreadable = |detail: String| BundleError::Unreadable { path: Some(path.to_owned()), detail };
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => BundleError::Missing(path.to_owned()),
            _ => unreadable(error.to_string()),
        })?;
        let files = read_external(path, &bytes).map_err(unreadable)?;
        Self::open(runtime, &bytes, &files, known).map_err(|error| match error {
            BundleError::Unreadable { detail, .. } => unreadable(detail),
            other => other,
        })
    }

    /// Loads a graph held in memory.
    ///
    /// # Errors
    /// [`BundleError::Unreadable`] where it is no graph; [`BundleError::Forbidden`] where an output or the metadata speaks
    /// of emotion, mood or personality; [`BundleError::Schema`] where it wants features that nothing here produces;
    /// [`BundleError::Contract`] with every other breach.
    pub fn from_bytes(runtime: &Runtime, bytes: &[u8], known: &[Arc<Schema>]) -> Result<Bundle, BundleError> {
        let unreadable = |detail: String| BundleError::Unreadable { path: None, detail };
        // The runtime would look for them in the working directory.
        if let Some(file) = external_files(bytes).map_err(unreadable)?.first() {
            return Err(unreadable(format!("its weights lie in another file, `{file}`; load it by its path")));
        }
        Self::open(runtime, bytes, &[], known)
    }

    fn open(runtime: &Runtime, bytes: &[u8], files: &[File], known: &[Arc<Schema>]) -> Result<Bundle, BundleError> {
        let session = runtime
            .open_with_files(bytes, files)
            .map_err(|error| BundleError::Unreadable { path: None, detail: error.to_string() })?;
        refuse_forbidden(&session)?;
        let text = session.metadata().map_err(BundleError::failed)?.custom(METADATA_KEY);
        let Some(text) = text else {
            let lacks = format!(
                "metadata_props[\"{METADATA_KEY}\"] is missing; write the card there as one JSON object before saving the model"
            );
            return Err(BundleError::Contract(vec![lacks]));
        };
        let card = Card::from_json(&text)?;
        let modalities = signature::modalities(session.inputs(), session.outputs());
        let (schemas, context) = resolve_schemas(&card, &modalities, known)?;
        let mut findings = signature::findings(session.inputs(), session.outputs(), &schemas, &context);
        for modality in modalities.iter().filter(|m| card.calibration.get(**m).is_none()) {
            findings.push(format!("the metadata's `calibration` lacks `{modality}`"));
        }
        if !findings.is_empty() {
            return Err(BundleError::Contract(findings));
        }
        let info = BundleInfo {
            name: card.name.clone(),
            version: card.version.clone(),
            kind: card.kind,
            sha256: sha256_of(bytes, files),
        };
        Ok(Bundle { session, card, info, schemas, context })
    }

    /// Which bundle this is, as it stands beside every score.
    #[must_use]
    pub fn info(&self) -> &BundleInfo {
        &self.info
    }

    /// What the bundle says about itself: threshold, calibration, training data, intended use and further keys.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The modalities that the graph has, in the contract's order. Others need not be extracted.
    pub fn modalities(&self) -> impl Iterator<Item = Modality> + '_ {
        self.schemas.iter().map(|(modality, _)| *modality)
    }

    /// The schemas of its tracks.
    #[must_use]
    pub fn schemas(&self) -> ByModality<Arc<Schema>> {
        let mut schemas = ByModality::default();
        for (modality, schema) in &self.schemas {
            schemas.set(*modality, Some(schema.clone()));
        }
        schemas
    }

    /// The schema of question and title words.
    #[must_use]
    pub fn context_schema(&self) -> &Arc<Schema> {
        &self.context
    }

    /// Lays out an interview for the graph after comparing its schemas.
    pub(crate) fn pack(&self, interview: &InterviewTracks) -> Result<Packed, BundleError> {
        let fits = |what: &str, found: &Schema, wanted: &Schema| {
            let wrong =
                || BundleError::Input(format!("{what} has schema {}, the bundle wants {}", found.id, wanted.id));
            (found.id == wanted.id && found.dim() == wanted.dim()).then_some(()).ok_or_else(wrong)
        };
        fits("the title", &interview.title.schema, &self.context)?;
        for answer in &interview.answers {
            fits("a question", &answer.question.schema, &self.context)?;
            for (modality, wanted) in &self.schemas {
                if let Some(track) = answer.tracks.get(*modality) {
                    fits(&format!("a {modality} track"), &track.schema, wanted)?;
                }
            }
        }
        if interview.answers.is_empty() {
            return Err(BundleError::NothingToScore);
        }
        let widths: Vec<_> = self.schemas.iter().map(|(modality, schema)| (*modality, schema.dim())).collect();
        Ok(Packed::new(interview, &widths, self.context.dim()))
    }

    pub(crate) fn run(&mut self, packed: &Packed) -> Result<Outputs, BundleError> {
        run(&mut self.session, packed)
    }
}

/// Name and content of a file with weights.
type File = (String, Arc<[u8]>);

/// The files beside a graph that hold its weights, as PyTorch's newer exporter writes them.
fn read_external(graph: &Path, bytes: &[u8]) -> Result<Vec<File>, String> {
    let folder = graph.parent().unwrap_or(Path::new(""));
    let read = |name: String| {
        if Path::new(&name).file_name() != Some(name.as_ref()) {
            return Err(format!("its weights lie in `{name}`; only a file beside the graph is opened"));
        }
        let content = std::fs::read(folder.join(&name))
            .map_err(|error| format!("its weights lie in `{name}` beside it, which cannot be read: {error}"))?;
        Ok((name, content.into()))
    };
    external_files(bytes)?.into_iter().map(read).collect()
}

/// The graph's SHA-256; with weights in files beside it, that of the graph and those files one after another.
fn sha256_of(bytes: &[u8], files: &[File]) -> String {
    if files.is_empty() {
        return sha256_bytes(bytes);
    }
    let parts: Vec<&[u8]> = std::iter::once(bytes).chain(files.iter().map(|(_, content)| content.as_ref())).collect();
    sha256_bytes(&parts.concat())
}

/// Looks at output names, and at every key and value of the metadata.
fn refuse_forbidden(session: &Session) -> Result<(), BundleError> {
    let refuse = |place: String, word: String| Err(BundleError::Forbidden { place, word });
    for output in session.outputs() {
        if let Some(word) = forbidden::in_name(output.name()) {
            return refuse(format!("output `{}`", output.name()), word);
        }
    }
    let metadata = session.metadata().map_err(BundleError::failed)?;
    let mut keys = metadata.custom_keys().map_err(BundleError::failed)?;
    keys.sort_unstable();
    for key in keys {
        if let Some(word) = forbidden::in_name(&key) {
            return refuse(format!("metadata key `{key}`"), word);
        }
        let text = metadata.custom(&key).unwrap_or_default();
        let found = match serde_json::from_str(&text) {
            Ok(json) => forbidden::in_json(&json, ""),
            Err(_) => forbidden::in_text(&text).map(|word| (String::new(), word)),
        };
        if let Some((path, word)) = found {
            let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            return refuse(format!("metadata `{key}`{at}"), word);
        }
    }
    let texts = [metadata.name(), metadata.description(), metadata.graph_description(), metadata.domain()];
    match texts.into_iter().flatten().find_map(|text| forbidden::in_text(&text)) {
        Some(word) => refuse("description".to_owned(), word),
        None => Ok(()),
    }
}

type Resolved = (Vec<(Modality, Arc<Schema>)>, Arc<Schema>);

/// The known schemas that the card names, for the modalities that the graph has.
fn resolve_schemas(card: &Card, modalities: &[Modality], known: &[Arc<Schema>]) -> Result<Resolved, BundleError> {
    let resolve = |room: &str, id: &str| {
        let of_room = || known.iter().filter(|schema| schema.id.split('/').next() == Some(room));
        of_room().find(|schema| schema.id == id).cloned().ok_or_else(|| BundleError::Schema {
            modality: room.to_owned(),
            found: id.to_owned(),
            known: of_room().map(|schema| schema.id.clone()).collect(),
        })
    };
    let mut schemas = Vec::new();
    for modality in modalities {
        let Some(id) = card.schemas.get(*modality) else {
            let lacks = format!("the graph has `{modality}`, but the metadata's `schemas` lacks it");
            return Err(BundleError::Contract(vec![lacks]));
        };
        schemas.push((*modality, resolve(modality.as_str(), id)?));
    }
    Ok((schemas, resolve("context", &card.schemas.context)?))
}
