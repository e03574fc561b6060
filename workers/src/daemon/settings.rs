use std::time::Duration;

use hirenet_core::Code;
use hirenet_store::RetentionDays;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Section `work` of the configuration: what a worker takes on, and how long it may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WorkSettings {
    /// Stages that the worker serves.
    pub(crate) stages: Vec<String>,
    /// Jobs of a stage that run at once.
    pub(crate) slots: usize,
    /// Threads that the slots share; 0 = as many as there are cores.
    pub(crate) threads: usize,
    /// Lease of a job in seconds.
    pub(crate) lease_s: f64,
    /// Longest time in seconds for one job.
    pub(crate) max_job_s: f64,
    /// Time in seconds to finish after SIGTERM.
    pub(crate) grace_s: f64,
    /// Attempts of a job whose failures are of an unknown kind.
    pub(crate) max_attempts: u32,
    /// Age in hours at which a job with passing faults is given up.
    pub(crate) max_age_h: f64,
    /// Seconds between two beats of the worker's row.
    pub(crate) beat_s: f64,
    /// Take a stand-in for the extractors: for tests only.
    pub(crate) stand_in: bool,
}

impl Default for WorkSettings {
    fn default() -> Self {
        WorkSettings {
            stages: ["admit", "extract", "score", "erase"].map(str::to_owned).to_vec(),
            slots: 1,
            threads: 0,
            lease_s: 60.0,
            max_job_s: 840.0,
            grace_s: 30.0,
            max_attempts: 5,
            max_age_h: 72.0,
            beat_s: 10.0,
            stand_in: false,
        }
    }
}

impl WorkSettings {
    /// Checks the ranges that the types cannot say.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`], naming the setting.
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let checks = [
            ("slots", (1..=256).contains(&self.slots), "must lie between 1 and 256"),
            ("threads", self.threads <= 1024, "must be at most 1024"),
            ("lease_s", self.lease_s.is_finite() && self.lease_s >= 0.5, "must be at least 0.5"),
            ("max_job_s", positive(self.max_job_s), "must be above 0"),
            ("grace_s", self.grace_s.is_finite() && self.grace_s >= 0.0, "must be 0 or more"),
            ("max_attempts", self.max_attempts > 0, "must be above 0"),
            ("max_age_h", positive(self.max_age_h), "must be above 0"),
            ("beat_s", positive(self.beat_s), "must be above 0"),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((setting, _, detail)) => Err(Failure::new(Code::ConfigInvalid, format!("work.{setting} {detail}"))),
            None => Ok(()),
        }
    }

    /// The lease of a job.
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs_f64(self.lease_s)
    }
}

/// Section `retention` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionSettings {
    /// Seconds between two looks for what has reached the end of its retention; 0 = this worker does not look.
    pub(crate) interval_s: f64,
    /// How long each class of data is kept.
    pub(crate) days: RetentionDays,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        RetentionSettings { interval_s: 60.0, days: RetentionDays::default() }
    }
}
