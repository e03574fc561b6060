use hirenet_core::Assessment;

use crate::jobs::read;
use crate::{Store, StoreError, StoredReport, unpack};

impl Store {
    /// The shown assessment of an interview, by the tenant's id of it; `None` where it has none. Words whose retention has
    /// ended are missing from it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn report(&self, tenant: &str, interview_id: &str) -> Result<Option<StoredReport>, StoreError> {
        let mut tx = self.in_tenant(tenant).await?;
        let row = sqlx::query!(
            r#"select a.assessment, a.interview, a.document, p.title from hirenet.interviews i
            join hirenet.assessments a on a.interview = i.interview and a.superseded_at is null
                and a.bundle = (select sha256 from hirenet.bundles where active)
            join hirenet.positions p on p.tenant = i.tenant and p.position_id = i.position_id
            where i.tenant = $1 and i.interview_id = $2"#,
            tenant,
            interview_id
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let mut assessment = unpacked(&row.document)?;
        let spans = sqlx::query!(
            "select ordinal, words from hirenet.spans where assessment = $1 order by ordinal",
            row.assessment
        );
        for span in spans.fetch_all(&mut *tx).await? {
            if let Some(stored) = assessment.spans.get_mut(span.ordinal as usize) {
                stored.text = span.words;
            }
        }
        let transcripts = sqlx::query!(
            "select answer, words from hirenet.transcripts where interview = $1 order by answer",
            row.interview
        );
        for transcript in transcripts.fetch_all(&mut *tx).await? {
            if let Some(answer) = assessment.answers.get_mut(transcript.answer as usize) {
                answer.transcript = Some(read("transcript", transcript.words)?);
            }
        }
        tx.commit().await?;
        Ok(Some(StoredReport { assessment, title: row.title }))
    }
}

/// Largest document in bytes: attention over three hours of answers is a hundredth of it.
const MAX_DOCUMENT: usize = 256 << 20;

fn unpacked(document: &[u8]) -> Result<Assessment, StoreError> {
    serde_json::from_slice(&document_json(document)?)
        .map_err(|error| StoreError::corrupt("assessment", format!("{:?}", error.classify())))
}

/// The JSON of a stored assessment.
pub(crate) fn document_json(document: &[u8]) -> Result<Vec<u8>, StoreError> {
    unpack(document, MAX_DOCUMENT).map_err(|error| StoreError::corrupt("assessment", error))
}
