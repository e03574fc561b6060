use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// A recording that can be read for as long as this value lives.
#[derive(Debug)]
pub struct Fetched {
    path: PathBuf,
    sha256: String,
    bytes: u64,
    /// Holds the content of a fetched recording: the file has no name and ends with its last descriptor.
    _file: Option<File>,
}

impl Fetched {
    /// A local recording, read where it lies.
    pub(crate) fn local(path: PathBuf, sha256: String, bytes: u64) -> Self {
        Fetched { path, sha256, bytes, _file: None }
    }

    /// A recording in a nameless file.
    pub(crate) fn temporary(file: File, sha256: String, bytes: u64) -> Self {
        // Opening this path gives a descriptor with a position of its own.
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Fetched { path, sha256, bytes, _file: Some(file) }
    }

    /// Where this process can open it. Valid while this value lives; other processes cannot use it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the content in lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
