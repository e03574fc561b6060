//! What this build's FFmpeg can do, for `hirenet doctor`.

use std::path::Path;

use crate::{MediaError, MediaSettings, file};

/// Decoders that recordings need in practice: phones, browsers, cameras.
const NEEDED: [&str; 10] =
    ["h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg1video", "aac", "opus", "vorbis", "mp3float"];

/// FFmpeg's version of the codec library, as `major.minor.micro`.
#[must_use]
pub fn ffmpeg_version() -> String {
    let version = ffmpeg_next::codec::version();
    format!("libavcodec {}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff)
}

/// The decoders that recordings need, and whether this build has them.
pub fn decoders() -> impl Iterator<Item = (&'static str, bool)> {
    NEEDED.into_iter().map(|name| (name, ffmpeg_next::decoder::find_by_name(name).is_some()))
}

/// Looks at a file without decoding it: is it a plain, readable file within the limit on its size?
///
/// # Errors
/// As opening it for decoding.
pub fn check_file(path: &Path, settings: &MediaSettings) -> Result<(), MediaError> {
    file::open(path, settings.max_bytes).map(drop)
}
