use std::collections::BTreeMap;

use uuid::Uuid;

use crate::jobs::{Tx, modality, read};
use crate::{ExportedAnswer, ExportedInterview, Store, StoreError, StoredTrack};

impl Store {
    /// Up to `limit` interviews of a tenant that have tracks or words, after the interview id `after`, in the order of
    /// ids, with the recruiter's decision where the table `recruiter_decisions` has one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn export(&self, tenant: &str, after: &str, limit: i64) -> Result<Vec<ExportedInterview>, StoreError> {
        let mut tx = self.in_tenant(tenant).await?;
        let rows = sqlx::query!(
            r#"select i.interview, i.interview_id, i.position_id as "position!", p.title, i.received_at,
                d.selected as "selected?"
            from hirenet.interviews i
            join hirenet.positions p on p.tenant = i.tenant and p.position_id = i.position_id
            left join hirenet.recruiter_decisions d on d.tenant = i.tenant and d.interview_id = i.interview_id
            where i.tenant = $1 and i.interview_id > $2 and i.status in ('scored', 'partial')
            order by i.interview_id limit $3"#,
            tenant,
            after,
            limit
        )
        .fetch_all(&mut *tx)
        .await?;
        let mut interviews = Vec::with_capacity(rows.len());
        for row in rows {
            interviews.push(ExportedInterview {
                tenant: tenant.to_owned(),
                interview_id: row.interview_id,
                position: row.position,
                title: row.title,
                selected: row.selected,
                received_at: row.received_at,
                answers: answers(&mut tx, row.interview).await?,
            });
        }
        tx.commit().await?;
        Ok(interviews)
    }
}

async fn answers(tx: &mut Tx, interview: Uuid) -> Result<Vec<ExportedAnswer>, StoreError> {
    let mut tracks: BTreeMap<i32, Vec<StoredTrack>> = BTreeMap::new();
    let rows = sqlx::query!(
        "select answer, modality, schema_id, rows, valid_rows, bytes from hirenet.tracks where interview = $1
        order by answer, array_position(array['verbal', 'vocal', 'visual'], modality)",
        interview
    );
    for row in rows.fetch_all(&mut **tx).await? {
        let track = StoredTrack {
            modality: modality(&row.modality)?,
            schema: row.schema_id,
            rows: row.rows,
            valid_rows: row.valid_rows,
            bytes: row.bytes,
        };
        tracks.entry(row.answer).or_default().push(track);
    }
    let rows = sqlx::query!(
        r#"select a.answer, a.answer_id, a.question, a.duration_s, t.words as "words?" from hirenet.answers a
        left join hirenet.transcripts t on t.interview = a.interview and t.answer = a.answer
        where a.interview = $1 order by a.answer"#,
        interview
    );
    let answer = |row: (i32, String, String, Option<f64>, Option<serde_json::Value>)| {
        let (index, id, question, duration_s, words) = row;
        Ok(ExportedAnswer {
            id,
            question,
            duration_s,
            transcript: words.map(|words| read("transcript", words)).transpose()?,
            tracks: tracks.remove(&index).unwrap_or_default(),
        })
    };
    let rows = rows.fetch_all(&mut **tx).await?;
    rows.into_iter().map(|r| (r.answer, r.answer_id, r.question, r.duration_s, r.words)).map(answer).collect()
}
