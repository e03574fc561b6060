//! A world of a test's own: names in the broker, a database, a folder, and workers.

mod barrier;
mod database;
mod messages;
mod worker;
mod world;

pub(crate) use barrier::Barrier;
pub(crate) use database::Database;
pub(crate) use messages::{answer, interview};
pub(crate) use worker::{Worker, ended, stop_at};
pub(crate) use world::World;

use std::time::Duration;

/// Nothing here takes longer, on a machine that has other work too.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Waits for something that must come.
#[track_caller]
pub(crate) fn soon<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let late = |_| panic!("{place}: no {what} within {SOON:?}");
        tokio::time::timeout(SOON, future).await.unwrap_or_else(late)
    }
}
