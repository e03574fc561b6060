//! The door of this room: probing and decoding a file, in a child or, for debugging, on a thread.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use hirenet_core::{Code, SAMPLE_RATE};

use crate::message::{Message, Stop};
use crate::process::Process;
use crate::task::{Task, Work, perform};
use crate::{Event, Launcher, MediaError, MediaSettings, Probe, Refusal, Request, file};

/// Messages that wait between a decoding thread and its reader.
const WAITING: usize = 4;

/// Describes a media file: container, streams, duration (measured where the header has none), rotation, offsets.
///
/// What cannot be decoded, and a limit on bytes, pixels or duration that it exceeds, is one of its `reasons`.
///
/// # Errors
/// Where the container does not open, or has neither sound nor pictures, or the decoder's time or memory is used up.
pub fn probe(path: &Path, settings: &MediaSettings) -> Result<Probe, MediaError> {
    probe_with(&Launcher::this_program(), path, settings)
}

/// [`probe`] with a child of your own.
///
/// # Errors
/// As [`probe`].
pub fn probe_with(launcher: &Launcher, path: &Path, settings: &MediaSettings) -> Result<Probe, MediaError> {
    start(launcher, path, Work::Probe, settings).map(|decoding| decoding.probe)
}

/// Starts to decode a media file; only what the request asks for is decoded.
///
/// # Errors
/// Where the container does not open, nothing that is wanted can be decoded, or a limit is reached.
pub fn open(path: &Path, request: Request, settings: &MediaSettings) -> Result<Decoding, MediaError> {
    open_with(&Launcher::this_program(), path, request, settings)
}

/// [`open`] with a child of your own.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    launcher: &Launcher,
    path: &Path,
    request: Request,
    settings: &MediaSettings,
) -> Result<Decoding, MediaError> {
    start(launcher, path, Work::Decode(request), settings)
}

/// A decoding under way. Dropping it ends the decoder.
#[derive(Debug)]
pub struct Decoding {
    probe: Probe,
    source: Source,
    bounds: Bounds,
    ended: bool,
}

/// Where messages come from.
#[derive(Debug)]
enum Source {
    Child(Box<Process>),
    Thread(Receiver<Message>),
}

impl Source {
    fn next(&mut self) -> Result<Message, MediaError> {
        match self {
            Source::Child(process) => process.next(),
            Source::Thread(messages) => match messages.recv() {
                Ok(Message::Refused(refusal)) => Err(refusal.into()),
                Ok(message) => Ok(message),
                Err(_) => Err(MediaError::Crashed { how: "its thread ended".to_owned(), stderr: String::new() }),
            },
        }
    }
}

/// What a decoder can give at most; one that gives more is broken, whatever it says.
#[derive(Debug)]
struct Bounds {
    samples: u64,
    max_duration_s: f64,
    last_frame_s: f64,
}

impl Decoding {
    /// What the file is. Its duration is the header's, and `None` where the header has none.
    #[must_use]
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// The next piece; `None` after [`Event::Ended`].
    ///
    /// # Errors
    /// Where a limit is reached, the decoder dies, or nothing could be decoded. What came before stays good.
    pub fn next_event(&mut self) -> Result<Option<Event>, MediaError> {
        if self.ended {
            return Ok(None);
        }
        let event = match self.source.next() {
            Ok(Message::Event(event)) => self.bounds.check(&event).map(|()| event).map_err(MediaError::from),
            Ok(_) => Err(MediaError::Crashed { how: "a message out of turn".to_owned(), stderr: String::new() }),
            Err(error) => Err(error),
        };
        self.ended = matches!(event, Err(_) | Ok(Event::Ended(_)));
        event.map(Some)
    }
}

impl Iterator for Decoding {
    type Item = Result<Event, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_event().transpose()
    }
}

impl Bounds {
    fn check(&mut self, event: &Event) -> Result<(), Refusal> {
        match event {
            Event::Samples(samples) => self.samples += samples.len() as u64,
            // Ascending times bound the number of frames only together with the time that a decoder may take.
            Event::Frame(frame) if frame.time_s < self.last_frame_s => {
                return Err(Refusal::new(Code::DecoderCrashed, "The decoder's frames run backwards."));
            }
            Event::Frame(frame) => self.last_frame_s = frame.time_s,
            Event::Ended(_) => {}
        }
        // The decoder stops at the limit by itself; a block of samples may be on its way.
        let most = ((self.max_duration_s + 1.0) * f64::from(SAMPLE_RATE)) as u64;
        if self.samples > most || self.last_frame_s > self.max_duration_s + 1.0 {
            return Err(Refusal::plain(Code::LimitDuration));
        }
        Ok(())
    }
}

fn start(launcher: &Launcher, path: &Path, work: Work, settings: &MediaSettings) -> Result<Decoding, MediaError> {
    // A probe says of a file that it is too large, and of what it consists.
    let limit = if matches!(work, Work::Probe) { u64::MAX } else { settings.max_bytes };
    let file = file::open(path, limit)?;
    let task = Task { work, settings: settings.clone() };
    let mut source = if settings.decode_in_process {
        Source::Thread(on_a_thread(file, task)?)
    } else {
        Source::Child(Box::new(Process::start(launcher, file, &task)?))
    };
    let bounds = Bounds { samples: 0, max_duration_s: settings.max_duration_s, last_frame_s: 0.0 };
    match source.next()? {
        Message::Opened(probe) => Ok(Decoding { probe: *probe, source, bounds, ended: false }),
        _ => Err(MediaError::Crashed { how: "a message out of turn".to_owned(), stderr: String::new() }),
    }
}

fn on_a_thread(file: File, task: Task) -> Result<Receiver<Message>, MediaError> {
    let (sender, messages) = sync_channel(WAITING);
    let work = move || {
        let refusal = match perform(file, &task, &mut |message| sender.send(message).map_err(|_| Stop::Closed)) {
            Err(Stop::Refused(refusal)) => refusal,
            Ok(()) | Err(Stop::Closed) => return,
        };
        // The reader may be gone: then nobody wants to know.
        let _gone = sender.send(Message::Refused(refusal));
    };
    std::thread::Builder::new().name("decoder".to_owned()).spawn(work).map_err(MediaError::Start)?;
    Ok(messages)
}
