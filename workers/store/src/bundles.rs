//! Bundles: registered with their graph, one of them active.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hirenet_core::{BundleInfo, BundleKind, Modality};
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
    /// The threshold of its card, which serves comparison only.
    pub threshold: Option<f64>,
    /// When it was registered.
    pub registered_at: OffsetDateTime,
}

/// The two scores of one interview under two bundles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedScore {
    /// Score under the first bundle.
    pub first: f64,
    /// Score under the second bundle.
    pub second: f64,
}

/// The modalities that each bundle asks for, as far as they are known.
pub(crate) type AskedByBundle = Arc<Mutex<HashMap<String, Arc<[String]>>>>;

impl Store {
    /// The modalities that a registered bundle asks for. They never change: each bundle is looked up once.
    pub(crate) async fn asked_by(&self, sha256: &str) -> Result<Arc<[String]>, StoreError> {
        let known = || self.asked_by_bundle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = known().get(sha256) {
            return Ok(asked.clone());
        }
        let asked = sqlx::query_scalar!("select modalities from hirenet.bundles where sha256 = $1", sha256);
        let asked = asked.fetch_optional(&self.pool).await?.ok_or(StoreError::Unknown("no such bundle"))?;
        let asked: Arc<[String]> = asked.into();
        known().insert(sha256.to_owned(), asked.clone());
        Ok(asked)
    }

    /// Registers a bundle; the first one ever becomes active. True where it is the active one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn register_bundle(&self, bundle: &NewBundle<'_>) -> Result<bool, StoreError> {
        let info = bundle.info;
        let mut tx = self.pool.begin().await?;
        // Two workers that start together would both find no active bundle.
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended('hirenet bundles', 0))")
            .fetch_one(&mut *tx)
            .await?;
        let known = sqlx::query_scalar!("select active from hirenet.bundles where sha256 = $1", info.sha256);
        if let Some(active) = known.fetch_optional(&mut *tx).await? {
            return Ok(active);
        }
        let active = sqlx::query_scalar!(
            r#"with new as (
                insert into hirenet.bundles (sha256, name, version, kind, card, modalities, graph, active)
                values ($1, $2, $3, $4, $5, $6, $7, not exists (select from hirenet.bundles where active))
                returning active),
            noted as (insert into hirenet.audit (action, bundle) values ('bundle_registered', $1))
            select active as "active!" from new"#,
            info.sha256,
            info.name,
            info.version,
            info.kind.as_str(),
            bundle.card,
            &modalities(bundle.card),
            bundle.graph
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(active)
    }

    /// SHA-256 of the active bundle; `None` where none was ever registered.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn active_bundle(&self) -> Result<Option<String>, StoreError> {
        let active = sqlx::query_scalar!("select sha256 from hirenet.bundles where active");
        Ok(active.fetch_optional(&self.pool).await?)
    }

    /// The graph's bytes of a registered bundle.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bundle_graph(&self, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let graph = sqlx::query_scalar!("select graph from hirenet.bundles where sha256 = $1", sha256);
        Ok(graph.fetch_optional(&self.pool).await?)
    }

    /// Every registered bundle, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bundles(&self) -> Result<Vec<BundleRow>, StoreError> {
        let rows = sqlx::query!(
            r#"select sha256, name, version, kind, active, registered_at, card -> 'threshold' as threshold
            from hirenet.bundles order by registered_at desc, sha256"#
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind = [BundleKind::Untrained, BundleKind::Demo, BundleKind::Trained]
                    .into_iter()
                    .find(|kind| kind.as_str() == row.kind)
                    .ok_or_else(|| StoreError::corrupt("bundle", "its kind is not known here"))?;
                let info = BundleInfo { name: row.name, version: row.version, kind, sha256: row.sha256 };
                let threshold = row.threshold.as_ref().and_then(Value::as_f64);
                Ok(BundleRow { info, active: row.active, threshold, registered_at: row.registered_at })
            })
            .collect()
    }

    /// Makes a registered bundle the one that the views show and that new interviews are scored under: for every reader
    /// at once. False where it is not registered.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn activate_bundle(&self, sha256: &str) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended('hirenet bundles', 0))")
            .fetch_one(&mut *tx)
            .await?;
        // Two statements: the index that allows one active bundle is checked row by row.
        sqlx::query!("update hirenet.bundles set active = false where active and sha256 <> $1", sha256)
            .execute(&mut *tx)
            .await?;
        let done = sqlx::query!(
            r#"with new as (update hirenet.bundles set active = true where sha256 = $1 returning sha256)
            insert into hirenet.audit (action, bundle) select 'bundle_activated', sha256 from new"#,
            sha256
        )
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            // Dropped without a commit: the bundle that was active stays so.
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The scores of a tenant's interviews that have a current assessment under both bundles, of one position or of all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn paired_scores(
        &self,
        tenant: &str,
        position: Option<&str>,
        first: &str,
        second: &str,
    ) -> Result<Vec<PairedScore>, StoreError> {
        let mut tx = self.in_tenant(tenant).await?;
        let rows = sqlx::query_as!(
            PairedScore,
            r#"select a.score as "first!", b.score as "second!" from hirenet.assessments a
            join hirenet.assessments b on b.interview = a.interview
            where a.bundle = $1 and b.bundle = $2 and a.superseded_at is null and b.superseded_at is null
                and a.score is not null and b.score is not null and ($3::text is null or a.position_id = $3)"#,
            first,
            second,
            position
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows)
    }
}

/// The modalities that a card's schemas name; all three where the card names none.
fn modalities(card: &Value) -> Vec<String> {
    let named = |m: &Modality| card.get("schemas").and_then(|s| s.get(m.as_str())).is_some_and(Value::is_string);
    let found: Vec<String> = Modality::ALL.iter().filter(|m| named(m)).map(ToString::to_string).collect();
    if found.is_empty() { Modality::ALL.iter().map(ToString::to_string).collect() } else { found }
}
