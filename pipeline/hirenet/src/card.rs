//! The card: the JSON object under the graph's metadata key `hirenet`.

use hirenet_core::{BundleKind, Modality};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::BundleError;
use crate::contract::{METADATA_KEY, VERSION};

/// Schema ids that a bundle was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaIds {
    /// Of the words; `None` where the bundle leaves them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbal: Option<String>,
    /// Of the voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocal: Option<String>,
    /// Of the face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visual: Option<String>,
    /// Of question and title words.
    pub context: String,
}

impl SchemaIds {
    /// The id of one modality.
    #[must_use]
    pub fn get(&self, modality: Modality) -> Option<&str> {
        match modality {
            Modality::Verbal => self.verbal.as_deref(),
            Modality::Vocal => self.vocal.as_deref(),
            Modality::Visual => self.visual.as_deref(),
        }
    }
}

/// Platt scaling: `score = sigmoid(a logit + b)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Slope.
    pub a: f64,
    /// Offset.
    pub b: f64,
}

impl Calibration {
    /// The calibrated score, 0..1.
    #[must_use]
    pub fn score(self, logit: f32) -> f64 {
        let x = self.a * f64::from(logit) + self.b;
        1.0 / (1.0 + (-x).exp())
    }
}

/// Calibrations of the fused and of the single-modality logits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibrations {
    /// Of the fused logit.
    pub fused: Calibration,
    /// Of `logit_verbal`; `None` where the bundle leaves the words out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbal: Option<Calibration>,
    /// Of `logit_vocal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocal: Option<Calibration>,
    /// Of `logit_visual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visual: Option<Calibration>,
}

impl Calibrations {
    /// The calibration of one modality.
    #[must_use]
    pub fn get(&self, modality: Modality) -> Option<Calibration> {
        match modality {
            Modality::Verbal => self.verbal,
            Modality::Vocal => self.vocal,
            Modality::Visual => self.visual,
        }
    }
}

/// What a bundle says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of the graph contract.
    pub contract: u64,
    /// Name of the bundle.
    pub name: String,
    /// Version of the bundle.
    pub version: String,
    /// What its weights come from.
    pub kind: BundleKind,
    /// Schemas of its inputs.
    pub schemas: SchemaIds,
    /// Score above which evaluation counts an interview as positive. The program never decides by it.
    pub threshold: f64,
    /// From logits to scores.
    pub calibration: Calibrations,
    /// What it was trained on, in the exporter's words.
    pub trained_on: Value,
    /// What it is meant for, in the exporter's words.
    pub intended_use: Value,
    /// Further keys, kept for the reader.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Card {
    /// Reads the metadata's text.
    ///
    /// # Errors
    /// [`BundleError::Contract`] with what is wrong, in words an exporter understands.
    pub fn from_json(text: &str) -> Result<Card, BundleError> {
        let wrong = |finding: String| BundleError::Contract(vec![finding]);
        let value: Value = serde_json::from_str(text)
            .map_err(|error| wrong(format!("metadata_props[\"{METADATA_KEY}\"] is not JSON: {error}")))?;
        match value.get("contract").map(Value::as_u64) {
            Some(Some(VERSION)) => {}
            None => return Err(wrong(format!("the metadata lacks `contract`; write \"contract\": {VERSION}"))),
            Some(_) => {
                let found = &value["contract"];
                return Err(wrong(format!(
                    "the metadata's `contract` is {found}; this program knows version {VERSION}"
                )));
            }
        }
        let card: Card = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { String::new() } else { format!(" at `{path}`") };
            wrong(format!("the metadata is incomplete or wrong{place}: {}", error.inner()))
        })?;
        let findings = card.findings();
        if findings.is_empty() { Ok(card) } else { Err(BundleError::Contract(findings)) }
    }

    /// The text for the metadata.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (key, value) in [("name", &self.name), ("version", &self.version)] {
            if value.trim().is_empty() {
                findings.push(format!("the metadata's `{key}` is empty"));
            }
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            findings.push(format!("the metadata's `threshold` is {}; it must lie in 0..1", self.threshold));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::untrained_card;
    use serde_json::json;

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut value = json!(untrained_card());
        change(&mut value);
        Card::from_json(&value.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn a_card_survives_writing_and_reading() {
        let card = untrained_card();
        assert_eq!(Card::from_json(&card.to_json()).unwrap(), card);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for key in
            ["contract", "name", "version", "kind", "schemas", "threshold", "calibration", "trained_on", "intended_use"]
        {
            let said = refusal(|card| drop(card.as_object_mut().unwrap().remove(key)));
            assert!(said.contains(&format!("`{key}`")), "{key}: {said}");
        }
        assert!(refusal(|card| card["contract"] = json!(2)).contains("this program knows version 1"));
        assert!(refusal(|card| card["kind"] = json!("production")).contains("at `kind`"));
        assert!(refusal(|card| card["threshold"] = json!(1.5)).contains("`threshold`"));
        assert!(refusal(|card| card["calibration"]["vocal"] = json!({"a": 1})).contains("at `calibration.vocal`"));
        assert!(refusal(|card| drop(card["schemas"].as_object_mut().unwrap().remove("context"))).contains("`context`"));
        assert!(refusal(|card| card["name"] = json!(" ")).contains("`name` is empty"));
        assert!(Card::from_json("not json").unwrap_err().to_string().contains("is not JSON"));
    }

    #[test]
    fn scores_are_between_0_and_1_for_any_logit() {
        let calibration = Calibration { a: 2.0, b: -1.0 };
        assert!((calibration.score(0.5) - 0.5).abs() < 1e-12);
        for logit in [f32::MIN, -1e3, 1e3, f32::MAX] {
            assert!((0.0..=1.0).contains(&calibration.score(logit)));
        }
    }
}
