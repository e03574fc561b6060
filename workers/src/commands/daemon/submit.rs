//! `hirenet submit`

use std::path::{Path, PathBuf};

use hirenet_core::{Code, Interview};
use hirenet_queue::{Names, Outgoing, Priority, Stage, routing_key};

use super::broker;
use crate::cli::{Submit, SubmitPriority};
use crate::commands::print;
use crate::config::Config;
use crate::daemon::SUBMITTED;
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::media_address::{AddressError, resolve};

/// Messages that are on their way at once.
const BATCH: usize = 256;

pub(super) async fn run(config: &Config, arguments: &Submit) -> Result<Outcome, Failure> {
    let mut first_failure = None;
    let mut interviews = Vec::new();
    for file in files(arguments)? {
        match read(&file) {
            Ok(interview) => interviews.push(interview),
            Err(failure) => {
                // The others are submitted all the same.
                logging::failure(failure.code(), &failure.to_string());
                first_failure.get_or_insert(failure);
            }
        }
    }
    let broker = broker(config, "hirenet submit").await?;
    let publisher = broker.publisher();
    let priority = match arguments.priority {
        SubmitPriority::Interactive => Priority::Interactive,
        SubmitPriority::Bulk => Priority::Bulk,
    };
    for batch in interviews.chunks(BATCH) {
        let messages = batch.iter().map(|interview| message(broker.names(), interview, priority));
        let messages = messages.collect::<Result<Vec<_>, Failure>>()?;
        let confirms = publisher.publish_all(&messages).await;
        for (interview, confirm) in batch.iter().zip(confirms) {
            match confirm {
                Ok(()) => print(format!("submitted  {}  {}\n", interview.job_id, interview.interview_id).as_bytes())?,
                Err(error) => {
                    let failure = Failure::about(format!("job {}", interview.job_id), &error);
                    logging::failure(failure.code(), &failure.to_string());
                    first_failure.get_or_insert(failure);
                }
            }
        }
    }
    broker.close().await;
    first_failure.map_or(Ok(Outcome::Done), Err)
}

fn files(arguments: &Submit) -> Result<Vec<PathBuf>, Failure> {
    let Some(dir) = &arguments.dir else { return Ok(arguments.files.clone()) };
    let unreadable = |error: std::io::Error| Failure::new(Code::FileUnreadable, format!("{}: {error}", dir.display()));
    let entries = std::fs::read_dir(dir).map_err(unreadable)?;
    let paths = entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect::<Result<Vec<_>, Failure>>()?;
    let mut files: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    Ok(files.into_iter().chain(arguments.files.iter().cloned()).collect())
}

fn read(file: &Path) -> Result<Interview, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(Code::FileUnreadable, format!("{}: {error}", file.display())))?;
    let mut interview = Interview::from_json(&text).map_err(|error| Failure::about(file.display(), &error))?;
    let folder = file.canonicalize().ok().and_then(|path| path.parent().map(Path::to_path_buf)).unwrap_or_default();
    for answer in &mut interview.answers {
        match resolve(&answer.media, &folder) {
            Ok(path) => answer.media = file_address(&path),
            // An address of the network: the worker fetches it.
            Err(AddressError::Scheme(_)) => {}
            Err(error) => return Err(Failure::about(format!("{}: answer {}", file.display(), answer.id), &error)),
        }
    }
    Ok(interview)
}

/// `file:` address of an absolute path (RFC 8089).
fn file_address(path: &Path) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
    use std::os::unix::ffi::OsStrExt;
    const ESCAPED: &AsciiSet =
        &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'"').add(b'<').add(b'>').add(b'`');
    format!("file://{}", percent_encode(path.as_os_str().as_bytes(), ESCAPED))
}

fn message(names: &Names, interview: &Interview, priority: Priority) -> Result<Outgoing, Failure> {
    let payload = serde_json::to_vec(interview).map_err(|error| Failure::internal(&error.into()))?;
    let key = routing_key(Stage::Admit, priority);
    Ok(Outgoing::to_stage(names, &key, interview.job_id, SUBMITTED, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_media_become_addresses_that_any_process_understands() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap().join("a b");
        std::fs::create_dir(&folder).unwrap();
        let sample =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/interview.json")).unwrap();
        std::fs::write(folder.join("i.json"), sample.replace("a2.mp4", "https://host/a2.mp4")).unwrap();
        let interview = read(&folder.join("i.json")).unwrap();
        let media: Vec<&str> = interview.answers.iter().map(|a| a.media.as_str()).collect();
        let first = format!("file://{}/a1.mp4", folder.to_str().unwrap().replace(' ', "%20"));
        assert_eq!((media[0], media[1]), (first.as_str(), "https://host/a2.mp4"));
    }
}
