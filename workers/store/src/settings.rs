use std::path::PathBuf;

use hirenet_core::Secret;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Settings of the database, section `store` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// Address of Postgres with user, password and database. A secret.
    pub url: Secret,
    /// A file whose first line is that address.
    pub url_file: PathBuf,
    /// Address for `setup`, as a user who may create roles and schemas; empty: `url`. A secret.
    pub owner_url: Secret,
    /// A file whose first line is that address.
    pub owner_url_file: PathBuf,
    /// Role that every connection takes after it is opened, so that a mightier login works with least rights; empty: none.
    pub role: String,
    /// Connections at most.
    pub connections: u32,
    /// Longest wait in seconds for a connection.
    pub acquire_timeout_s: f64,
    /// Longest time in seconds that a statement may take.
    pub statement_timeout_s: f64,
    /// Longest time in seconds that a transaction may stand still. The database ends it then, so that a worker that is
    /// frozen, or cut off from the network, holds no rows for longer.
    pub idle_transaction_timeout_s: f64,
    /// Deaths of its worker, counted only while a job ran alone, after which the job goes to the dead letters.
    pub max_alone_deaths: i32,
}

impl Default for StoreSettings {
    fn default() -> Self {
        StoreSettings {
            url: Secret::default(),
            url_file: PathBuf::new(),
            owner_url: Secret::default(),
            owner_url_file: PathBuf::new(),
            role: "hirenet_worker".to_owned(),
            connections: 8,
            acquire_timeout_s: 10.0,
            statement_timeout_s: 60.0,
            idle_transaction_timeout_s: 45.0,
            max_alone_deaths: 2,
        }
    }
}

impl StoreSettings {
    /// The address that workers use.
    ///
    /// # Errors
    /// [`StoreError::Setting`] where none is set or its file cannot be read.
    pub fn address(&self) -> Result<Secret, StoreError> {
        let url = self.url.or_file(&self.url_file).map_err(|_| StoreError::setting("url_file", "cannot be read"))?;
        if url.is_empty() {
            return Err(StoreError::setting("url", "is not set: give HIRENET_STORE__URL, or store.url_file"));
        }
        Ok(url)
    }

    /// The address that `setup` uses: the owner's where there is one.
    ///
    /// # Errors
    /// [`StoreError::Setting`] where none is set or a file cannot be read.
    pub fn owner_address(&self) -> Result<Secret, StoreError> {
        let owner = self.owner_url.or_file(&self.owner_url_file);
        let owner = owner.map_err(|_| StoreError::setting("owner_url_file", "cannot be read"))?;
        if owner.is_empty() { self.address() } else { Ok(owner) }
    }
}

/// Retention of each data class in days since the interview was received, on the database's clock; part of the section
/// `retention` of the configuration. A message's own `retention_days` ends everything of its interview earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionDays {
    /// Vocal and visual tracks. At most [`RetentionDays::BIOMETRIC_CEILING`].
    pub tracks: u32,
    /// Transcripts and the words in spans.
    pub transcripts: u32,
    /// Scores, spans without words, and attention.
    pub scores: u32,
    /// The audit. At least [`RetentionDays::AUDIT_FLOOR`].
    pub audit: u32,
}

impl RetentionDays {
    /// Measures of face and voice are destroyed within three years (740 ILCS 14/15).
    pub const BIOMETRIC_CEILING: u32 = 1095;
    /// Automatic logs are kept at least six months (EU AI Act, articles 19 and 26(6)).
    pub const AUDIT_FLOOR: u32 = 183;

    /// Checks floors and ceilings.
    ///
    /// # Errors
    /// [`StoreError::Setting`] naming the first setting that is out of its range.
    pub fn validate(&self) -> Result<(), StoreError> {
        if self.tracks > Self::BIOMETRIC_CEILING {
            return Err(StoreError::setting("tracks", "at most 1095 days, for measures of face and voice"));
        }
        if self.audit < Self::AUDIT_FLOOR {
            return Err(StoreError::setting("audit", "at least 183 days"));
        }
        Ok(())
    }
}

impl Default for RetentionDays {
    fn default() -> Self {
        // Four years for scores and audit: California's rules of 1 October 2025 on records of automated decisions.
        RetentionDays { tracks: 365, transcripts: 365, scores: 1460, audit: 1460 }
    }
}
