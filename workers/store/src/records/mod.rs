//! What people ask of the results: the view, the page, rescoring, and the training data set.

mod export;
mod report;
mod rescore;
mod results;

pub(crate) use report::document_json;

use hirenet_core::{Assessment, Transcript};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::StoredTrack;

/// Which rows of the view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResultFilter {
    /// Whose; a recruiter's login sees its own tenant whatever stands here.
    pub tenant: Option<String>,
    /// The tenant's id of the position; `None`: all.
    pub position: Option<String>,
    /// Only rows that changed after this.
    pub changed_after: Option<OffsetDateTime>,
    /// Rows at most, by position and rank.
    pub limit: i64,
}

/// One row of the view `interview_results`. Columns and units: docs/database.md.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the view's columns, described where the view is")]
pub struct ResultRow {
    pub interview_id: String,
    pub position_id: Option<String>,
    pub position_title: Option<String>,
    pub candidate: Option<String>,
    pub status: String,
    pub score: Option<f64>,
    pub score_low: Option<f64>,
    pub score_high: Option<f64>,
    pub verbal_score: Option<f64>,
    pub vocal_score: Option<f64>,
    pub visual_score: Option<f64>,
    pub rank: Option<i64>,
    pub comparable: Option<i64>,
    pub percentile: Option<f64>,
    pub rank_basis: Option<String>,
    pub completeness: Option<f64>,
    pub reasons: Value,
    pub top_spans: Value,
    pub bundle_name: Option<String>,
    pub bundle_version: Option<String>,
    pub bundle_kind: Option<String>,
    pub bundle_sha256: Option<String>,
    pub software: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub final_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub assessed_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub changed_at: OffsetDateTime,
    pub review: String,
    pub reviewed_by: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub reviewed_at: Option<OffsetDateTime>,
    /// In the reviewer's words.
    #[serde(rename = "override")]
    pub own_view: Option<String>,
}

/// What the page of an interview is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredReport {
    /// The shown assessment, with its transcripts filled in.
    pub assessment: Assessment,
    /// The position's title.
    pub title: String,
}

/// Which interviews to score under another bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RescoreScope {
    /// Only this tenant's.
    pub tenant: Option<String>,
    /// Only those of this position.
    pub position: Option<String>,
    /// Only those received since.
    pub since: Option<OffsetDateTime>,
}

/// One interview of the training data set.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedInterview {
    /// Whose it is.
    pub tenant: String,
    /// The tenant's id.
    pub interview_id: String,
    /// The tenant's id of the position.
    pub position: String,
    /// The position's title.
    pub title: String,
    /// The recruiter's decision: true = selected.
    pub selected: Option<bool>,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// The answers in order.
    pub answers: Vec<ExportedAnswer>,
}

/// One answer of the training data set.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedAnswer {
    /// The answer's id.
    pub id: String,
    /// The question's text.
    pub question: String,
    /// Duration of the recording in seconds.
    pub duration_s: Option<f64>,
    /// What was said.
    pub transcript: Option<Transcript>,
    /// The vocal and visual tracks.
    pub tracks: Vec<StoredTrack>,
}
