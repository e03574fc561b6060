//! The faults of the broker and the database themselves, in a program of its own: what it starts and kills needs the
//! machine for itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "faults/f03_f04_services_break.rs"]
mod f03_f04_services_break;
#[allow(dead_code, unused_imports, reason = "the other faults use the rest")]
#[path = "faults/support/mod.rs"]
mod support;
