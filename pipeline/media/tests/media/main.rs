//! Real files through the real child: formats, the clock, bad input, and children that misbehave.

mod bad_input;
mod clock;
mod common;
mod containment;
mod formats;
mod shared_clips;
