use hirenet_core::sha256_file;

use super::{Entry, Manifest};

/// What is known of a model file after hashing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Length and hash are the manifest's.
    Whole,
    /// Length and hash are those of an equal file: it works as well, and slower.
    Equal,
    /// There is no such file.
    Missing,
    /// There is a file, but not the manifest's.
    Corrupt {
        /// How it differs.
        detail: String,
    },
}

impl State {
    /// True where the program can work with the file.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self, State::Whole | State::Equal)
    }
}

impl Manifest {
    /// Hashes a model file and compares it with the manifest.
    pub(crate) fn verify(&self, entry: &Entry) -> State {
        match sha256_file(&self.path(entry)) {
            Ok((sha256, bytes)) => match entry.sha256_of(bytes) {
                None => State::Corrupt { detail: format!("{bytes} bytes instead of {}", entry.bytes) },
                Some(expected) if sha256 != expected => {
                    State::Corrupt { detail: format!("its sha256 is {sha256}, not {expected}") }
                }
                Some(_) if bytes == entry.bytes => State::Whole,
                Some(_) => State::Equal,
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::Missing,
            Err(error) => State::Corrupt { detail: format!("cannot be read: {error}") },
        }
    }
}
