//! One recording to tracks and transcript, in one streaming pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use hirenet_core::{
    ByModality, Code, Coded, Frame, GivenTranscript, Modality, Reason, Source, SpeechProbability, Track, Transcript,
};
use hirenet_face::{FaceMeter, FaceRow};
use hirenet_media::{Decoding, Event, Request};
use hirenet_speech::{Heard, Listener, Recogniser, SpeechSettings, VoiceActivity};
use hirenet_voice::{Llds, VoiceMeter};

use crate::audio::{AudioBuffer, CloseOnDrop};
use crate::opened::{Opened, request};
use crate::{AnalyzeError, ExtractorSettings, Observer};

/// Frames between the decoder and the face room: enough to keep both busy, little enough to hold.
const FRAMES_IN_FLIGHT: usize = 8;
/// Samples that the speech room takes at once: half a second.
const CHUNK: usize = 8_000;

/// The rooms' models, loaded once and used for one recording after another.
pub struct Extractor {
    pub(crate) settings: ExtractorSettings,
    pub(crate) activity: Option<VoiceActivity>,
    pub(crate) recogniser: Option<Recogniser>,
    pub(crate) voice: Option<VoiceMeter>,
    pub(crate) face: Option<FaceMeter>,
}

/// What to extract from which recording.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    /// The recording.
    pub media: &'a Path,
    /// The sha256 that it must have.
    pub sha256: Option<&'a str>,
    /// The modalities that may and must be computed.
    pub modalities: &'a BTreeSet<Modality>,
    /// A human transcript; replaces recognition.
    pub transcript: Option<&'a GivenTranscript>,
    /// Spoken language; `None`: detect.
    pub language: Option<&'a str>,
}

/// What one recording gave.
#[derive(Debug, Default)]
pub struct Extraction {
    /// Duration on the clock in seconds.
    pub duration_s: Option<f64>,
    /// SHA-256 of the recording.
    pub media_sha256: Option<String>,
    /// What was said, where words were asked for.
    pub transcript: Option<Transcript>,
    /// Low-level descriptors every 10 ms, where the voice was asked for.
    pub llds: Option<Llds>,
    /// A row for every analysed frame, where the face was asked for.
    pub faces: Option<Vec<FaceRow>>,
    /// The vocal and visual tracks. The verbal one is computed from the transcript when a bundle asks for it.
    pub tracks: ByModality<Track>,
    /// What is missing or to be read with care.
    pub reasons: Vec<Reason>,
    /// Busy wall seconds of each stage; stages overlap.
    pub timings: BTreeMap<&'static str, f64>,
}

/// A result with the time that it took.
struct Timed<T> {
    value: T,
    busy: Duration,
}

struct Decoded {
    duration_s: f64,
    has_sound: bool,
    has_pictures: bool,
    reasons: Vec<Reason>,
    busy: Duration,
}

impl Extractor {
    /// Extracts what `task` asks for.
    ///
    /// # Errors
    /// Where nothing could be had of the recording: its code says whose fault it is.
    pub fn extract(&mut self, task: &Task<'_>, observer: &dyn Observer) -> Result<Extraction, AnalyzeError> {
        let opened = Opened::open(task, &self.settings.media, observer)?;
        self.extract_opened(task, opened, observer)
    }

    /// As [`Extractor::extract`], of a recording that [`Opened::open`] opened for the same task.
    ///
    /// # Errors
    /// As [`Extractor::extract`].
    pub fn extract_opened(
        &mut self,
        task: &Task<'_>,
        opened: Opened,
        observer: &dyn Observer,
    ) -> Result<Extraction, AnalyzeError> {
        let mut extraction = Extraction { media_sha256: Some(opened.sha256), ..Extraction::default() };
        extraction.timings.insert("hash", opened.hashing.as_secs_f64());
        if let Some(given) = task.transcript.filter(|_| task.modalities.contains(&Modality::Verbal)) {
            extraction.transcript = Some(hirenet_speech::given_transcript(given, task.language));
            extraction.reasons.push(Reason::new(Code::GivenTranscript).of(Modality::Verbal));
        }
        match opened.decoding {
            Some(decoding) => self.stream(task, decoding, observer, &mut extraction)?,
            // Words alone, and they are given: the recording is only described.
            None => extraction.duration_s = hirenet_media::probe(task.media, &self.settings.media)?.duration_s,
        }
        forget_late_times(&mut extraction);
        if extraction.transcript.as_ref().is_some_and(|t| t.words.is_empty()) {
            note_missing_words(&mut extraction);
        }
        Ok(extraction)
    }

    /// As [`Extractor::extract`], but a recording that cannot be used becomes an extraction that only says why: it takes
    /// nothing from the other answers.
    ///
    /// # Errors
    /// Where the fault is not the recording's.
    pub fn extract_or_fail(&mut self, task: &Task<'_>, observer: &dyn Observer) -> Result<Extraction, AnalyzeError> {
        let opened = Opened::open(task, &self.settings.media, observer);
        self.extract_opened_or_fail(task, opened, observer)
    }

