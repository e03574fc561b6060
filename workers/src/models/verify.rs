use hirenet_core::sha256_file;

use super::{Entry, Manifest};

/// What is known of a model file after hashing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Length and hash are the manifest's.
    Whole,
    /// There is no such file.
    Missing,
    /// There is a file, but not the manifest's.
    Corrupt {
        /// How it differs.
        detail: String,
    },
}

impl Manifest {
    /// Hashes a model file and compares it with the manifest.
    pub(crate) fn verify(&self, entry: &Entry) -> State {
        match sha256_file(&self.path(entry)) {
            Ok((sha256, _)) if sha256 == entry.sha256 => State::Whole,
            Ok((_, bytes)) if bytes != entry.bytes => {
                State::Corrupt { detail: format!("{bytes} bytes instead of {}", entry.bytes) }
            }
            Ok((sha256, _)) => State::Corrupt { detail: format!("its sha256 is {sha256}, not {}", entry.sha256) },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::Missing,
            Err(error) => State::Corrupt { detail: format!("cannot be read: {error}") },
        }
    }
}
