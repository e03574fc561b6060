//! Which streams of a container are analysed, the one clock they share, and their description.

use ffmpeg_next::codec::packet::side_data::Type;
use ffmpeg_next::ffi::AV_NOPTS_VALUE;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Packet, Rational, Stream, decoder, media};
use hirenet_core::{Code, Modality, Reason};

use crate::ffi::{self, Parameters};
use crate::header::{HeaderLength, is_matroska, is_ogg};
use crate::scale::square_size;
use crate::types::{AudioInfo, Probe, StreamInfo, StreamKind, VideoInfo};
use crate::upright::Upright;
use crate::{MediaSettings, Refusal, allowed};

/// Packets that are looked at before decoding begins.
const MAX_HEAD: usize = 64;

/// A stream that is analysed.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) index: usize,
    pub(crate) time_base: Rational,
    /// First timestamp on the container's own clock.
    pub(crate) start_s: Option<f64>,
    /// Length of this stream as the container says, where that can be relied on.
    pub(crate) duration_s: Option<f64>,
    /// Samples a second in which packets' side data counts what is not heard at their end; `None` where packets' lengths
    /// have it taken off already.
    pub(crate) cut_off_rate: Option<u32>,
    /// Why it cannot be decoded.
    pub(crate) unusable: Option<Refusal>,
    /// Mean length of a picture in seconds, where the container knows.
    pub(crate) frame_s: Option<f64>,
    pub(crate) upright: Upright,
}

/// The streams that are analysed, and their clock.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) audio: Option<Chosen>,
    pub(crate) video: Option<Chosen>,
    /// Media time zero on the container's own clock: the earlier of the first audio and the first video timestamp.
    pub(crate) zero_s: f64,
    /// Length that the container's header says.
    pub(crate) header: Option<HeaderLength>,
}

impl Plan {
    /// Chooses the streams: of each kind the default one that can be decoded, else the first that can, else the first.
    pub(crate) fn new(input: &Input, settings: &MediaSettings) -> Result<Self, Refusal> {
        let mut audio = choose(input, StreamKind::Audio, settings);
        let mut video = choose(input, StreamKind::Video, settings);
        if audio.is_none() && video.is_none() {
            return Err(Refusal::plain(Code::NoStreams));
        }
        let starts = [&audio, &video].into_iter().flatten().filter_map(|chosen| chosen.start_s);
        let zero_s = starts.min_by(f64::total_cmp).unwrap_or(0.0);
        let header = HeaderLength::of(input, zero_s);
        for chosen in [&mut audio, &mut video].into_iter().flatten() {
            chosen.duration_s = chosen.duration_s.filter(|_| is_exact(header));
        }
        Ok(Plan { audio, video, zero_s, header })
    }

    /// Seconds since media time zero beyond which no timestamp of sound is believed.
    pub(crate) fn last_plausible_s(&self, settings: &MediaSettings) -> f64 {
        self.header.map_or(settings.max_duration_s, |header| header.most_s + 1.0)
    }

    /// Reads the first packets, up to one of each chosen stream: MP4 says on its packets alone that they are encrypted.
    /// From here on the other streams are skipped.
    pub(crate) fn read_head(&mut self, input: &mut Input) -> Vec<Packet> {
        let mut unseen: Vec<usize> = [&self.audio, &self.video].into_iter().flatten().map(|c| c.index).collect();
        ffi::read_only(input, &unseen);
        let mut head = Vec::new();
        while !unseen.is_empty() && head.len() < MAX_HEAD {
            let mut packet = Packet::empty();
            if packet.read(input).is_err() {
                break;
            }
            unseen.retain(|index| *index != packet.stream());
            if packet.side_data().any(|side| side.kind() == Type::EncryptionInfo) {
                let chosen = [&mut self.audio, &mut self.video].into_iter().flatten();
                for chosen in chosen.filter(|chosen| chosen.index == packet.stream()) {
                    chosen.unusable = Some(Refusal::plain(Code::Encrypted));
                }
            }
            head.push(packet);
        }
        head
    }

