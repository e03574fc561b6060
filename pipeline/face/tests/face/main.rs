//! The face room on real clips, rendered heads and odd frames.

#[cfg(test)]
mod clips;
#[cfg(test)]
mod following;
#[cfg(test)]
mod odd_frames;
#[cfg(test)]
mod support;
#[cfg(test)]
mod truth;
