//! `hirenet analyze`

mod input;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use hirenet_analyze::{AnswerEvidence, Assessed, Assessor, Extraction, Rooms, Subject, Task};
use hirenet_core::{Code, Coded, Interview, Modality, Reason, Software, Status};
use hirenet_onnx::ModelFile;

use crate::cli::Analyze;
use crate::commands::print;
use crate::commands::report::write_page;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use crate::setup::Installation;
use input::Submitted;

pub(crate) fn run(config: &Config, arguments: &Analyze, quiet: bool) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let submitted = input::read(arguments)?;
    let installation = Installation::new(config)?;
    let bundle_file = installation.bundle_file(arguments.bundle.as_deref().map(Path::to_string_lossy).as_deref())?;
    let encoder = installation.encoder()?;
    let bundle = installation.bundle(&bundle_file, &encoder)?;
    let mut assessor = Assessor::new(bundle, encoder);

    let mut subject = Subject::new(&submitted.interview, &assessor.modalities(), &config.policy);
    if submitted.consent_assumed {
        subject.reasons.push(Reason::new(Code::ConsentAssumed));
        eprintln!("hirenet: {}: {}", Code::ConsentAssumed, Code::ConsentAssumed.meaning());
    }
    let software = software(config, &installation, &subject.modalities, &submitted)?;
    if let Some(note) = software.models.get("speech").and_then(|sha256| installation.speech_note(sha256)) {
        eprintln!("hirenet: {}: {}", note.code, note.detail);
        subject.reasons.push(note);
    }
    let evidence = extract_all(&installation, &submitted, &subject, quiet)?;
    let mut assessed = assessor.assess(&subject, evidence, software)?;
    assessed.assessment.timings.insert("total".to_owned(), started.elapsed().as_secs_f64());
    write(&assessed, &submitted, arguments)?;
    finish(&assessed, arguments)
}

/// Extracts every final take. An answer that fails keeps its place with its reason; the others go on.
fn extract_all<'a>(
    installation: &Installation<'_>,
    submitted: &'a Submitted,
    subject: &Subject<'a>,
    quiet: bool,
) -> Result<Vec<AnswerEvidence<'a>>, Failure> {
    let recognised = subject.answers.iter().any(|answer| answer.transcript.is_none());
    let mut extractor = installation.extractor(Rooms::for_modalities(&subject.modalities, recognised))?;
    let progress = Progress::new(quiet);
    let count = subject.answers.len();
    let mut evidence = Vec::with_capacity(count);
    for (i, answer) in subject.answers.iter().copied().enumerate() {
        progress.answer(i, count);
        let extraction = match submitted.media(answer) {
            Err(error) => Extraction::failed(error.code(), error.code().meaning()),
            Ok(media) => {
                let task = Task {
                    media: &media,
                    sha256: answer.sha256.as_deref(),
                    modalities: &subject.modalities,
                    transcript: answer.transcript.as_ref(),
                    language: submitted.interview.language.as_deref(),
                };
                extractor.extract_or_fail(&task, &progress)?
            }
        };
        evidence.push(AnswerEvidence { answer, extraction });
    }
    Ok(evidence)
}

/// What computed the assessment: only the models that had work are named.
fn software(
    config: &Config,
    installation: &Installation<'_>,
    modalities: &BTreeSet<Modality>,
    submitted: &Submitted,
) -> Result<Software, Failure> {
    let recognised = submitted.interview.answers.iter().any(|answer| answer.transcript.is_none());
    let rooms = Rooms::for_modalities(modalities, recognised);
    let files = installation.model_files()?;
    let used: [(&str, &ModelFile, bool); 5] = [
        ("face_blendshapes", &files.face.blendshapes, rooms.face),
        ("face_detector", &files.face.detector, rooms.face),
        ("face_landmarks", &files.face.landmarks, rooms.face),
        ("speech", &files.recognition, rooms.recognition),
        ("voice_activity", &files.voice_activity, rooms.activity),
    ];
    let mut models = BTreeMap::new();
    for (role, file, _) in used.into_iter().filter(|(.., has_work)| *has_work) {
        models.insert(role.to_owned(), Installation::sha256(file)?);
    }
    Ok(Software {
        name: "hirenet".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        models,
        settings_sha256: config.result_hash()?,
    })
}

fn write(assessed: &Assessed, submitted: &Submitted, arguments: &Analyze) -> Result<(), Failure> {
    let out = &arguments.out;
    let tracks = out.join("tracks");
    std::fs::create_dir_all(&tracks)
        .map_err(|error| Failure::new(Code::OutputFailed, format!("{}: {error}", tracks.display())))?;
    assessed.write_tracks(out)?;
    let mut json = serde_json::to_vec_pretty(&assessed.assessment).map_err(|e| Failure::internal(&e.into()))?;
    json.push(b'\n');
    hirenet_analyze::write_whole(&out.join("assessment.json"), &json)?;
    let title = title_of(&submitted.interview);
    write_page(
        &assessed.assessment,
        title,
        vec![submitted.folder.clone()],
        &out.join("report.html"),
        arguments.embed_media,
    )
}

fn title_of(interview: &Interview) -> Option<String> {
    let title = interview.position.title.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

fn finish(assessed: &Assessed, arguments: &Analyze) -> Result<Outcome, Failure> {
    let assessment = &assessed.assessment;
    match assessment.status {
        Status::Refused => Err(assessed.refusal()),
        status => {
            print(table::render(assessment, &arguments.out.join("report.html")).as_bytes())?;
            Ok(if status == Status::Partial { Outcome::Partial } else { Outcome::Done })
        }
    }
}

trait Refusal {
    fn refusal(&self) -> Failure;
}

impl Refusal for Assessed {
    /// The first thing that is wrong, by answer.
    fn refusal(&self) -> Failure {
        let reasons = &self.assessment.reasons;
        let missing = reasons.iter().find(|r| r.code.makes_partial());
        match missing {
            Some(reason) => {
                let answer = self.assessment.answers.iter().find(|a| Some(&a.id) == reason.answer.as_ref());
                let subject = answer.map(|a| format!("answer {} ({}): ", a.id, a.media)).unwrap_or_default();
                Failure::new(reason.code, format!("{subject}{}", reason.detail))
            }
            None => Failure::new(Code::NothingToScore, Code::NothingToScore.meaning()),
        }
    }
}
