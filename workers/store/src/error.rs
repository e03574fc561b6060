use hirenet_core::{Code, Coded};
use sqlx::migrate::MigrateError;

/// What can go wrong between the program and its database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is starting or going down, or ended the connection.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The database takes no writes: a standby, or set read-only.
    #[error("the database takes no writes")]
    ReadOnly,
    /// Out of disk, memory, connections or locks.
    #[error("the database ran out of a resource: {0}")]
    Full(String),
    /// User, password or rights are refused.
    #[error("the database refuses this program: {0}")]
    Refused(String),
    /// The schema is missing, or another version's.
    #[error("the database's schema does not fit: {0}")]
    Schema(String),
    /// The claim on the job is no longer this worker's: nothing was written.
    #[error("the lease of job {0} was lost")]
    LeaseLost(uuid::Uuid),
    /// What was asked for is not there.
    #[error("{0}")]
    Unknown(&'static str),
    /// Something that is stored cannot be read back.
    #[error("a stored {what} cannot be read: {detail}")]
    Corrupt {
        /// Which piece.
        what: &'static str,
        /// What is wrong with it. Never its content.
        detail: String,
    },
    /// A setting is outside its range.
    #[error("{setting}: {detail}")]
    Setting {
        /// Name inside its section.
        setting: &'static str,
        /// What it must be.
        detail: &'static str,
    },
    /// A value is none that the tables take, which no second try changes. Only the SQLSTATE is kept: the server's sentence
    /// may quote the value.
    #[error("the database does not take a value of the message (SQLSTATE {0})")]
    Data(String),
    /// A statement failed for another reason.
    #[error("a statement failed: {0}")]
    Statement(String),
}

impl StoreError {
    pub(crate) fn setting(setting: &'static str, detail: &'static str) -> Self {
        StoreError::Setting { setting, detail }
    }

    pub(crate) fn corrupt(what: &'static str, detail: impl std::fmt::Display) -> Self {
        StoreError::Corrupt { what, detail: detail.to_string() }
    }
}

impl Coded for StoreError {
    fn code(&self) -> Code {
        match self {
            StoreError::Unavailable(_) => Code::StoreUnavailable,
            StoreError::ReadOnly => Code::StoreReadOnly,
            StoreError::Full(_) => Code::StoreFull,
            StoreError::Refused(_) => Code::StoreRefused,
            StoreError::Schema(_) => Code::StoreSchema,
            StoreError::LeaseLost(_) => Code::LeaseLost,
            StoreError::Unknown(_) => Code::InterviewUnknown,
            StoreError::Setting { .. } => Code::ConfigInvalid,
            StoreError::Data(_) => Code::MessageInvalid,
            StoreError::Corrupt { .. } | StoreError::Statement(_) => Code::StoreFailed,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    /// The SQLSTATE class decides: it says whether trying again can help. The server's `DETAIL` is left out, because it
    /// quotes the values of a row.
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(error) = error else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error.to_string()),
                other => StoreError::Statement(other.to_string()),
            };
        };
        let state = error.code().unwrap_or_default().into_owned();
        let said = format!("{state} {}", error.message());
        match (state.get(..2).unwrap_or_default(), state.as_str()) {
            (_, "25006") => StoreError::ReadOnly,
            // Connection exceptions; shutting down, crashed, starting up, killed by an operator or for standing still; deadlock, serialisation.
            ("08" | "40", _) | (_, "57P01" | "57P02" | "57P03" | "57P05" | "55P03" | "57014" | "25P03") => {
                StoreError::Unavailable(said)
            }
            ("53", _) | (_, "58030") => StoreError::Full(said),
            ("28" | "3D", _) | (_, "42501") => StoreError::Refused(said),
            // Data exceptions: U+0000 in a text, a number or a time out of range.
            ("22", _) => StoreError::Data(state),
            (_, "42P01" | "42703" | "42883" | "3F000" | "42704") => StoreError::Schema(said),
            _ => StoreError::Statement(said),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => StoreError::Schema(other.to_string()),
        }
    }
}
