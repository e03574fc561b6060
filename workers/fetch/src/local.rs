//! Recordings of this machine: hashed where they lie, copied nowhere.

use std::io::ErrorKind;
use std::path::Path;

use hirenet_core::sha256_file;

use crate::address::Prefixes;
use crate::{FetchError, Fetched};

/// Resolves the links of `path`, sees that it still lies under an allowed prefix, and hashes the file.
pub(crate) fn read(path: &Path, prefixes: &Prefixes, max_bytes: u64) -> Result<Fetched, FetchError> {
    let path = path.canonicalize().map_err(|error| refused(&error))?;
    if !prefixes.hold_file(&path) {
        return Err(FetchError::NotAllowed);
    }
    let facts = path.metadata().map_err(|error| refused(&error))?;
    // Opening a pipe or a device could wait for ever.
    if !facts.is_file() {
        return Err(FetchError::Unreadable);
    }
    if facts.len() > max_bytes {
        return Err(FetchError::TooLarge { max_bytes });
    }
    let (sha256, bytes) = sha256_file(&path).map_err(|error| refused(&error))?;
    Ok(Fetched::local(path, sha256, bytes))
}

fn refused(error: &std::io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::NotFound => FetchError::Missing,
        ErrorKind::PermissionDenied | ErrorKind::NotADirectory => FetchError::Unreadable,
        // A network file system that is away, too many open files, a failing disk.
        _ => FetchError::Unavailable { status: None },
    }
}