    /// Describes the container and all its streams.
    pub(crate) fn describe(&self, input: &Input, bytes: u64) -> Probe {
        let start = |chosen: &Option<Chosen>| chosen.as_ref().and_then(|chosen| chosen.start_s);
        let offset_s = start(&self.audio).zip(start(&self.video)).map(|(audio, video)| audio - video);
        let indices = [&self.audio, &self.video].map(|chosen| chosen.as_ref().map(|chosen| chosen.index));
        Probe {
            container: input.format().name().to_owned(),
            bytes,
            duration_s: self.header.and_then(HeaderLength::exact_s),
            duration_measured: false,
            start_s: self.zero_s,
            offset_s,
            streams: input
                .streams()
                .map(|stream| {
                    let described = describe(input, &stream, indices.contains(&Some(stream.index())));
                    StreamInfo { duration_s: described.duration_s.filter(|_| is_exact(self.header)), ..described }
                })
                .collect(),
            reasons: self.reasons(true, true),
        }
    }

    /// What is missing or cannot be decoded among the kinds that are wanted.
    pub(crate) fn reasons(&self, audio: bool, video: bool) -> Vec<Reason> {
        let missing = |chosen: &Option<Chosen>, code| match chosen {
            None => Some(Refusal::plain(code)),
            Some(chosen) => chosen.unusable.clone(),
        };
        let of_audio = missing(&self.audio, Code::NoAudio).filter(|_| audio).map(|refusal| sound_reason(&refusal));
        let of_video = missing(&self.video, Code::NoVideo).filter(|_| video).map(|refusal| picture_reason(&refusal));
        of_audio.into_iter().chain(of_video).collect()
    }
}

/// A reason about the sound: it concerns the words and the voice, so it names no modality.
pub(crate) fn sound_reason(refusal: &Refusal) -> Reason {
    Reason::new(refusal.code).detail(&refusal.detail)
}

/// A reason about the pictures.
pub(crate) fn picture_reason(refusal: &Refusal) -> Reason {
    Reason::new(refusal.code).of(Modality::Visual).detail(&refusal.detail)
}

/// Seconds of a timestamp; `None` where there is none.
pub(crate) fn seconds(timestamp: Option<i64>, time_base: Rational) -> Option<f64> {
    timestamp.filter(|ts| *ts != AV_NOPTS_VALUE).map(|ts| ts as f64 * f64::from(time_base))
}

/// End of a packet in seconds on the container's own clock.
pub(crate) fn packet_end(packet: &Packet, time_base: Rational) -> Option<f64> {
    let start = seconds(packet.pts().or(packet.dts()), time_base)?;
    Some(start + packet.duration().max(0) as f64 * f64::from(time_base))
}

/// True where the header leaves no doubt how long the recording and its streams are: FFmpeg writes a guess into all.
fn is_exact(header: Option<HeaderLength>) -> bool {
    header.and_then(HeaderLength::exact_s).is_some()
}

fn kind(stream: &Stream<'_>) -> StreamKind {
    match stream.parameters().medium() {
        media::Type::Audio => StreamKind::Audio,
        media::Type::Video if stream.disposition().contains(Disposition::ATTACHED_PIC) => StreamKind::Picture,
        media::Type::Video => StreamKind::Video,
        _ => StreamKind::Other,
    }
}

fn choose(input: &Input, wanted: StreamKind, settings: &MediaSettings) -> Option<Chosen> {
    let candidates = input.streams().filter(|stream| kind(stream) == wanted);
    let ranked = candidates.map(|stream| {
        let unusable = unusable(&stream, settings);
        let default = stream.disposition().contains(Disposition::DEFAULT);
        ((unusable.is_some(), !default, stream.index()), stream, unusable)
    });
    let (_, stream, unusable) = ranked.min_by_key(|(rank, ..)| *rank)?;
    let base = stream.time_base();
    Some(Chosen {
        index: stream.index(),
        time_base: base,
        start_s: start(input, &stream),
        duration_s: seconds(Some(stream.duration()), base).filter(|duration| *duration > 0.0),
        cut_off_rate: cut_off_rate(input, &stream),
        unusable,
        frame_s: rate(&stream).map(|fps| 1.0 / fps),
        upright: Upright::of(&stream),
    })
}

/// First timestamp of what is heard or seen.
fn start(input: &Input, stream: &Stream<'_>) -> Option<f64> {
    let start = seconds(Some(stream.start_time()), stream.time_base())?;
    let Ok(parameters) = ffi::parameters(stream) else { return Some(start) };
    let counts_priming = start < 0.0 || is_matroska(input);
    if counts_priming && parameters.initial_padding > 0 && parameters.sample_rate > 0 {
        // WebM counts Opus from before its priming samples, which are never heard.
        let heard = start + f64::from(parameters.initial_padding) / f64::from(parameters.sample_rate);
        return Some(if start < 0.0 { heard.min(0.0) } else { heard });
    }
    Some(start)
}

