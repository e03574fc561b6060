//! The face room on real clips, rendered heads and odd frames.

mod clips;
mod following;
mod odd_frames;
mod support;
mod truth;
