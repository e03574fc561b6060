//! The store against a real Postgres. Each test has a database of its own, made from a migrated template.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod bias;
mod bundles;
mod check;
mod connections;
mod intake;
mod leases;
mod outbox;
mod removal;
mod results;
mod rights;
mod support;
