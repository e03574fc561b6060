//! What is to be analysed: an interview file, or videos with their questions.

use std::path::{Path, PathBuf};

use hirenet_core::{Answer, Code, Consent, FaceWaiver, Interview, Modality, Position};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::Analyze;
use crate::failure::Failure;
use crate::media_address::{AddressError, resolve};

/// An interview and where its media lie.
pub(crate) struct Submitted {
    pub(crate) interview: Interview,
    /// The folder that relative media paths start from.
    pub(crate) folder: PathBuf,
    /// True where nobody was asked: the videos were given on the command line.
    pub(crate) consent_assumed: bool,
    /// The videos of the command line, one an answer: a path need not be a text.
    videos: Vec<PathBuf>,
}

impl Submitted {
    /// The file of an answer.
    pub(crate) fn media(&self, answer: &Answer) -> Result<PathBuf, AddressError> {
        // A path of the command line is taken as it is, wherever it points.
        let place = self.interview.answers.iter().position(|other| other.id == answer.id);
        match place.and_then(|place| self.videos.get(place)) {
            Some(video) => Ok(video.clone()),
            None => resolve(&answer.media, &self.folder),
        }
    }
}

/// Reads the command line's inputs.
pub(crate) fn read(arguments: &Analyze) -> Result<Submitted, Failure> {
    let usage = |sentence: &str| Err(Failure::new(Code::UsageInvalid, sentence));
    let (inputs, questions) = inputs_and_questions(arguments);
    match (inputs.as_slice(), questions.as_slice()) {
        ([], _) => usage("name an INTERVIEW.json, or recordings with a --question for each"),
        ([file], []) if is_interview_file(file) && (arguments.language.is_some() || arguments.title.is_some()) => {
            usage("an interview file has its own title and language: leave --title and --language out")
        }
        ([file], []) if is_interview_file(file) => read_interview(file),
        ([file], _) if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) => {
            usage("an interview file has its own questions: leave --question out")
        }
        (_, []) => usage("videos need their questions: add --question TEXT for each, or name one INTERVIEW.json"),
        (videos, questions) if questions.len() == 1 || questions.len() == videos.len() => {
            from_videos(videos, questions, arguments)
        }
        (videos, questions) => usage(&format!(
            "{} videos and {} questions: give one question, or one for each",
            videos.len(),
            questions.len()
        )),
    }
}

/// `--question` takes every text behind it. Where recordings stand there too, and none elsewhere, they are told from the
/// questions by being files with the ending of a recording.
fn inputs_and_questions(arguments: &Analyze) -> (Vec<PathBuf>, Vec<&str>) {
    let mut questions: Vec<&str> = arguments.question.iter().map(String::as_str).collect();
    if !arguments.inputs.is_empty() {
        return (arguments.inputs.clone(), questions);
    }
    let is_recording = |text: &&str| !is_interview_file(Path::new(text)) && Path::new(text).is_file();
    let behind = questions.iter().rev().take_while(|text| is_recording(text)).count();
    let inputs = questions.split_off(questions.len() - behind).into_iter().map(PathBuf::from).collect();
    (inputs, questions)
}

/// Recordings have endings of their own; everything else is read as an interview, so that its error says what is wrong.
fn is_interview_file(file: &Path) -> bool {
    const RECORDINGS: [&str; 14] =
        ["mp4", "webm", "mov", "mkv", "mpg", "mpeg", "avi", "m4v", "ts", "ogg", "wav", "mp3", "m4a", "flac"];
    let ending = file.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    !ending.is_some_and(|e| RECORDINGS.contains(&e.as_str()))
}

fn read_interview(file: &Path) -> Result<Submitted, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(Code::FileMissing, format!("{} does not exist", file.display())),
        std::io::ErrorKind::InvalidData => {
            Failure::new(Code::MessageInvalid, format!("{} is not a text in UTF-8", file.display()))
        }
        _ => Failure::new(Code::FileUnreadable, format!("{}: {error}", file.display())),
    })?;
    // Some editors put a mark of the byte order in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let interview = Interview::from_json(text).map_err(|error| Failure::about(file.display(), &error))?;
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(Submitted { interview, folder, consent_assumed: false, videos: Vec::new() })
}

fn from_videos(videos: &[PathBuf], questions: &[&str], arguments: &Analyze) -> Result<Submitted, Failure> {
    let answers = videos.iter().enumerate().map(|(i, video)| Answer {
        id: format!("answer{}", i + 1),
        question: questions.get(i).or(questions.first()).copied().unwrap_or_default().to_owned(),
        media: video.to_string_lossy().into_owned(),
        sha256: None,
        transcript: None,
        take: None,
    });
    // Nobody was asked: the consent that is assumed is one of this moment.
    let now = OffsetDateTime::now_utc();
    let given_at = now.format(&Rfc3339).map_err(|error| Failure::internal(&error.into()))?;
    let interview = Interview {
        job_id: uuid::Uuid::nil(),
        tenant: "none".to_owned(),
        interview_id: "trial".to_owned(),
        candidate: "unknown".to_owned(),
        position: Position { id: "none".to_owned(), title: arguments.title.clone().unwrap_or_default() },
        language: arguments.language.clone(),
        consent: Consent {
            version: "assumed".to_owned(),
            given_at,
            modalities: Modality::ALL.to_vec(),
            face_waiver: Some(FaceWaiver {
                name_on_file: true,
                interview_date: now.date().to_string(),
                consented: true,
                read: true,
            }),
        },
        retention_days: 0,
        answers: answers.collect(),
    };
    interview.validate()?;
    let folder = std::env::current_dir().map_err(|error| Failure::internal(&error.into()))?;
    Ok(Submitted { interview, folder, consent_assumed: true, videos: videos.to_vec() })
}
