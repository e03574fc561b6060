//! The room against recordings: voice activity, recognition, its guards, word times.

#[cfg(test)]
mod activity;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod recognition;
#[cfg(test)]
mod support;
