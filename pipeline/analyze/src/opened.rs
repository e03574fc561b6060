//! A recording that is hashed and open. It needs no model, so it can be had while the models still load.

use std::time::{Duration, Instant};

use hirenet_core::Modality;
use hirenet_media::{Decoding, MediaError, MediaSettings, Request};

use crate::{AnalyzeError, Observer, Task};

/// A recording whose hash is known and whose decoder is at work, as far as the pipe lets it.
#[derive(Debug)]
pub struct Opened {
    pub(crate) sha256: String,
    pub(crate) hashing: Duration,
    /// `None` where neither sound nor pictures are asked for.
    pub(crate) decoding: Option<Decoding>,
}

impl Opened {
    /// Hashes the recording of `task`, holds the hash against the task's, and starts to decode what is asked for.
    ///
    /// # Errors
    /// Where the file cannot be used: its code says why.
    pub fn open(task: &Task<'_>, settings: &MediaSettings, observer: &dyn Observer) -> Result<Opened, AnalyzeError> {
        let started = Instant::now();
        let sha256 = checked_hash(task, settings)?;
        let hashing = started.elapsed();
        let request = request(task);
        let open = || hirenet_media::open(task.media, request, settings);
        let decoding = (request.audio || request.video).then(open).transpose()?;
        if let Some(decoding) = &decoding {
            observer.opened(decoding.probe().duration_s);
        }
        Ok(Opened { sha256, hashing, decoding })
    }
}

/// What must be decoded for a task.
pub(crate) fn request(task: &Task<'_>) -> Request {
    let wants = |modality| task.modalities.contains(&modality);
    Request {
        audio: wants(Modality::Vocal) || (wants(Modality::Verbal) && task.transcript.is_none()),
        video: wants(Modality::Visual),
    }
}

/// The recording's hash, checked against the message's before anything is decoded.
fn checked_hash(task: &Task<'_>, settings: &MediaSettings) -> Result<String, AnalyzeError> {
    hirenet_media::check_file(task.media, settings)?;
    let (found, _) = hirenet_core::sha256_file(task.media).map_err(MediaError::Unreadable)?;
    match task.sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&found) => {
            Err(AnalyzeError::Hash { expected: expected.to_owned(), found })
        }
        _ => Ok(found),
    }
}
