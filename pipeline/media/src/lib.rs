//! Probe and decode media files: 16 kHz mono samples and RGB frames on one clock.
//!
//! Parsing foreign files is the one dangerous act of the pipeline, so it happens in a child process of the same program
//! ([`child_main`]). The parent opens the file and hands over the descriptor; samples and frames come back through a
//! pipe. The child has limits on processor time and memory, the parent watches the wall clock, and a crash costs one
//! file. Media time zero is the earlier of the first audio and the first video timestamp.

mod about;
mod allowed;
mod child;
mod damage;
mod decode;
mod error;
mod extent;
mod ffi;
mod file;
mod grid;
mod header;
mod input;
mod launch;
mod limits;
mod message;
mod open;
mod picture;
mod process;
mod protocol;
mod scale;
mod settings;
mod sniff;
mod sound;
mod stderr;
mod streams;
mod task;
mod types;
mod upright;

pub use about::{check_file, decoders, ffmpeg_version};
pub use child::child_main;
pub use error::{MediaError, Refusal};
pub use launch::{CHILD_COMMAND, Launcher};
pub use open::{Decoding, open, open_with, probe, probe_with};
pub use settings::MediaSettings;
pub use types::{AudioInfo, Event, Outcome, Probe, Request, StreamInfo, StreamKind, VideoInfo};
