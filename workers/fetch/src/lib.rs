//! Recordings from where a message says they lie, to a file that the pipeline can read.
//!
//! Only addresses under an allowed prefix are touched, redirects included. A recording from a store is kept in a file
//! that has no name, so that nothing is left of it however the process ends; a local recording is read where it lies.
//! Errors carry a code and never an address: addresses may hold names and signatures.

mod address;
mod client;
mod download;
mod error;
mod fetched;
mod local;
mod settings;
mod store;
#[cfg(test)]
mod test_server;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::address::{Address, Prefixes};
use crate::client::Clients;

pub use error::FetchError;
pub use fetched::Fetched;
pub use settings::FetchSettings;

/// Fetches recordings under one configuration. A clone is cheap and shares the pooled connections.
#[derive(Debug, Clone)]
pub struct Fetcher {
    settings: FetchSettings,
    prefixes: Prefixes,
    clients: Clients,
}

impl Fetcher {
    /// Checks the settings and prepares the HTTP clients; nothing is connected yet.
    ///
    /// Stores take their credentials from the environment that their own tools read (`AWS_*`, `GOOGLE_*`, `AZURE_*`) or
    /// from the machine's role.
    ///
    /// # Errors
    /// [`FetchError::Setting`] for a prefix or a number that makes no sense.
    pub fn new(settings: &FetchSettings) -> Result<Self, FetchError> {
        settings.validate()?;
        let prefixes = Prefixes::new(&settings.allowed_prefixes, settings.plain_http_on_loopback)?;
        let clients = Clients::new(settings, &prefixes)?;
        Ok(Fetcher { settings: settings.clone(), prefixes, clients })
    }

    /// Tells whether `address` may be fetched at all, without touching it.
    ///
    /// # Errors
    /// [`FetchError::Scheme`], [`FetchError::NotAllowed`].
    pub fn allows(&self, address: &str) -> Result<(), FetchError> {
        self.prefixes.admit(address).map(drop)
    }

    /// Fetches the recording at `address`, which may have `max_bytes` bytes, and checks its `sha256` (hexadecimal in
    /// either case) where one is given. Dropping the future ends the fetch and frees what was written.
    ///
    /// # Errors
    /// Any [`FetchError`]; its code's kind tells whether trying again can help.
    pub async fn fetch(&self, address: &str, sha256: Option<&str>, max_bytes: u64) -> Result<Fetched, FetchError> {
        let limit = Duration::from_secs_f64(self.settings.timeout_s);
        let fetched = match self.prefixes.admit(address)? {
            Address::File(path) => {
                let prefixes = self.prefixes.clone();
                let read = tokio::task::spawn_blocking(move || local::read(&path, &prefixes, max_bytes));
                tokio::time::timeout(limit, read)
                    .await
                    .map_err(|_| FetchError::Timeout)?
                    .map_err(FetchError::task)??
            }
            Address::Stored(url) => {
                let (store, path) = store::open(&url, &self.clients, store::environment())?;
                let download = download::download(&*store, &path, &self.settings, max_bytes);
                tokio::time::timeout(limit, download).await.map_err(|_| FetchError::Timeout)??
            }
        };
        match sha256 {
            Some(wanted) if !fetched.sha256().eq_ignore_ascii_case(wanted) => Err(FetchError::Hash),
            _ => Ok(fetched),
        }
    }
}