/// See [`Chosen::cut_off_rate`]: of all demuxers only that of Ogg shortens packets as well.
fn cut_off_rate(input: &Input, stream: &Stream<'_>) -> Option<u32> {
    let parameters = ffi::parameters(stream).ok().filter(|_| !is_ogg(input))?;
    Some(parameters.sample_rate).filter(|rate| *rate > 0)
}

fn rate(stream: &Stream<'_>) -> Option<f64> {
    [stream.avg_frame_rate(), stream.rate()].into_iter().map(f64::from).find(|fps| fps.is_finite() && *fps > 0.0)
}

/// Why a stream cannot be decoded, if so.
fn unusable(stream: &Stream<'_>, settings: &MediaSettings) -> Option<Refusal> {
    let id = stream.parameters().id();
    let Ok(parameters) = ffi::parameters(stream) else { return Some(Refusal::plain(Code::CodecUnsupported)) };
    let locked = matches!(&parameters.tag, b"encv" | b"enca" | b"drmi" | b"drms")
        || stream.metadata().get("enc_key_id").is_some()
        || stream.side_data().any(|side| matches!(side.kind(), Type::EncryptionInitInfo | Type::EncryptionInfo));
    if locked {
        return Some(Refusal::plain(Code::Encrypted));
    }
    if !decoder::find(id).is_some_and(|codec| allowed::decoder(codec.name())) {
        return Some(Refusal::new(Code::CodecUnsupported, undecodable(id.name(), parameters.tag)));
    }
    let pixels = u64::from(parameters.width) * u64::from(parameters.height);
    (pixels > settings.max_pixels).then(|| too_large(parameters.width, parameters.height, settings))
}

/// Names a format by FFmpeg's name, else by the container's own mark, where there is either.
fn undecodable(codec: &str, tag: [u8; 4]) -> String {
    match std::str::from_utf8(&tag) {
        _ if codec != "none" => format!("The format {codec} cannot be decoded here."),
        Ok(mark) if mark.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("The format `{mark}` cannot be decoded here.")
        }
        _ => "A stream is in a format that is not known here.".to_owned(),
    }
}

/// The refusal of a picture above the limit.
pub(crate) fn too_large(width: u32, height: u32, settings: &MediaSettings) -> Refusal {
    let limit = settings.max_pixels;
    Refusal::new(Code::LimitPixels, format!("The picture has {width} x {height} pixels; the limit is {limit} pixels."))
}

fn describe(input: &Input, stream: &Stream<'_>, chosen: bool) -> StreamInfo {
    let kind = kind(stream);
    let parameters = ffi::parameters(stream).ok();
    let base = stream.time_base();
    StreamInfo {
        index: stream.index(),
        kind,
        codec: stream.parameters().id().name().to_owned(),
        profile: parameters.as_ref().and_then(|p| p.profile.clone()),
        default: stream.disposition().contains(Disposition::DEFAULT),
        chosen,
        start_s: start(input, stream),
        duration_s: seconds(Some(stream.duration()), base).filter(|duration| *duration > 0.0),
        video: parameters
            .as_ref()
            .filter(|_| matches!(kind, StreamKind::Video | StreamKind::Picture))
            .map(|p| describe_video(stream, p)),
        audio: parameters.filter(|_| kind == StreamKind::Audio).map(|p| AudioInfo {
            sample_rate: p.sample_rate,
            channels: p.channels,
            layout: p.layout,
        }),
    }
}

fn describe_video(stream: &Stream<'_>, parameters: &Parameters) -> VideoInfo {
    let upright = Upright::of(stream);
    let (width, height) = square_size(parameters.width, parameters.height, parameters.pixel_shape);
    let (upright_width, upright_height) = upright.size(width, height);
    VideoInfo {
        width: parameters.width,
        height: parameters.height,
        upright_width,
        upright_height,
        rotation_deg: upright.rotation_deg(),
        mirrored: upright.is_mirrored(),
        fps: rate(stream),
        pixel_format: parameters.pixel.descriptor().map(|descriptor| descriptor.name().to_owned()),
    }
}
