//! Clips made with the `ffmpeg` program, and decoding them whole.

use std::path::{Path, PathBuf};
use std::process::Command;

use hirenet_core::{Code, Coded, Frame, Reason};
use hirenet_media::{
    Decoding, Event, Launcher, MediaError, MediaSettings, Outcome, Probe, Request, open_with, probe_with,
};

pub(crate) const BOTH: Request = Request { audio: true, video: true };

/// The child that Cargo built beside the tests.
pub(crate) fn launcher() -> Launcher {
    Launcher::new(env!("CARGO_BIN_EXE_hirenet-decode-child"), ["decode-child"])
}

/// A folder of clips.
pub(crate) struct Clips {
    folder: tempfile::TempDir,
}

impl Clips {
    pub(crate) fn new() -> Self {
        Clips { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// Runs `ffmpeg ARGS name` (arguments split at blanks) and returns the file's path.
    pub(crate) fn make(&self, name: &str, args: &str) -> PathBuf {
        let path = self.path(name);
        let out = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(args.split_whitespace())
            .arg(&path)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(out.status.success(), "ffmpeg {args}: {}", String::from_utf8_lossy(&out.stderr));
        path
    }
}

/// Everything that a decoding gave.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) probe: Probe,
    pub(crate) samples: Vec<f32>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) outcome: Outcome,
}

impl Decoded {
    pub(crate) fn codes(&self) -> Vec<Code> {
        codes(&self.outcome.reasons)
    }

    pub(crate) fn rms(&self) -> f64 {
        let sum: f64 = self.samples.iter().map(|s| f64::from(*s).powi(2)).sum();
        (sum / self.samples.len().max(1) as f64).sqrt()
    }
}

pub(crate) fn codes(reasons: &[Reason]) -> Vec<Code> {
    reasons.iter().map(|reason| reason.code).collect()
}

pub(crate) fn collect(decoding: Decoding) -> Result<Decoded, MediaError> {
    let probe = decoding.probe().clone();
    let (mut samples, mut frames, mut outcome) = (Vec::new(), Vec::new(), None);
    for event in decoding {
        match event? {
            Event::Samples(more) => samples.extend(more),
            Event::Frame(frame) => frames.push(frame),
            Event::Ended(ended) => outcome = Some(ended),
        }
    }
    let outcome = outcome.expect("a decoding ends in an outcome or an error");
    assert_eq!((outcome.samples, outcome.frames), (samples.len() as u64, frames.len() as u64));
    Ok(Decoded { probe, samples, frames, outcome })
}

pub(crate) fn try_decode(path: &Path, request: Request, settings: &MediaSettings) -> Result<Decoded, MediaError> {
    open_with(&launcher(), path, request, settings).and_then(collect)
}

pub(crate) fn decode(path: &Path) -> Decoded {
    try_decode(path, BOTH, &MediaSettings::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn refusal(path: &Path) -> Code {
    match try_decode(path, BOTH, &MediaSettings::default()) {
        Ok(decoded) => panic!("{} was decoded: {:?}", path.display(), decoded.outcome),
        Err(error) => error.code(),
    }
}

pub(crate) fn describe(path: &Path) -> Result<Probe, MediaError> {
    describe_with(path, &MediaSettings::default())
}

pub(crate) fn describe_with(path: &Path, settings: &MediaSettings) -> Result<Probe, MediaError> {
    probe_with(&launcher(), path, settings)
}
