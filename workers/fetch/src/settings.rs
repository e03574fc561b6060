use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::FetchError;

/// Section `fetch` of the configuration: where recordings may come from, and how long fetching one may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchSettings {
    /// Addresses that recordings may lie under, such as `s3://interviews/`; empty: none may be fetched.
    pub allowed_prefixes: Vec<String>,
    /// Folder of the nameless temporary files; empty: the system's.
    pub dir: PathBuf,
    /// Longest time in seconds for one recording.
    pub timeout_s: f64,
    /// Longest time in seconds without a byte.
    pub stall_s: f64,
    /// Longest time in seconds for a connection to be made.
    pub connect_s: f64,
    /// Allow `http:` addresses of this machine's loopback, for trying out.
    pub plain_http_on_loopback: bool,
}

impl Default for FetchSettings {
    fn default() -> Self {
        FetchSettings {
            allowed_prefixes: Vec::new(),
            dir: PathBuf::new(),
            timeout_s: 900.0,
            stall_s: 30.0,
            connect_s: 10.0,
            plain_http_on_loopback: false,
        }
    }
}

impl FetchSettings {
    /// Checks the ranges that the types cannot say; the prefixes are checked where they are parsed.
    pub(crate) fn validate(&self) -> Result<(), FetchError> {
        let times = [("timeout_s", self.timeout_s), ("stall_s", self.stall_s), ("connect_s", self.connect_s)];
        match times.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            Some((setting, _)) => Err(FetchError::Setting { setting, detail: "must be above 0".to_owned() }),
            None => Ok(()),
        }
    }

    /// The folder of temporary files.
    pub(crate) fn folder(&self) -> PathBuf {
        if self.dir.as_os_str().is_empty() { std::env::temp_dir() } else { self.dir.clone() }
    }
}