    /// As [`Extractor::extract_or_fail`], of a recording that [`Opened::open`] was asked to open for the same task.
    ///
    /// # Errors
    /// As [`Extractor::extract_or_fail`].
    pub fn extract_opened_or_fail(
        &mut self,
        task: &Task<'_>,
        opened: Result<Opened, AnalyzeError>,
        observer: &dyn Observer,
    ) -> Result<Extraction, AnalyzeError> {
        match opened.and_then(|opened| self.extract_opened(task, opened, observer)) {
            // The error's own words may name a path: a result carries the code's meaning alone.
            Err(AnalyzeError::Media(error)) => Ok(Extraction::failed(error.code(), error.code().meaning())),
            Err(error @ AnalyzeError::Hash { .. }) => Ok(Extraction::failed(error.code(), &error.to_string())),
            other => other,
        }
    }

    fn stream(
        &mut self,
        task: &Task<'_>,
        decoding: Decoding,
        observer: &dyn Observer,
        extraction: &mut Extraction,
    ) -> Result<(), AnalyzeError> {
        let request = request(task);
        let audio = AudioBuffer::default();
        let (frames_in, frames_out) = sync_channel(FRAMES_IN_FLIGHT);
        let Extractor { settings, activity, recogniser, voice, face } = self;
        let recogniser = (task.modalities.contains(&Modality::Verbal) && task.transcript.is_none())
            .then_some(recogniser.as_ref())
            .flatten();
        let activity = activity.as_ref().filter(|_| request.audio);
        let configured = Some(settings.speech.language.as_str()).filter(|language| !language.is_empty());
        let language = task.language.or(configured);
        let settings = &*settings;
        let voice = voice.as_mut().filter(|_| task.modalities.contains(&Modality::Vocal));
        let face = face.as_mut().filter(|_| request.video);
        let audio = &audio;
        let (decoded, heard, llds, faces) = thread::scope(|scope| {
            let hearing =
                activity.map(|a| scope.spawn(move || listen(a, recogniser, language, &settings.speech, audio)));
            let measuring = voice.map(|meter| scope.spawn(move || measure_voice(meter, audio)));
            let watching = face.map(|meter| scope.spawn(move || watch(meter, &frames_out)));
            let decoded = pump(decoding, audio, &frames_in, observer);
            drop(frames_in);
            observer.finishing("recognising");
            (decoded, join_some(hearing), join_some(measuring), join_some(watching))
        });
        // A room that failed ends its channel, which ends decoding early: its own error says more.
        let heard = heard?.transpose()?;
        let llds = llds?.transpose()?;
        let faces = faces?.transpose()?;
        let decoded = decoded?;
        extraction.duration_s = Some(decoded.duration_s);
        extraction.timings.insert("decode", decoded.busy.as_secs_f64());
        extraction.reasons.extend(relevant(decoded.reasons, request));
        if let Some(heard) = heard {
            extraction.timings.insert("speech", heard.busy.as_secs_f64());
            // Without a sample or a picture the decoder has already said why: there is nothing to add.
            if decoded.has_sound {
                finish_sound(extraction, heard.value, llds, decoded.duration_s, settings);
            }
        }
        if let Some(faces) = faces.filter(|_| decoded.has_pictures) {
            extraction.timings.insert("face", faces.busy.as_secs_f64());
            extraction.reasons.extend(hirenet_face::reasons(&faces.value));
            extraction.tracks.set(Modality::Visual, Some(hirenet_face::track(&faces.value, decoded.duration_s)));
            extraction.faces = Some(faces.value);
        }
        Ok(())
    }
}

/// Reads the decoder to its end, samples into the buffer, frames into the channel.
fn pump(
    mut decoding: Decoding,
    audio: &AudioBuffer,
    frames: &SyncSender<Frame>,
    observer: &dyn Observer,
) -> Result<Decoded, AnalyzeError> {
    let _close = CloseOnDrop(audio);
    let mut busy = Duration::ZERO;
    loop {
        let waiting = Instant::now();
        let event = decoding.next_event()?;
        busy += waiting.elapsed();
        match event {
            Some(Event::Samples(samples)) => audio.push(&samples),
            Some(Event::Frame(frame)) => {
                observer.decoded(frame.time_s);
                if frames.send(frame).is_err() {
                    return Err(AnalyzeError::Internal("the face room ended early".to_owned()));
                }
            }
            Some(Event::Ended(outcome)) => {
                return Ok(Decoded {
                    duration_s: outcome.duration_s,
                    has_sound: outcome.samples > 0,
                    has_pictures: outcome.frames > 0,
                    reasons: outcome.reasons,
                    busy,
                });
            }
            None => return Err(AnalyzeError::Internal("the decoder ended without a word".to_owned())),
        }
    }
}

