//! The trainer from outside: whole runs on small made-up corpora.

#![expect(clippy::unwrap_used, reason = "what fails in a helper of a test fails the test")]

mod bad_input;
mod bundle;
mod explaining;
mod import;
mod learning;
mod masks;
mod runs;
mod shipped;
mod support;
