//! A trained HireNet of every modality with its fusion, and the bundle that it becomes.

use std::collections::BTreeMap;

use candle_core::Device;
use hirenet_core::{BundleKind, ByModality, Modality};
use hirenet_model::export::{Weights, export};
use hirenet_model::{Calibration, Calibrations, Card, SchemaIds, contract};
use serde_json::json;

use crate::Result;
use crate::data::{Header, Normalisation};
use crate::fusion::GatedFusion;
use crate::models::{HireNet, Sizes};
use crate::nn::Parameters;

/// The networks of a bundle.
pub struct Networks {
    /// One a modality.
    pub single: BTreeMap<Modality, (HireNet, Normalisation)>,
    /// What joins them.
    pub fusion: GatedFusion,
}

/// Weights of a modality's network are drawn from their own stream of the seed.
#[must_use]
pub fn network_seed(seed: u64, modality: Modality) -> u64 {
    seed.wrapping_mul(10).wrapping_add(1 + modality as u64)
}

/// As [`network_seed`], for the fusion.
#[must_use]
pub fn fusion_seed(seed: u64) -> u64 {
    seed.wrapping_mul(10)
}

impl Networks {
    /// Draws networks for a data set's schemas.
    ///
    /// # Errors
    /// Those of the device.
    pub fn draw(
        header: &Header,
        normalisations: &BTreeMap<Modality, Normalisation>,
        sizes: Sizes,
        seed: u64,
        device: &Device,
    ) -> Result<Networks> {
        let words = header.context_width();
        let mut single = BTreeMap::new();
        for (modality, normalisation) in normalisations {
            let p = Parameters::new(network_seed(seed, *modality), device);
            let network = HireNet::new(p, normalisation.mean.len(), words, sizes)?;
            single.insert(*modality, (network, normalisation.clone()));
        }
        let modalities: Vec<Modality> = single.keys().copied().collect();
        let p = Parameters::new(fusion_seed(seed), device);
        let fusion = GatedFusion::new(p, &modalities, 2 * sizes.hidden, words, sizes)?;
        Ok(Networks { single, fusion })
    }

    /// For the graph's writer.
    ///
    /// # Errors
    /// Those of the device.
    pub fn weights(&self) -> Result<Weights> {
        let mut branches = ByModality::default();
        for (modality, (network, normalisation)) in &self.single {
            branches.set(*modality, Some(network.export(normalisation)?));
        }
        Ok(Weights { branches, fusion: self.fusion.export()? })
    }

    /// The bundle's bytes.
    ///
    /// # Errors
    /// Those of the device.
    pub fn bundle(&self, card: &Card) -> Result<Vec<u8>> {
        Ok(export(&self.weights()?, card))
    }
}

/// What a bundle's card says beside its calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct CardText {
    /// Name of the bundle.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Further keys: measures, settings.
    pub more: serde_json::Map<String, serde_json::Value>,
}

/// The card of a bundle trained on a data set.
#[must_use]
pub fn card(
    header: &Header,
    text: &CardText,
    threshold: f64,
    calibration: &BTreeMap<Option<Modality>, Calibration>,
) -> Card {
    let id = |m| header.schemas.get(m).filter(|_| calibration.contains_key(&Some(m))).map(|schema| schema.id.clone());
    let of = |m| calibration.get(&Some(m)).copied();
    let (kind, trained_on, intended_use) = if header.synthetic {
        (
            BundleKind::Demo,
            format!("{}: made up by a program, not recorded from people", header.name),
            "Demonstration of the program. Synthetic: its scores mean nothing about a person, and no decision about a person \
             may rest on them.",
        )
    } else {
        (
            BundleKind::Trained,
            header.name.clone(),
            "Advice to recruiters of the company whose decisions it was trained on. It never accepts or rejects anybody.",
        )
    };
    Card {
        contract: contract::VERSION,
        name: text.name.clone(),
        version: text.version.clone(),
        kind,
        schemas: SchemaIds {
            verbal: id(Modality::Verbal),
            vocal: id(Modality::Vocal),
            visual: id(Modality::Visual),
            context: header.schemas.context.as_ref().map(|schema| schema.id.clone()).unwrap_or_default(),
        },
        threshold,
        calibration: Calibrations {
            fused: calibration.get(&None).copied().unwrap_or(Calibration { a: 1.0, b: 0.0 }),
            verbal: of(Modality::Verbal),
            vocal: of(Modality::Vocal),
            visual: of(Modality::Visual),
        },
        trained_on: json!(trained_on),
        intended_use: json!(intended_use),
        more: text.more.clone(),
    }
}
