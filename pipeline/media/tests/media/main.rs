//! Real files through the real child: formats, the clock, bad input, and children that misbehave.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod bad_input;
mod clock;
mod common;
mod containment;
mod formats;
mod length;
mod shared_clips;
