use std::io::ErrorKind;

use hirenet_core::{Code, Coded};
use object_store::client::{HttpError, HttpErrorKind};

use crate::client::{Leaves, Refused};

/// Why a recording could not be fetched. No variant holds an address, a path or a server's words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FetchError {
    /// A setting makes no sense.
    #[error("fetch.{setting}: {detail}")]
    Setting {
        /// The setting's name in section `fetch`.
        setting: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The address has a scheme that is not fetched.
    #[error("the media address has a scheme that is not fetched")]
    Scheme,
    /// The address, or one that it redirects to, lies under no allowed prefix.
    #[error("the media address is not under an allowed prefix")]
    NotAllowed,
    /// There is no such recording.
    #[error("the recording does not exist")]
    Missing,
    /// A local file that is there and cannot be read, or no plain file.
    #[error("the recording cannot be read")]
    Unreadable,
    /// The store refuses to give the recording.
    #[error("the store denies access to the recording")]
    Denied,
    /// The recording is larger than the limit.
    #[error("the recording is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The content is not what the message promised.
    #[error("the recording's sha256 is not the one in the message")]
    Hash,
    /// The store or the network fails for now: `status` is the server's answer where there was one.
    #[error("the store cannot be reached or fails{}", status.map(|s| format!(" (status {s})")).unwrap_or_default())]
    Unavailable {
        /// HTTP status.
        status: Option<u16>,
    },
    /// The fetch took longer than a limit.
    #[error("fetching took longer than the limit")]
    Timeout,
    /// The store answers in a way that is of no use: another status, an answer without a length, a cut body.
    #[error("the store's answer is of no use{}", status.map(|s| format!(" (status {s})")).unwrap_or_default())]
    Answer {
        /// HTTP status.
        status: Option<u16>,
    },
    /// The temporary file could not be written: no space, no folder, a broken disk.
    #[error("the temporary file cannot be written: {0}")]
    Disk(ErrorKind),
    /// The task that reads or writes was ended.
    #[error("the fetch was interrupted")]
    Interrupted,
}

impl Coded for FetchError {
    fn code(&self) -> Code {
        match self {
            FetchError::Setting { .. } => Code::ConfigInvalid,
            FetchError::Scheme => Code::MediaScheme,
            FetchError::NotAllowed => Code::MediaForbidden,
            FetchError::Missing => Code::MediaMissing,
            FetchError::Unreadable => Code::FileUnreadable,
            FetchError::TooLarge { .. } => Code::LimitBytes,
            FetchError::Hash => Code::FileHash,
            FetchError::Unavailable { .. } | FetchError::Timeout => Code::FetchFailed,
            FetchError::Denied | FetchError::Answer { .. } => Code::MediaDenied,
            // A full disk empties, and another worker's may have room.
            FetchError::Disk(_) => Code::ResourceExhausted,
            FetchError::Interrupted => Code::Internal,
        }
    }
}

impl FetchError {
    /// A blocking task that did not come to its end: it panicked, or the runtime shuts down.
    pub(crate) fn task(_: tokio::task::JoinError) -> Self {
        FetchError::Interrupted
    }

    /// What an answer with this status, which is not a success, means.
    fn status(status: u16) -> Self {
        match status {
            401 | 403 => FetchError::Denied,
            404 | 410 => FetchError::Missing,
            408 | 425 | 429 | 500..=599 => FetchError::Unavailable { status: Some(status) },
            _ => FetchError::Answer { status: Some(status) },
        }
    }
}

impl From<object_store::Error> for FetchError {
    fn from(error: object_store::Error) -> Self {
        match &error {
            object_store::Error::NotFound { .. } => FetchError::Missing,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                FetchError::Denied
            }
            // `..` or an empty segment hidden in percent signs.
            object_store::Error::InvalidPath { .. } => FetchError::NotAllowed,
            _ => from_chain(&error),
        }
    }
}

/// Looks for what is known among the causes of a store's error: a redirect that was refused, a status, a broken line.
fn from_chain(error: &(dyn std::error::Error + 'static)) -> FetchError {
    let mut cause = Some(error);
    // Neither of these: the store's library could not make sense of an answer, a missing length for example.
    let mut found = FetchError::Answer { status: None };
    while let Some(error) = cause {
        if error.is::<Leaves>() {
            return FetchError::NotAllowed;
        }
        if let Some(Refused { status }) = error.downcast_ref() {
            return FetchError::status(*status);
        }
        if let Some(http) = error.downcast_ref::<HttpError>() {
            let timeout = http.kind() == HttpErrorKind::Timeout;
            found = if timeout { FetchError::Timeout } else { FetchError::Unavailable { status: None } };
        }
        cause = error.source();
    }
    found
}
