//! What the outside sees of a running worker: metrics, health, logs and traces.
//!
//! [`events`] is the one place where something that happened is both logged and counted, so that the two cannot drift.
//! What is counted there belongs to this process; what [`service`] adds at each scrape comes from the database and is
//! the same whichever worker is asked.

pub(crate) mod events;
mod health;
mod http;
mod metrics;
mod process;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use health::{Health, Part};
pub(crate) use http::{HttpServer, HttpSettings};
