//! The voice room held to its definitions, to constructed truth and to Praat.

#![cfg(test)]

mod bars;
mod praat;
mod reference;
mod robustness;
mod spectral;
mod support;
mod synthesis;
mod truth;
mod vowels;
