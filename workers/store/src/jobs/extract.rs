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
        let mut tx = self.enter(lease).await?;
        store_answer(&mut tx, lease, outcome).await?;
        // Answers of one interview end one after the other: exactly one of them sees that it is the last. They wait for
        // each other here and not before, so that what takes long is done side by side.
        sqlx::query_scalar!(
            "select interview from hirenet.interviews where interview = $1 for no key update",
            lease.interview
        )
        .fetch_one(&mut *tx)
        .await?;
        let last = enqueue_score_when_last(&mut tx, lease.interview).await?;
        tx.commit().await?;
        if last {
            self.filled.notify_one();
        }
        Ok(last)
    }
}

/// Writes everything of one answer whose job is locked. Consent may have been withdrawn while it was extracted: what is not
/// allowed now is left out. A withdrawal locks the interview's jobs first, so that what is allowed here is allowed at the
/// commit.
async fn store_answer(tx: &mut Tx, lease: &Lease, outcome: &ExtractOutcome) -> Result<(), StoreError> {
    let words = outcome.transcript.as_ref();
    let words_json = words.map(|t| json!(t));
    let words_sha256 = words_json.as_ref().map(|json| sha256_bytes(json.to_string().as_bytes()));
    let tracks = &outcome.tracks;
    sqlx::query!(
        r#"with allowed as materialized (
            select modalities from hirenet.interviews where interview = $1),
        answer as (
            update hirenet.answers set state = 'extracted', duration_s = $3, media_sha256 = $4, timings = $6, models = $7,
                reasons = (select coalesce(jsonb_agg(reason order by place), '[]')
                    from jsonb_array_elements($5::jsonb) with ordinality as r(reason, place), allowed
                    where coalesce(reason ->> 'modality' = any(modalities), true))
            where interview = $1 and answer = $2),
        words as (
            insert into hirenet.transcripts (interview, answer, tenant, language, source, confidence, words, text, sha256)
            select $1, $2, $8, $9, $10, $11, $12, $13, $14 from allowed
            where $12::jsonb is not null and 'verbal' = any(modalities)),
        track as (
            insert into hirenet.tracks (interview, answer, modality, tenant, schema_id, rows, valid_rows, bytes, sha256)
            select $1, $2, modality, $8, schema_id, rows, valid_rows, bytes, encode(sha256(bytes), 'hex')
            from allowed, unnest($15::text[], $16::text[], $17::int[], $18::int[], $19::bytea[])
                as t(modality, schema_id, rows, valid_rows, bytes)
            where modality = any(modalities)),
        job as (
            update hirenet.jobs set state = 'done', lease_until = null, worker = null, code = null, detail = null,
                moved_at = now(), ended_at = now()
            where job = $20)
        update hirenet.attempts set outcome = 'done', ended_at = now(), timings = $6 where job = $20 and attempt = $21"#,
        lease.interview,
        lease.answer,
        outcome.duration_s,
        outcome.media_sha256,
        json!(outcome.reasons),
        json!(outcome.timings),
        json!(outcome.models),
        lease.tenant,
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
        &tracks.iter().map(|t| t.bytes.clone()).collect::<Vec<_>>(),
        lease.job,
        lease.attempt
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts the score job on its way where no answer of the interview is waited for. The interview's row must be locked.
pub(crate) async fn enqueue_score_when_last(tx: &mut Tx, interview: Uuid) -> Result<bool, StoreError> {
    // The states that are over are named, and not those that are open: so the interview's own jobs are looked at, and never
    // the index of all that are open.
    let made = sqlx::query!(
        r#"with job as (
            insert into hirenet.jobs (tenant, interview, interview_id, stage, priority, trace)
            select i.tenant, i.interview, i.interview_id, 'score', i.priority,
                (select trace from hirenet.jobs where interview = $1 and trace is not null limit 1)
            from hirenet.interviews i
            where i.interview = $1 and i.status in ('queued', 'working') and not exists (
                select from hirenet.jobs
                where interview = $1 and state not in ('done', 'failed', 'erased') and bundle is null)
            returning job, tenant, interview, priority, trace)
        insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload, trace)
        select interview, interview, 'stage', 'score.' || priority, 'job',
            json_build_object('version', 1, 'job', job, 'tenant', tenant, 'stage', 'score'), trace
        from job"#,
        interview
    )
    .execute(&mut **tx)
    .await?;
    Ok(made.rows_affected() > 0)
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
