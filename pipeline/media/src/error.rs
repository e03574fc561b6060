use hirenet_core::{Code, Coded};
use serde::{Deserialize, Serialize};

/// What the decoder says about a file that it refuses. Crosses the pipe from the child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// One sentence with the particulars.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Refusal { code, detail: detail.into() }
    }

    /// A refusal in the code's own words.
    pub(crate) fn plain(code: Code) -> Self {
        Refusal::new(code, code.meaning())
    }
}

/// Why a file could not be probed or decoded. No text names the file: the caller knows it.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// There is no such file.
    #[error("The file does not exist.")]
    Missing,
    /// The file cannot be opened for reading.
    #[error("The file cannot be read: {0}.")]
    Unreadable(#[source] std::io::Error),
    /// A folder, a device, a pipe or a socket.
    #[error("The file is not a plain file.")]
    NotPlain,
    /// Zero bytes.
    #[error("The file is empty.")]
    Empty,
    /// Larger than `media.max_bytes`.
    #[error("{}", too_many_bytes(*bytes, *limit))]
    Bytes {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The decoder looked at the file and refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A limit on time was reached and the decoder was ended.
    #[error("Decoding was ended: {what} reached its limit of {limit_s} s.")]
    Time {
        /// Which time.
        what: &'static str,
        /// The limit in seconds.
        limit_s: f64,
    },
    /// The limit on memory was reached.
    #[error("Decoding needed more than {limit_mb} MiB of memory.")]
    Memory {
        /// The limit.
        limit_mb: u64,
    },
    /// The decoder died, or spoke nonsense.
    #[error("The decoder died on this file ({how}). {stderr}")]
    Crashed {
        /// How it ended.
        how: String,
        /// The last lines it wrote.
        stderr: String,
    },
    /// A setting of section `media` is out of its range.
    #[error("media.{setting}: {detail}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What it must be.
        detail: String,
    },
    /// The child could not be started.
    #[error("The decoder cannot be started: {0}.")]
    Start(#[source] std::io::Error),
}

/// The sentence about a file above the limit on its size.
pub(crate) fn too_many_bytes(bytes: u64, limit: u64) -> String {
    format!("The file has {bytes} bytes; the limit is {limit}.")
}

impl Coded for MediaError {
    fn code(&self) -> Code {
        match self {
            MediaError::Missing => Code::FileMissing,
            MediaError::Unreadable(_) | MediaError::NotPlain => Code::FileUnreadable,
            MediaError::Empty => Code::FileEmpty,
            MediaError::Bytes { .. } => Code::LimitBytes,
            MediaError::Refused(refusal) => refusal.code,
            MediaError::Time { .. } => Code::LimitTime,
            MediaError::Memory { .. } => Code::LimitMemory,
            MediaError::Crashed { .. } => Code::DecoderCrashed,
            MediaError::Setting { .. } => Code::ConfigInvalid,
            MediaError::Start(_) => Code::ResourceExhausted,
        }
    }
}
