//! `hirenet analyze`

mod input;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use hirenet_analyze::{AnswerEvidence, Assessed, Assessor, Extraction, Opened, Rooms, Subject, Task};
use hirenet_core::{Answer, Assessment, Code, Coded, Interview, Modality, Reason, Status};

use crate::cli::Analyze;
use crate::commands::report::write_page;
use crate::commands::{exists, print};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::media_address::AddressError;
use crate::progress::Progress;
use crate::setup::{self, Installation};
use input::Submitted;

/// Folder of the tracks in the output.
const TRACKS: &str = "tracks";

pub(crate) fn run(config: &Config, arguments: &Analyze) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let submitted = input::read(arguments)?;
    make_folder(&arguments.out.join(TRACKS))?;
    let installation = Installation::new(config)?;
    let mut assessor = load_assessor(&installation, arguments)?;
    let mut subject = Subject::new(&submitted.interview, &assessor.modalities(), &config.policy);
    if submitted.consent_assumed {
        let assumed = Reason::new(Code::ConsentAssumed);
        logging::note(&assumed, &assumed.detail);
        subject.reasons.push(assumed);
    }
    let rooms = rooms(&subject.modalities, &submitted);
    // A model of the manifest is known by its hash at once; another file is hashed while the recordings are measured.
    let known = installation.speech_model()?.sha256.filter(|_| rooms.recognition);
    let said = known.and_then(|sha256| installation.speech_note(&sha256));
    if let Some(note) = &said {
        logging::note(note, &note.detail);
    }
    let (evidence, models) = extract_all(config, &installation, rooms, &submitted, &subject)?;
    if let Some(note) = models.get("speech").and_then(|sha256| installation.speech_note(sha256)) {
        if said.is_none() {
            logging::note(&note, &note.detail);
        }
        subject.reasons.push(note);
    }
    let software = setup::software(config, models)?;
    let mut assessed = assessor.assess(&subject, evidence, software)?;
    assessed.assessment.timings.insert("total".to_owned(), started.elapsed().as_secs_f64());
    write(&assessed, &submitted, arguments)?;
    finish(&assessed, arguments)
}

/// Loads the bundle. It comes first: what its graph does not ask for needs no model and is not decoded.
fn load_assessor(installation: &Installation<'_>, arguments: &Analyze) -> Result<Assessor, Failure> {
    if let Some(file) = &arguments.bundle
        && installation.manifest().by_name(&file.to_string_lossy()).is_err()
    {
        exists(file)?;
    }
    let file = installation.bundle_file(arguments.bundle.as_deref().map(Path::to_string_lossy).as_deref())?;
    let encoder = installation.encoder()?;
    let bundle = installation.bundle(&file, &encoder)?;
    Ok(Assessor::new(bundle, encoder))
}

fn joined<T>(handle: ScopedJoinHandle<'_, Result<T, Failure>>) -> Result<T, Failure> {
    handle.join().unwrap_or_else(|_| Err(Failure::new(Code::Internal, "a thread panicked")))
}

fn rooms(modalities: &BTreeSet<Modality>, submitted: &Submitted) -> Rooms {
    let recognised = submitted.interview.final_takes().0.iter().any(|answer| answer.transcript.is_none());
    Rooms::for_modalities(modalities, recognised)
}

/// Extracts every final take; gives what was had of each, and the hash of each model by its role. An answer that fails
/// keeps its place with its reason; the others go on.
fn extract_all<'a>(
    config: &Config,
    installation: &Installation<'_>,
    rooms: Rooms,
    submitted: &'a Submitted,
    subject: &Subject<'a>,
) -> Result<(Vec<AnswerEvidence<'a>>, BTreeMap<String, String>), Failure> {
    let progress = Progress::new();
    let recordings: Vec<_> = subject.answers.iter().map(|answer| submitted.media(answer)).collect();
    let tasks = subject.answers.iter().zip(&recordings);
    let tasks: Vec<Result<Task<'_>, &AddressError>> =
        tasks.map(|(answer, media)| media.as_ref().map(|media| task(answer, media, submitted, subject))).collect();
    let open = |task: &Task<'_>| Opened::open(task, &config.media, &progress);
    progress.answer(0, tasks.len());
    // Opening needs a core of its own, or it waits for the models and the first sign of progress comes late.
    let (mut first, extractor) =
        rayon::join(|| tasks.first().and_then(|task| task.as_ref().ok()).map(open), || installation.extractor(rooms));
    let mut extractor = extractor?;
    thread::scope(|scope| {
        let models = scope.spawn(|| installation.model_hashes(rooms));
        let mut evidence = Vec::with_capacity(tasks.len());
        for (i, (answer, task)) in subject.answers.iter().copied().zip(&tasks).enumerate() {
            progress.answer(i, tasks.len());
            let extraction = match task {
                Err(error) => Extraction::failed(error.code(), error.code().meaning()),
                Ok(task) => {
                    let opened = first.take().unwrap_or_else(|| open(task));
                    extractor.extract_opened_or_fail(task, opened, &progress)?
                }
            };
            evidence.push(AnswerEvidence { answer, extraction });
        }
        Ok((evidence, joined(models)?))
    })
}

fn task<'a>(answer: &'a Answer, media: &'a Path, submitted: &'a Submitted, subject: &'a Subject<'_>) -> Task<'a> {
    Task {
        media,
        sha256: answer.sha256.as_deref(),
        modalities: &subject.modalities,
        transcript: answer.transcript.as_ref(),
        language: submitted.interview.language.as_deref(),
    }
}

/// Made before any work is done: an output that cannot be written is told at once.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::new(Code::OutputFailed, format!("{}: {error}", folder.display())))
}

fn write(assessed: &Assessed, submitted: &Submitted, arguments: &Analyze) -> Result<(), Failure> {
    let out = &arguments.out;
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
        Status::Refused => Err(refusal(assessment)),
        status => {
            // Standard error says it too, for those who keep the table for later.
            for reason in assessment.reasons.iter().filter(|reason| reason.code.makes_partial()) {
                logging::note(reason, &told(assessment, reason));
            }
            print(table::render(assessment, &arguments.out.join("report.html")).as_bytes())?;
            Ok(if status == Status::Partial { Outcome::Partial } else { Outcome::Done })
        }
    }
}

/// Why nothing could be scored: everything that is missing is told, what concerns a whole recording last, as the failure.
fn refusal(assessment: &Assessment) -> Failure {
    let mut missing: Vec<&Reason> = assessment.reasons.iter().filter(|reason| reason.code.makes_partial()).collect();
    // Stable: of equal weight, the first comes first.
    missing.sort_by_key(|reason| (reason.answer.is_none(), reason.modality.is_some()));
    let mut missing = missing.into_iter();
    let Some(first) = missing.next() else {
        return Failure::new(Code::NothingToScore, Code::NothingToScore.meaning());
    };
    for other in missing {
        logging::note(other, &told(assessment, other));
    }
    Failure::new(first.code, told(assessment, first)).of(first.modality)
}

/// A reason, naming the answer with its recording, and the modality.
fn told(assessment: &Assessment, reason: &Reason) -> String {
    let answer = assessment.answers.iter().find(|answer| Some(&answer.id) == reason.answer.as_ref());
    let answer = answer.map(|a| format!("answer {} ({})", a.id, a.media));
    let subject: Vec<String> = answer.into_iter().chain(reason.modality.map(|m| m.to_string())).collect();
    if subject.is_empty() { reason.detail.clone() } else { format!("{}: {}", subject.join(", "), reason.detail) }
}