fn listen(
    activity: &VoiceActivity,
    recogniser: Option<&Recogniser>,
    language: Option<&str>,
    settings: &SpeechSettings,
    audio: &AudioBuffer,
) -> Result<Timed<Heard>, AnalyzeError> {
    let mut listener = match recogniser {
        Some(recogniser) => Listener::for_words(activity, recogniser, language)?,
        None => Listener::for_activity(activity, settings),
    };
    let mut busy = Duration::ZERO;
    let mut position = 0;
    while let Some(chunk) = audio.read(position, CHUNK) {
        let started = Instant::now();
        listener.push(&chunk)?;
        busy += started.elapsed();
        position += chunk.len();
    }
    let started = Instant::now();
    let value = listener.finish()?;
    Ok(Timed { value, busy: busy + started.elapsed() })
}

fn measure_voice(meter: &mut VoiceMeter, audio: &AudioBuffer) -> Result<Timed<Llds>, AnalyzeError> {
    let samples = audio.wait_complete();
    let started = Instant::now();
    let value = meter.measure(&samples)?;
    Ok(Timed { value, busy: started.elapsed() })
}

fn watch(meter: &mut FaceMeter, frames: &Receiver<Frame>) -> Result<Timed<Vec<FaceRow>>, AnalyzeError> {
    meter.reset();
    let (mut busy, mut processor) = (Duration::ZERO, Duration::ZERO);
    let mut value = Vec::new();
    for frame in frames {
        let (started, processor_started) = (Instant::now(), thread_processor_time());
        value.push(meter.measure(&frame)?);
        busy += started.elapsed();
        processor += thread_processor_time().saturating_sub(processor_started);
    }
    // Without `onnx.threads` above 1, networks run in this thread alone: this is what the stage costs beside decoding.
    tracing::info!(event = "faces_measured", frames = value.len(), cpu_s = processor.as_secs_f64(), "faces measured");
    Ok(Timed { value, busy })
}

/// Processor time of the calling thread.
fn thread_processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn finish_sound(
    extraction: &mut Extraction,
    heard: Heard,
    llds: Option<Timed<Llds>>,
    duration_s: f64,
    settings: &ExtractorSettings,
) {
    extraction.reasons.extend(heard.reasons);
    if extraction.transcript.is_none() {
        extraction.transcript = heard.transcript;
    }
    if let Some(llds) = llds {
        extraction.timings.insert("voice", llds.busy.as_secs_f64());
        let track = vocal_track(&llds.value, &heard.probability, duration_s, settings);
        if track.valid_rows() == 0 {
            extraction.reasons.push(Reason::new(Code::NoVoice).of(Modality::Vocal));
        }
        extraction.tracks.set(Modality::Vocal, Some(track));
        extraction.llds = Some(llds.value);
    }
}

fn vocal_track(llds: &Llds, probability: &SpeechProbability, duration_s: f64, settings: &ExtractorSettings) -> Track {
    hirenet_voice::track(llds, probability, duration_s, settings.speech.vad_threshold)
}

/// A missing stream matters only where something was asked of it.
fn relevant(reasons: Vec<Reason>, request: Request) -> impl Iterator<Item = Reason> {
    reasons.into_iter().filter(move |reason| match reason.code {
        Code::NoAudio => request.audio,
        Code::NoVideo => request.video,
        _ => true,
    })
}

/// Holds the times of a given transcript against the recording: only here its length is known.
fn forget_late_times(extraction: &mut Extraction) {
    let given = extraction.transcript.as_mut().filter(|transcript| transcript.source == Source::Given);
    let (Some(transcript), Some(duration_s)) = (given, extraction.duration_s) else { return };
    let late = hirenet_speech::forget_late_times(transcript, duration_s);
    if late > 0 {
        let words = transcript.words.len();
        let detail = format!("{late} of {words} words lie beyond the recording's end at {duration_s:.1} s.");
        extraction.reasons.push(Reason::new(Code::LateWords).of(Modality::Verbal).detail(detail));
    }
}

fn note_missing_words(extraction: &mut Extraction) {
    let codes = [Code::NoSpeech, Code::SpeechUnintelligible, Code::LanguageUnsupported, Code::NoAudio];
    if !extraction.reasons.iter().any(|r| codes.contains(&r.code)) {
        extraction.reasons.push(Reason::new(Code::NoWords).of(Modality::Verbal));
    }
}

/// The thread's result; a panic there becomes an error here.
fn join<T>(handle: ScopedJoinHandle<'_, T>) -> Result<T, AnalyzeError> {
    handle.join().map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        AnalyzeError::Internal(format!("a thread panicked: {}", words.unwrap_or("without words")))
    })
}

fn join_some<T>(handle: Option<ScopedJoinHandle<'_, T>>) -> Result<Option<T>, AnalyzeError> {
    handle.map(join).transpose()
}

impl Extraction {
    /// What is left of an answer that failed: its reason.
    #[must_use]
    pub fn failed(code: Code, detail: &str) -> Extraction {
        Extraction { reasons: vec![Reason::new(code).detail(detail)], ..Extraction::default() }
    }
}
