//! Bundles: registered with their graph, one of them active.

use hirenet_core::{BundleInfo, BundleKind};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{Store, StoreError};

/// A bundle to register.
#[derive(Debug, Clone, Copy)]
pub struct NewBundle<'a> {
    /// Name, version, kind and hash.
    pub info: &'a BundleInfo,
    /// The bundle's card.
    pub card: &'a Value,
    /// The graph's bytes, so that any worker can score under it.
    pub graph: &'a [u8],
}

/// A registered bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleRow {
    /// Name, version, kind and hash.
    pub info: BundleInfo,
    /// True for the one that the views show.
    pub active: bool,
    /// Assessments under it.
    pub assessments: i64,
    /// When it was registered.
    pub registered_at: OffsetDateTime,
}

/// The two scores of one interview under two bundles.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedScore {
    /// Whose it is.
    pub tenant: String,
    /// The tenant's id of the position.
    pub position: String,
    /// Score under the first bundle.
    pub first: f64,
    /// Score under the second bundle.
    pub second: f64,
}

/// How two bundles differ on the interviews that both have scored.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleComparison {
    /// Interviews scored under both.
    pub interviews: usize,
    /// Spearman's rank correlation of the scores, ties sharing their mean rank; `None` with fewer than two interviews or
    /// where one bundle gives every interview the same score.
    pub rank_correlation: Option<f64>,
    /// Interviews on different sides of the two bundles' thresholds.
    pub flips: usize,
    /// Largest absolute difference of the scores.
    pub largest_difference: f64,
    /// Mean absolute difference of the scores.
    pub mean_difference: f64,
}

impl Store {
    /// Registers a bundle; the first one ever becomes active. True where it is the active one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn register_bundle(&self, bundle: &NewBundle<'_>) -> Result<bool, StoreError> {
        let _ = (bundle, BundleKind::Demo);
        todo!()
    }

    /// SHA-256 of the active bundle; `None` where none was ever registered.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn active_bundle(&self) -> Result<Option<String>, StoreError> {
        todo!()
    }

    /// The graph's bytes of a registered bundle.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bundle_graph(&self, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = sha256;
        todo!()
    }
}
