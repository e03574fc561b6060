use std::collections::{BTreeMap, BTreeSet};

use hirenet_core::{Answer, Interview, Modality, Position};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::guard::Tx;
use crate::{
    ExtractOutcome, ExtractTask, Lease, ScoreTask, Store, StoreError, StoredAnswer, StoredExtraction, StoredTrack,
};

impl Store {
    /// What the stage `extract` needs; `None` where the job was ended meanwhile by an erasure or a withdrawal of consent:
    /// nothing may be fetched. The job is not locked: whoever stores what comes of it asks for the lease again.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn extract_task(&self, lease: &Lease) -> Result<Option<ExtractTask>, StoreError> {
        let mut tx = self.in_tenant(&lease.tenant).await?;
        // One answer tells that the interview is being worked on: the others do not wait for its commit.
        let row = sqlx::query!(
            r#"with working as (
                update hirenet.interviews set status = 'working', changed_at = now()
                where interview = (select interview from hirenet.interviews
                    where interview = $1 and status = 'queued' for no key update skip locked)
                and exists (select from hirenet.jobs where job = $2 and fence = $3 and state = 'running'))
            select i.interview_id, i.language, i.modalities, a.answer_id, a.question, a.media, a.sha256, a.take,
                a.given_transcript
            from hirenet.jobs j, hirenet.interviews i, hirenet.answers a
            where j.job = $2 and j.fence = $3 and j.state = 'running' and i.interview = $1
                and a.interview = $1 and a.answer = $4"#,
            lease.interview,
            lease.job,
            lease.fence,
            lease.answer
        )
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let row = match row {
            Some(row) => row,
            None if self.was_ended(lease).await? => return Ok(None),
            None => return Err(StoreError::LeaseLost(lease.job)),
        };
        let answer = Answer {
            id: row.answer_id,
            question: row.question,
            media: row.media,
            sha256: row.sha256,
            transcript: row.given_transcript.map(|given| read("transcript", given)).transpose()?,
            take: row.take.map(|take| take as u32),
        };
        let modalities = modalities(&row.modalities)?;
        Ok(Some(ExtractTask { interview_id: row.interview_id, answer, language: row.language, modalities }))
    }

    async fn was_ended(&self, lease: &Lease) -> Result<bool, StoreError> {
        let state = sqlx::query_scalar!("select state from hirenet.jobs where job = $1", lease.job);
        Ok(state.fetch_optional(&self.pool).await?.as_deref() == Some("erased"))
    }

    /// What the stage `score` needs.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn score_task(&self, lease: &Lease) -> Result<ScoreTask, StoreError> {
        let mut tx = self.enter(lease).await?;
        let row = sqlx::query!(
            r#"select i.tenant, i.interview_id, i.candidate as "candidate!", i.position_id as "position_id!", p.title,
                i.language, i.consent as "consent!", i.retention_days as "retention_days!", i.modalities, i.reasons,
                (select job_id from hirenet.submissions where interview = i.interview and request = 'submitted')
                    as "job_id!",
                coalesce(j.bundle, (select sha256 from hirenet.bundles where active)) as bundle
            from hirenet.jobs j
            join hirenet.interviews i on i.interview = j.interview
            join hirenet.positions p on p.tenant = i.tenant and p.position_id = i.position_id
            where j.job = $1"#,
            lease.job
        )
        .fetch_one(&mut *tx)
        .await?;
        let modalities = modalities(&row.modalities)?;
        let answers = answers(&mut tx, lease, &modalities).await?;
        tx.commit().await?;
        let interview = Interview {
            job_id: row.job_id,
            tenant: row.tenant,
            interview_id: row.interview_id,
            candidate: row.candidate,
            position: Position { id: row.position_id, title: row.title },
            language: row.language,
            consent: read("consent", row.consent)?,
            retention_days: row.retention_days as u32,
            answers: answers.iter().map(|a| a.answer.clone()).collect(),
        };
        let reasons = read("reasons", row.reasons)?;
        Ok(ScoreTask { interview, modalities, reasons, answers, bundle: row.bundle })
    }
}

/// Every answer with what is stored of it, and of that what consent allows now.
async fn answers(tx: &mut Tx, lease: &Lease, allowed: &BTreeSet<Modality>) -> Result<Vec<StoredAnswer>, StoreError> {
    let rows = sqlx::query!(
        r#"select a.answer, a.answer_id, a.question, a.media, a.sha256, a.take, a.given_transcript, a.state, a.duration_s,
            a.media_sha256, a.reasons, a.timings, a.models, t.words as "words?"
        from hirenet.answers a left join hirenet.transcripts t on t.interview = a.interview and t.answer = a.answer
        where a.interview = $1 order by a.answer"#,
        lease.interview
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut tracks = tracks(tx, lease, allowed).await?;
    rows.into_iter()
        .map(|row| {
            let mut reasons: Vec<hirenet_core::Reason> = read("reasons", row.reasons)?;
            reasons.retain(|r| r.modality.is_none_or(|m| allowed.contains(&m)));
            let outcome = ExtractOutcome {
                duration_s: row.duration_s,
                media_sha256: row.media_sha256,
                transcript: row
                    .words
                    .filter(|_| allowed.contains(&Modality::Verbal))
                    .map(|words| read("transcript", words))
                    .transpose()?,
                tracks: tracks.remove(&row.answer).unwrap_or_default(),
                reasons,
                timings: read("timings", row.timings)?,
                models: read("models", row.models)?,
            };
            let answer = Answer {
                id: row.answer_id,
                question: row.question,
                media: row.media,
                sha256: row.sha256,
                transcript: row.given_transcript.map(|given| read("transcript", given)).transpose()?,
                take: row.take.map(|take| take as u32),
            };
            let extraction = StoredExtraction { extracted: row.state == "extracted", outcome };
            Ok(StoredAnswer { index: row.answer, answer, extraction })
        })
        .collect()
}

async fn tracks(
    tx: &mut Tx,
    lease: &Lease,
    allowed: &BTreeSet<Modality>,
) -> Result<BTreeMap<i32, Vec<StoredTrack>>, StoreError> {
    let rows = sqlx::query!(
        r#"select answer, modality, schema_id, rows, valid_rows, bytes from hirenet.tracks
        where interview = $1 and modality = any($2)
        order by answer, array_position(array['verbal', 'vocal', 'visual'], modality)"#,
        lease.interview,
        &allowed.iter().map(ToString::to_string).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut tracks: BTreeMap<i32, Vec<StoredTrack>> = BTreeMap::new();
    for row in rows {
        let track = StoredTrack {
            modality: modality(&row.modality)?,
            schema: row.schema_id,
            rows: row.rows,
            valid_rows: row.valid_rows,
            bytes: row.bytes,
        };
        tracks.entry(row.answer).or_default().push(track);
    }
    Ok(tracks)
}

/// A stored JSON value as its type.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, value: Value) -> Result<T, StoreError> {
    // The error's words may quote the value: its class alone is told.
    serde_json::from_value(value).map_err(|error| StoreError::corrupt(what, format!("{:?}", error.classify())))
}

pub(crate) fn modality(text: &str) -> Result<Modality, StoreError> {
    let found = Modality::ALL.into_iter().find(|modality| modality.as_str() == text);
    found.ok_or_else(|| StoreError::corrupt("modality", "it is not one of the three"))
}

pub(crate) fn modalities(texts: &[String]) -> Result<BTreeSet<Modality>, StoreError> {
    texts.iter().map(|text| modality(text)).collect()
}
