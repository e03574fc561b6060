use std::collections::BTreeSet;
use std::mem::take;

use hirenet_core::{Answer, Interview, Modality, Position, Reason};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Evidence, ExtractOutcome, ExtractTask, Lease, ScoreTask, Store, StoreError, StoredAnswer, StoredExtraction,
    StoredTrack,
};

impl Store {
    /// What the stage `extract` needs; `None` where the job was ended meanwhile by an erasure or a withdrawal of consent:
    /// nothing may be fetched. The job is not locked: whoever stores what comes of it asks for the lease again.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn extract_task(&self, lease: &Lease) -> Result<Option<ExtractTask>, StoreError> {
        let mut connection = self.connection().await?;
        let row = sqlx::query!(
            r#"select interview_id as "interview_id!", language, modalities as "modalities!", answer_id as "answer_id!",
                question as "question!", media as "media!", sha256, take, given_transcript
            from hirenet.extract_task($1, $2, $3)"#,
            lease.tenant,
            lease.job,
            lease.fence
        )
        .fetch_optional(&mut *connection)
        .await?;
        self.keep(connection);
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

    /// What the stage `score` needs. As in [`Store::extract_task`], the job is not locked.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails.
    pub async fn score_task(&self, lease: &Lease) -> Result<ScoreTask, StoreError> {
        let mut connection = self.connection().await?;
        let mut rows = sqlx::query_as!(
            ScoreRow,
            r#"select interview_id as "interview_id!", candidate as "candidate!", position_id as "position_id!",
                title as "title!", language, consent as "consent!", retention_days as "retention_days!",
                modalities as "modalities!", interview_reasons as "interview_reasons!", job_id as "job_id!", bundle, evidence,
                answer as "answer!", answer_id as "answer_id!", question as "question!", media as "media!", sha256, take,
                given_transcript, extracted as "extracted!", duration_s, media_sha256, reasons as "reasons!",
                timings as "timings!", models as "models!", words, coalesce(track_modalities, '{}') as "track_modalities!",
                coalesce(track_schemas, '{}') as "track_schemas!", coalesce(track_rows, '{}') as "track_rows!",
                coalesce(track_valid_rows, '{}') as "track_valid_rows!", coalesce(track_bytes, '{}') as "track_bytes!"
            from hirenet.score_task($1, $2)"#,
            lease.job,
            lease.fence
        )
        .fetch_all(&mut *connection)
        .await?;
        self.keep(connection);
        let Some(first) = rows.first_mut() else { return Err(StoreError::LeaseLost(lease.job)) };
        let mut interview = Interview {
            job_id: first.job_id,
            tenant: lease.tenant.clone(),
            interview_id: take(&mut first.interview_id),
            candidate: take(&mut first.candidate),
            position: Position { id: take(&mut first.position_id), title: take(&mut first.title) },
            language: first.language.take(),
            consent: read("consent", first.consent.take())?,
            retention_days: first.retention_days as u32,
            answers: Vec::new(),
        };
        let reasons = read("reasons", first.interview_reasons.take())?;
        let bundle = first.bundle.take();
        let evidence = Evidence { pieces: first.evidence.take(), modalities: first.modalities.clone() };
        let modalities = modalities(&evidence.modalities)?;
        let answers: Vec<StoredAnswer> =
            rows.into_iter().map(|row| row.answer(&modalities)).collect::<Result<_, StoreError>>()?;
        interview.answers = answers.iter().map(|a| a.answer.clone()).collect();
        Ok(ScoreTask { interview, modalities, reasons, answers, bundle, evidence })
    }
}

/// An answer with what is stored of it, and beside it what is the same for every answer of its interview.
struct ScoreRow {
    interview_id: String,
    candidate: String,
    position_id: String,
    title: String,
    language: Option<String>,
    consent: Value,
    retention_days: i32,
    modalities: Vec<String>,
    interview_reasons: Value,
    job_id: Uuid,
    bundle: Option<String>,
    evidence: Option<String>,
    answer: i32,
    answer_id: String,
    question: String,
    media: String,
    sha256: Option<String>,
    take: Option<i32>,
    given_transcript: Option<Value>,
    extracted: bool,
    duration_s: Option<f64>,
    media_sha256: Option<String>,
    reasons: Value,
    timings: Value,
    models: Value,
    words: Option<Value>,
    track_modalities: Vec<String>,
    track_schemas: Vec<String>,
    track_rows: Vec<i32>,
    track_valid_rows: Vec<i32>,
    track_bytes: Vec<Vec<u8>>,
}

impl ScoreRow {
    /// The answer, and of what is stored of it what consent allows now.
    fn answer(self, allowed: &BTreeSet<Modality>) -> Result<StoredAnswer, StoreError> {
        let mut reasons: Vec<Reason> = read("reasons", self.reasons)?;
        reasons.retain(|r| r.modality.is_none_or(|m| allowed.contains(&m)));
        let words = self.words.filter(|_| allowed.contains(&Modality::Verbal));
        let counts = self.track_rows.into_iter().zip(self.track_valid_rows);
        let tracks = self
            .track_modalities
            .into_iter()
            .zip(self.track_schemas)
            .zip(counts)
            .zip(self.track_bytes)
            .map(|(((name, schema), (rows, valid_rows)), bytes)| {
                Ok(StoredTrack { modality: modality(&name)?, schema, rows, valid_rows, bytes })
            })
            .collect::<Result<_, StoreError>>()?;
        let outcome = ExtractOutcome {
            duration_s: self.duration_s,
            media_sha256: self.media_sha256,
            transcript: words.map(|words| read("transcript", words)).transpose()?,
            tracks,
            reasons,
            timings: read("timings", self.timings)?,
            models: read("models", self.models)?,
        };
        let answer = Answer {
            id: self.answer_id,
            question: self.question,
            media: self.media,
            sha256: self.sha256,
            transcript: self.given_transcript.map(|given| read("transcript", given)).transpose()?,
            take: self.take.map(|take| take as u32),
        };
        let extraction = StoredExtraction { extracted: self.extracted, outcome };
        Ok(StoredAnswer { index: self.answer, answer, extraction })
    }
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
