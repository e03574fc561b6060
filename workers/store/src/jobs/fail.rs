use std::time::Duration;

use hirenet_core::Code;
use uuid::Uuid;

use crate::{Lease, Store, StoreError};

impl Store {
    /// Gives the job back for another attempt after `delay`, through a wait queue. A code of an unknown kind counts
    /// towards [`Lease::failures`].
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn retry(&self, lease: &Lease, code: Code, detail: &str, delay: Duration) -> Result<(), StoreError> {
        let _ = (lease, code, detail, delay);
        todo!()
    }

    /// Gives the job up: a dead letter with its history. An answer stays away from the score with `code` as its reason, and
    /// the interview goes on; a score job fails its interview.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn bury(&self, lease: &Lease, code: Code, detail: &str) -> Result<(), StoreError> {
        let _ = (lease, code, detail);
        todo!()
    }

    /// As [`Store::bury`], for a job that nobody holds because the broker gave its message up. False where the job was
    /// over, is unknown, or is being worked on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bury_undelivered(&self, job: Uuid, code: Code, detail: &str) -> Result<bool, StoreError> {
        let _ = (job, code, detail);
        todo!()
    }

    /// Hands the job back at once, unfinished and without a failure: the worker is going down. Its message must be
    /// returned to the broker unacknowledged, so nothing is published.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn hand_back(&self, lease: &Lease) -> Result<(), StoreError> {
        let _ = lease;
        todo!()
    }
}
