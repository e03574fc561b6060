//! The few facts and settings of FFmpeg that `ffmpeg-next` does not wrap. All `unsafe` code of this room is here.

use std::ffi::CStr;

use ffmpeg_next::codec::Context;
use ffmpeg_next::ffi::{
    AV_PKT_FLAG_DISCARD, AVColorRange, AVDiscard, AVDurationEstimationMethod, av_channel_layout_describe,
    avcodec_profile_name, sws_getCoefficients, sws_setColorspaceDetails,
};
use ffmpeg_next::format::{self, Pixel};
use ffmpeg_next::packet::Ref;
use ffmpeg_next::software::scaling;
use ffmpeg_next::util::color::Space;
use ffmpeg_next::{Error, Packet, Rational, Stream};

/// What a container says about the codec of a stream.
pub(crate) struct Parameters {
    pub(crate) tag: [u8; 4],
    pub(crate) profile: Option<String>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixel_shape: Rational,
    pub(crate) pixel: Pixel,
    pub(crate) sample_rate: u32,
    pub(crate) channels: u32,
    pub(crate) layout: Option<String>,
    /// Samples before the first one that is heard (RFC 7845, section 4.2: pre-skip).
    pub(crate) initial_padding: u32,
}

/// Reads what the container says about a stream.
#[expect(unsafe_code, reason = "fields and functions that ffmpeg-next does not wrap")]
pub(crate) fn parameters(stream: &Stream<'_>) -> Result<Parameters, Error> {
    let context = Context::from_parameters(stream.parameters())?;
    // SAFETY: the stream and the context are alive and filled by FFmpeg; only plain fields are read. The buffer given
    // to `av_channel_layout_describe` has the length it is told and is terminated by it. `avcodec_profile_name` returns
    // null or a static string.
    unsafe {
        let raw = &*context.as_ptr();
        let shape = (*(*stream.as_ptr()).codecpar).sample_aspect_ratio;
        let mut text = [0 as std::ffi::c_char; 64];
        let described = av_channel_layout_describe(&raw const raw.ch_layout, text.as_mut_ptr(), text.len());
        let profile = avcodec_profile_name(raw.codec_id, raw.profile);
        Ok(Parameters {
            tag: raw.codec_tag.to_le_bytes(),
            profile: (!profile.is_null()).then(|| CStr::from_ptr(profile).to_string_lossy().into_owned()),
            width: raw.width.max(0).cast_unsigned(),
            height: raw.height.max(0).cast_unsigned(),
            pixel_shape: Rational(shape.num, shape.den),
            pixel: Pixel::from(raw.pix_fmt),
            sample_rate: raw.sample_rate.max(0).cast_unsigned(),
            channels: raw.ch_layout.nb_channels.max(0).cast_unsigned(),
            layout: (described > 0).then(|| CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned()),
            initial_padding: raw.initial_padding.max(0).cast_unsigned(),
        })
    }
}

/// Makes the demuxer skip all streams but these.
#[expect(unsafe_code, reason = "a field that ffmpeg-next does not wrap")]
pub(crate) fn read_only(input: &mut format::context::Input, wanted: &[usize]) {
    for mut stream in input.streams_mut() {
        if !wanted.contains(&stream.index()) {
            // SAFETY: the stream is alive; a plain field is written between reads.
            unsafe { (*stream.as_mut_ptr()).discard = AVDiscard::AVDISCARD_ALL }
        }
    }
}

/// True where the container's duration is a guess from the bit rate.
#[expect(unsafe_code, reason = "a field that ffmpeg-next does not wrap")]
pub(crate) fn duration_is_guess(input: &format::context::Input) -> bool {
    // SAFETY: the context is alive; a plain field is read.
    let method = unsafe { (*input.as_ptr()).duration_estimation_method };
    method == AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE
}

/// True for a packet that is read for the sake of later ones alone: what it holds lies outside of an edit list.
#[expect(unsafe_code, reason = "a flag that ffmpeg-next does not wrap")]
pub(crate) fn is_discarded(packet: &Packet) -> bool {
    // SAFETY: the packet is alive; a plain field is read.
    unsafe { (*packet.as_ptr()).flags & AV_PKT_FLAG_DISCARD != 0 }
}

/// Makes a decoder refuse pictures larger than this many pixels before it allocates them.
#[expect(unsafe_code, reason = "a field that ffmpeg-next does not wrap")]
pub(crate) fn limit_pixels(context: &mut Context, max_pixels: u64) {
    // SAFETY: the context is alive and not yet open; a plain field is written.
    unsafe { (*context.as_mut_ptr()).max_pixels = i64::try_from(max_pixels).unwrap_or(i64::MAX) }
}

/// Tells the scaler which matrix and range the colours have that it reads, and which range those that it writes.
/// Where it reads or writes RGB, that side's matrix means nothing.
#[expect(unsafe_code, reason = "a function that ffmpeg-next does not wrap")]
pub(crate) fn set_colours(scaler: &mut scaling::Context, space: Space, from_full: bool, to_full: bool) {
    // libswscale numbers the matrices as libavutil does, but for 0 (RGB), which it would take for BT.709.
    let matrix = match space {
        // BT.601 where nothing is said: FFmpeg's and VP8's convention, and what webcams deliver.
        Space::Unspecified | Space::RGB | Space::Reserved => 5,
        named => ffmpeg_next::ffi::AVColorSpace::from(named) as i32,
    };
    // SAFETY: the scaler is alive; the tables are static and live for ever.
    unsafe {
        let table = sws_getCoefficients(matrix);
        let (from, to) = (i32::from(from_full), i32::from(to_full));
        sws_setColorspaceDetails(scaler.as_mut_ptr(), table, from, table, to, 0, 1 << 16, 1 << 16);
    }
}

/// True where a decoded picture uses the full range of values.
#[expect(unsafe_code, reason = "ffmpeg-next's accessor panics on values it does not know")]
pub(crate) fn is_full_range(frame: &ffmpeg_next::frame::Video) -> bool {
    // SAFETY: the frame is alive; a plain field is read.
    unsafe { (*frame.as_ptr()).color_range == AVColorRange::AVCOL_RANGE_JPEG }
}
