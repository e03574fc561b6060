use std::path::{Path, PathBuf};
use std::time::Duration;

use hirenet_core::Secret;
use serde::{Deserialize, Serialize};

use crate::QueueError;

/// Section `queue` of the configuration: where the broker is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueSettings {
    /// AMQP address with user, password and virtual host.
    pub url: Secret,
    /// A file whose first line is the address, where `url` is empty.
    pub url_file: PathBuf,
    /// Address of the management interface with user and password; empty: it is not asked.
    pub management_url: Secret,
    /// A file whose first line is that address, where `management_url` is empty.
    pub management_url_file: PathBuf,
    /// What the name of every exchange and queue begins with.
    pub prefix: String,
    /// Seconds between two heartbeats.
    pub heartbeat_s: u16,
    /// Longest time in seconds for one attempt to connect.
    pub connect_timeout_s: f64,
    /// Longest pause in seconds between two attempts to connect.
    pub reconnect_max_s: f64,
    /// Longest wait in seconds for a confirm.
    pub confirm_timeout_s: f64,
    /// The broker's `consumer_timeout` in seconds; 0 = it has none.
    pub consumer_timeout_s: f64,
    /// Largest message in bytes that is looked at.
    pub max_message_bytes: usize,
    /// Topic pattern of the events that the queue `PREFIX.events` keeps; empty: there is no such queue.
    pub events: String,
}

impl Default for QueueSettings {
    fn default() -> Self {
        QueueSettings {
            url: Secret::default(),
            url_file: PathBuf::new(),
            management_url: Secret::default(),
            management_url_file: PathBuf::new(),
            prefix: "hirenet".to_owned(),
            heartbeat_s: 20,
            connect_timeout_s: 10.0,
            reconnect_max_s: 10.0,
            confirm_timeout_s: 30.0,
            consumer_timeout_s: 1800.0,
            max_message_bytes: 4 << 20,
            events: "interview.#".to_owned(),
        }
    }
}

impl QueueSettings {
    /// Checks the ranges that the types cannot say.
    ///
    /// # Errors
    /// [`QueueError::Setting`] with the first setting that is out of range.
    pub fn validate(&self) -> Result<(), QueueError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let prefix_ok = (1..=100).contains(&self.prefix.len()) && self.prefix.chars().all(name);
        let checks = [
            ("prefix", prefix_ok, "must be 1 to 100 letters, digits, '.', '_' or '-'"),
            ("connect_timeout_s", positive(self.connect_timeout_s), "must be above 0"),
            ("reconnect_max_s", positive(self.reconnect_max_s), "must be above 0"),
            ("confirm_timeout_s", positive(self.confirm_timeout_s), "must be above 0"),
            (
                "consumer_timeout_s",
                self.consumer_timeout_s.is_finite() && self.consumer_timeout_s >= 0.0,
                "must be 0 or more",
            ),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((setting, _, detail)) => Err(QueueError::Setting { setting, detail }),
            None => Ok(()),
        }
    }

    /// The broker's address, from the setting or its file.
    ///
    /// # Errors
    /// [`QueueError::Setting`] where neither names one.
    pub fn address(&self) -> Result<Secret, QueueError> {
        let address = secret("url_file", &self.url, &self.url_file)?;
        if address.is_empty() {
            return Err(QueueError::Setting { setting: "url", detail: "is not set: set HIRENET_QUEUE__URL" });
        }
        Ok(address)
    }

    /// The management interface's address; `None` where it is not to be asked.
    ///
    /// # Errors
    /// [`QueueError::Setting`] where its file cannot be read.
    pub fn management_address(&self) -> Result<Option<Secret>, QueueError> {
        let address = secret("management_url_file", &self.management_url, &self.management_url_file)?;
        Ok((!address.is_empty()).then_some(address))
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.connect_timeout_s)
    }

    pub(crate) fn confirm_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.confirm_timeout_s)
    }
}

fn secret(setting: &'static str, value: &Secret, file: &Path) -> Result<Secret, QueueError> {
    value.or_file(file).map_err(|_| QueueError::Setting { setting, detail: "names a file that cannot be read" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_ranges_are_kept() {
        QueueSettings::default().validate().unwrap();
        let wrong = QueueSettings { prefix: "a b".to_owned(), ..QueueSettings::default() };
        assert!(matches!(wrong.validate(), Err(QueueError::Setting { setting: "prefix", .. })));
        let wrong = QueueSettings { confirm_timeout_s: f64::NAN, ..QueueSettings::default() };
        assert!(matches!(wrong.validate(), Err(QueueError::Setting { setting: "confirm_timeout_s", .. })));
    }

    #[test]
    fn an_address_is_needed() {
        assert!(matches!(QueueSettings::default().address(), Err(QueueError::Setting { setting: "url", .. })));
    }
}
