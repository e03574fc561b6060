//! The trainer from outside: whole runs on small made-up corpora.

mod bad_input;
mod bundle;
mod masks;
mod runs;
mod shipped;
mod support;
