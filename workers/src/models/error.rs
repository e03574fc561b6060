use std::path::{Path, PathBuf};

use hirenet_core::{Code, Coded};

/// Why a model file, or the manifest, cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelsError {
    /// The manifest cannot be read or is not of its form.
    #[error("{}: {detail}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A name that the manifest does not have.
    #[error("no model is called `{name}`; the names are {known}")]
    UnknownName {
        /// The name.
        name: String,
        /// Every name that there is.
        known: String,
    },
    /// A mirror is set and lacks the file. The network is not tried: whoever sets a mirror wants no other source.
    #[error("{file} is not in the mirror {}", mirror.display())]
    NotInMirror {
        /// The missing file.
        file: String,
        /// The mirror folder.
        mirror: PathBuf,
    },
    /// No address serves the file.
    #[error("{file} cannot be downloaded: no address serves it")]
    NoAddress {
        /// The missing file.
        file: String,
    },
    /// The server answered, but not with the file.
    #[error("{address} answered with HTTP status {status}")]
    Status {
        /// The address asked.
        address: String,
        /// HTTP status code.
        status: u16,
    },
    /// The connection failed, stalled or was cut. What has arrived stays in the `.part` file.
    #[error("{address}: {detail}")]
    Connection {
        /// The address asked.
        address: String,
        /// What happened.
        detail: String,
    },
    /// The content is not the manifest's; nothing of it is kept.
    #[error("{file}: {detail}; nothing of it was kept")]
    WrongContent {
        /// The file that was wanted.
        file: String,
        /// How it differs.
        detail: String,
    },
    /// Another process is fetching the same file.
    #[error("another process is fetching {file}")]
    Busy {
        /// The wanted file.
        file: String,
    },
    /// The folder of the models, or the mirror, cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl ModelsError {
    /// For `map_err` where `path` is read or written.
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| ModelsError::Io { path, source }
    }
}

impl Coded for ModelsError {
    fn code(&self) -> Code {
        match self {
            ModelsError::Manifest { .. } => Code::ConfigInvalid,
            ModelsError::UnknownName { .. } => Code::UsageInvalid,
            ModelsError::NotInMirror { .. } | ModelsError::NoAddress { .. } => Code::ModelMissing,
            ModelsError::Status { .. } | ModelsError::Connection { .. } => Code::DownloadFailed,
            ModelsError::WrongContent { .. } => Code::ModelCorrupt,
            ModelsError::Busy { .. } => Code::ResourceExhausted,
            ModelsError::Io { .. } => Code::OutputFailed,
        }
    }
}
