use hirenet_core::{Frame, Reason};
use serde::{Deserialize, Serialize};

/// Which kinds of stream are decoded. A kind that is not asked for is never decoded; where neither is, the outcome's
/// duration is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Samples are wanted.
    pub audio: bool,
    /// Frames are wanted.
    pub video: bool,
}

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// An attached picture, such as cover art. Never analysed.
    Picture,
    /// Subtitles, data and whatever else.
    Other,
}

/// Pictures of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoInfo {
    /// Width as stored, in pixels.
    pub width: u32,
    /// Height as stored, in pixels.
    pub height: u32,
    /// Width as shown: display matrix and pixel shape applied.
    pub upright_width: u32,
    /// Height as shown.
    pub upright_height: u32,
    /// Counter-clockwise turn that makes the stored picture upright: 0, 90, 180 or 270 degrees (`ffprobe`'s
    /// `rotation`, modulo 360).
    pub rotation_deg: u32,
    /// True where the picture is mirrored left to right after the turn.
    pub mirrored: bool,
    /// Mean frames a second, where the container knows.
    pub fps: Option<f64>,
    /// FFmpeg's name of the pixel format.
    pub pixel_format: Option<String>,
}

/// Sound of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioInfo {
    /// Samples a second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// FFmpeg's name of the channel layout.
    pub layout: Option<String>,
}

/// One stream of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// Index in the container.
    pub index: usize,
    /// What it carries.
    pub kind: StreamKind,
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// FFmpeg's name of the codec's profile.
    pub profile: Option<String>,
    /// True where the container marks it as the one to play.
    pub default: bool,
    /// True for the stream that is analysed among those of its kind.
    pub chosen: bool,
    /// First timestamp in seconds on the container's own clock.
    pub start_s: Option<f64>,
    /// Length in seconds as the container says; `None` where it does not, or where it was not clear what it means.
    pub duration_s: Option<f64>,
    /// Pictures.
    #[serde(flatten)]
    pub video: Option<VideoInfo>,
    /// Sound.
    #[serde(flatten)]
    pub audio: Option<AudioInfo>,
}

/// What a media file is. It describes and does not judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// FFmpeg's name of the container format.
    pub container: String,
    /// Size of the file.
    pub bytes: u64,
    /// Length in seconds since media time zero; `None` where nothing says and nothing was measured.
    pub duration_s: Option<f64>,
    /// True where `duration_s` was measured by reading all packets, because the header has none to rely on.
    pub duration_measured: bool,
    /// Media time zero on the container's own clock, in seconds.
    pub start_s: f64,
    /// Start of the chosen audio minus start of the chosen video in seconds; `None` unless there are both.
    pub offset_s: Option<f64>,
    /// All streams.
    pub streams: Vec<StreamInfo>,
    /// What is missing or cannot be decoded.
    pub reasons: Vec<Reason>,
}

impl Probe {
    /// The stream of this kind that is analysed.
    #[must_use]
    pub fn chosen(&self, kind: StreamKind) -> Option<&StreamInfo> {
        self.streams.iter().find(|stream| stream.chosen && stream.kind == kind)
    }
}

/// How a decoding ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Real extent in seconds since media time zero: the later of the end of sound and the end of pictures, as their
    /// packets say. It is the same whatever is decoded.
    pub duration_s: f64,
    /// Number of samples at 16 kHz.
    pub samples: u64,
    /// Number of analysed frames.
    pub frames: u64,
    /// What is missing or damaged.
    pub reasons: Vec<Reason>,
}

/// A piece of a decoded file. Pieces of sound and pictures come roughly in the order of their times.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The next samples: mono, 16 kHz, without gaps. Sample `n` of the file is at `n / 16000` s of media time.
    Samples(Vec<f32>),
    /// The next analysed frame.
    Frame(Frame),
    /// The end; nothing follows.
    Ended(Outcome),
}
