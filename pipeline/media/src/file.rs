//! Opening a file for the decoder, in the parent: only plain files, and never waiting for one.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::MediaError;

/// Opens a plain file of at most `limit` bytes read-only.
pub(crate) fn open(path: &Path, limit: u64) -> Result<File, MediaError> {
    let refused = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => MediaError::Missing,
        _ => MediaError::Unreadable(error),
    };
    // Asked before opening, because opening a device can have effects.
    if !path.metadata().map_err(refused)?.is_file() {
        return Err(MediaError::NotPlain);
    }
    let no_wait = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(no_wait.bits().cast_signed()).open(path).map_err(refused)?;
    // Asked again of the open file: the name may mean another file by now.
    let facts = file.metadata().map_err(refused)?;
    match facts.len() {
        _ if !facts.is_file() => Err(MediaError::NotPlain),
        0 => Err(MediaError::Empty),
        bytes if bytes > limit => Err(MediaError::Bytes { bytes, limit }),
        _ => Ok(file),
    }
}
