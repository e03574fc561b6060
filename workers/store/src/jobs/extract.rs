use hirenet_core::{Transcript, sha256_bytes};
use serde_json::json;
use uuid::Uuid;

use super::guard::Tx;
use crate::{ExtractOutcome, Lease, Store, StoreError};

impl Store {
    /// Stores what was extracted and ends the job. True where it was the last answer: the score job is on its way then.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails; nothing is written then.
    pub async fn finish_extract(&self, lease: &Lease, outcome: &ExtractOutcome) -> Result<bool, StoreError> {
        let words = outcome.transcript.as_ref();
        let words_json = words.map(|t| json!(t));
        let words_sha256 = words_json.as_ref().map(|json| sha256_bytes(json.to_string().as_bytes()));
        let tracks = &outcome.tracks;
        let _turn = self.turns.of(lease.interview).await;
        let mut connection = self.connection().await?;
        let last = sqlx::query_scalar!(
            "select hirenet.finish_extract($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
            lease.job,
            lease.fence,
            outcome.duration_s,
            outcome.media_sha256,
            json!(outcome.reasons),
            json!(outcome.timings),
            json!(outcome.models),
            words.and_then(|t| t.language.as_deref()),
            words.map(source),
            words.and_then(median_confidence),
            words_json,
            words.map(Transcript::text),
            words_sha256,
            &tracks.iter().map(|t| t.modality.to_string()).collect::<Vec<_>>(),
            &tracks.iter().map(|t| t.schema.clone()).collect::<Vec<_>>(),
            &tracks.iter().map(|t| t.rows).collect::<Vec<_>>(),
            &tracks.iter().map(|t| t.valid_rows).collect::<Vec<_>>(),
            &tracks.iter().map(|t| t.bytes.clone()).collect::<Vec<_>>()
        )
        .fetch_one(&mut *connection)
        .await?;
        self.keep(connection);
        let last = last.ok_or(StoreError::LeaseLost(lease.job))?;
        if last {
            self.filled.notify_one();
        }
        Ok(last)
    }
}

/// Puts the score job on its way where no answer of the interview is waited for.
pub(crate) async fn enqueue_score_when_last(tx: &mut Tx, interview: Uuid) -> Result<(), StoreError> {
    sqlx::query_scalar!("select hirenet.enqueue_score_when_last($1)", interview).fetch_one(&mut **tx).await?;
    Ok(())
}

fn source(transcript: &Transcript) -> &'static str {
    match transcript.source {
        hirenet_core::Source::Recognised => "recognised",
        hirenet_core::Source::Given => "given",
    }
}

/// Median of the words' confidences; `None` where no word has one. The lower of the two middle ones for an even number.
fn median_confidence(transcript: &Transcript) -> Option<f32> {
    let mut known: Vec<f32> = transcript.words.iter().filter_map(|word| word.confidence).collect();
    known.sort_by(f32::total_cmp);
    known.get(known.len().saturating_sub(1) / 2).copied()
}
