//! What the command line takes as a value. What no run makes sense with is refused here, before anything is read.

use std::str::FromStr;

use clap::builder::RangedU64ValueParser;
use hirenet_core::Modality;

use crate::data::Split;
use crate::fit::allowed;

/// A number of things, one or more.
pub(super) fn count() -> RangedU64ValueParser<usize> {
    // Far beyond any data set, and far from the end of the type, so that sums and products cannot run over.
    RangedU64ValueParser::new().range(1..=1 << 32)
}

/// A number of seeds.
pub(super) fn seeds() -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(1..=1 << 32)
}

/// As many as the generator has words for.
pub(super) fn topics() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(2..=4)
}

fn number<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A hyper-parameter, under the same rule as in a grid.
fn hyper(name: &str, text: &str) -> Result<f64, String> {
    let value = number(text)?;
    allowed(name, value).map(|()| value)
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    hyper("rate", text)
}

pub(super) fn clip(text: &str) -> Result<f64, String> {
    hyper("clip", text)
}

pub(super) fn dropout(text: &str) -> Result<f32, String> {
    hyper("dropout", text)?;
    number(text)
}

pub(super) fn modality_dropout(text: &str) -> Result<f64, String> {
    hyper("modality_dropout", text)
}

pub(super) fn hidden(text: &str) -> Result<usize, String> {
    Ok(hyper("hidden", text)? as usize)
}

pub(super) fn batch(text: &str) -> Result<usize, String> {
    Ok(hyper("batch", text)? as usize)
}

fn between(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let value: f64 = number(text)?;
    if (least..=most).contains(&value) { Ok(value) } else { Err(format!("it must be between {least} and {most}")) }
}

/// A share of a whole.
pub(super) fn share(text: &str) -> Result<f64, String> {
    between(text, 0.0, 1.0)
}

/// Length of an answer: three hours are the longest that is worth making up.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    between(text, 0.1, 10_800.0)
}

/// Weight of the evidence.
pub(super) fn weight(text: &str) -> Result<f64, String> {
    between(text, 0.0, 1e3)
}

/// How far a moment stands out.
pub(super) fn amplitude(text: &str) -> Result<f32, String> {
    Ok(between(text, 0.0, 1e3)? as f32)
}

pub(super) fn modality(text: &str) -> Result<Modality, String> {
    Modality::ALL.into_iter().find(|m| m.as_str() == text).ok_or_else(|| "verbal, vocal or visual".to_owned())
}

/// Interviews that a bundle is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredOn {
    /// Those of one split.
    Split(Split),
    /// Every one.
    All,
}

pub(super) fn measured_on(text: &str) -> Result<MeasuredOn, String> {
    if text == "all" {
        return Ok(MeasuredOn::All);
    }
    let split = serde_json::from_value(serde_json::json!(text));
    split.map(MeasuredOn::Split).map_err(|_| "train, validation, test or all".to_owned())
}
