//! What must hold under every fault: the program as it ships, a real broker and a real database, killed and stopped at
//! exact points. Each test has queues and a database of its own.
//!
//! Barriers and signals take the place of sleeps: a worker that is told to stop at a point says so through a pipe and
//! stops itself, and an end is an event that the broker delivers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod f01_killed_at_every_point;
mod f02_killer_job;
mod f03_f04_services_break;
mod f05_signals;
mod f06_two_workers;
mod f07_f08_f09_job_faults;
mod f10_clocks;
mod f11_messages;
mod f12_f13_erase_and_withdraw;
mod f14_consumer_timeout;
mod limits;
mod priorities;
mod records;
mod sample;
mod support;
mod watched;
