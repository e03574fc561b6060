//! What a container's header says of the recording's length, on the project's clock.

use ffmpeg_next::ffi::AV_TIME_BASE;
use ffmpeg_next::format::context::Input;

use crate::ffi;
use crate::streams::seconds;

/// Where media time zero is this near to the container's own, it makes no difference which of them a length counts from.
const NEAR_ZERO_S: f64 = 0.05;

/// Length in seconds since media time zero as a header says it.
///
/// MP4 and Matroska count from the container's own zero, from which a recording may begin late; but not all writers do:
/// FFmpeg's Matroska says where the recording ends, others say its length; an MP4 in fragments has no length of its own,
/// and those of its tracks may or may not hold their late start. Then both readings are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeaderLength {
    /// A recording shorter than this was cut.
    pub(crate) least_s: f64,
    /// No timestamp beyond this is believed.
    pub(crate) most_s: f64,
}

impl HeaderLength {
    /// The header's length of a recording that begins at `zero_s` on the container's clock; `None` where the header has
    /// none, or FFmpeg made a guess from the bit rate.
    pub(crate) fn of(input: &Input, zero_s: f64) -> Option<Self> {
        let duration = input.duration();
        if duration <= 0 || ffi::duration_is_guess(input) {
            return None;
        }
        let said_s = duration as f64 / f64::from(AV_TIME_BASE);
        let since_zero_s = said_s - zero_s;
        if zero_s.abs() <= NEAR_ZERO_S || !has_own_zero(input) {
            return Some(HeaderLength { least_s: said_s, most_s: said_s });
        }
        // Tracks that end together with the whole show that the whole is an end and not a length.
        if last_end_s(input).is_some_and(|end_s| (end_s - said_s).abs() <= NEAR_ZERO_S / 2.0) {
            return Some(HeaderLength { least_s: since_zero_s, most_s: since_zero_s });
        }
        Some(HeaderLength { least_s: said_s.min(since_zero_s), most_s: said_s.max(since_zero_s) })
    }

    /// The length, where the header leaves no doubt.
    pub(crate) fn exact_s(self) -> Option<f64> {
        (self.least_s == self.most_s && self.least_s > 0.0).then_some(self.least_s)
    }
}

/// True for containers whose duration is taken from the header as it stands. For all others FFmpeg takes the first
/// timestamp off, or there is no other start than zero.
fn has_own_zero(input: &Input) -> bool {
    is_matroska(input) || is(input, "mov")
}

/// True for Matroska and WebM.
pub(crate) fn is_matroska(input: &Input) -> bool {
    is(input, "matroska")
}

/// True for Ogg.
pub(crate) fn is_ogg(input: &Input) -> bool {
    is(input, "ogg")
}

/// True where one of FFmpeg's names for the container is this one.
fn is(input: &Input, name: &str) -> bool {
    input.format().name().split(',').any(|known| known == name)
}

/// The last end of a stream on the container's clock, where streams have lengths.
fn last_end_s(input: &Input) -> Option<f64> {
    let ends = input.streams().filter_map(|stream| {
        let base = stream.time_base();
        Some(seconds(Some(stream.start_time()), base)? + seconds(Some(stream.duration()), base)?)
    });
    ends.max_by(f64::total_cmp)
}
