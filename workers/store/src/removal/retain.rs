use hirenet_core::EraseTarget;
use uuid::Uuid;

use super::erase::{Erase, content_of_clock};
use crate::{Erasure, Request, Retained, RetentionDays, Store, StoreError};

/// An interview at the end of its retention.
struct Due {
    interview: Uuid,
    interview_id: String,
}

impl Store {
    /// Removes what has reached the end of its retention, at most `limit` rows of a class and tenant, on the database's
    /// clock. Interviews under legal hold stay. Safe to run by any number of workers at once.
    ///
    /// # Errors
    /// [`StoreError::Setting`] where `days` breaks a floor or ceiling, or where the database fails.
    pub async fn retain(&self, days: &RetentionDays, limit: i64) -> Result<Retained, StoreError> {
        days.validate()?;
        let mut retained = Retained::default();
        for tenant in self.tenants().await? {
            self.retain_tenant(&tenant, days, limit, &mut retained).await?;
        }
        let audit = sqlx::query_scalar!("select hirenet.retain_audit($1, $2)", days.audit as i32, limit);
        retained.audit = audit.fetch_one(&self.pool).await?.unwrap_or_default() as u64;
        Ok(retained)
    }

    /// Every tenant.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tenants(&self) -> Result<Vec<String>, StoreError> {
        let tenants = sqlx::query_scalar!("select tenant from hirenet.tenants order by tenant");
        Ok(tenants.fetch_all(&self.pool).await?)
    }

    async fn retain_tenant(
        &self,
        tenant: &str,
        days: &RetentionDays,
        limit: i64,
        retained: &mut Retained,
    ) -> Result<(), StoreError> {
        // A score is the last class with content: where it goes, the interview goes.
        let mut tx = self.in_tenant(tenant).await?;
        let due = sqlx::query_as!(
            Due,
            r#"select interview, interview_id from hirenet.interviews
            where tenant = $1 and status <> 'erased' and not legal_hold
                and received_at < now() - make_interval(days => least(retention_days, $2))
            order by received_at limit $3"#,
            tenant,
            days.scores as i32,
            limit
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        for Due { interview, interview_id } in due {
            let target = EraseTarget::Interview(interview_id);
            let content = content_of_clock(interview);
            // The job id is made of the interview: workers that look at once erase once.
            let erase = Erase {
                tenant,
                target: &target,
                job_id: interview,
                origin: content.as_str().into(),
                request: Request::Retention,
            };
            // Another worker may have been here in between.
            if matches!(self.erase_because(&erase).await?, Erasure::Erased { .. }) {
                retained.interviews += 1;
            }
        }
        let mut tx = self.in_tenant(tenant).await?;
        let tracks = sqlx::query!(
            r#"delete from hirenet.tracks where (interview, answer, modality) in (
                select t.interview, t.answer, t.modality from hirenet.tracks t
                join hirenet.interviews i on i.interview = t.interview
                where t.tenant = $1 and not i.legal_hold and t.modality <> 'verbal'
                    and i.received_at < now() - make_interval(days => $2)
                limit $3)"#,
            tenant,
            days.tracks as i32,
            limit
        );
        retained.tracks += tracks.execute(&mut *tx).await?.rows_affected();
        retained.transcripts += words(&mut tx, tenant, days, limit).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Words go everywhere they are: transcripts, human transcripts of the message, spans, and the spans that the view shows.
async fn words(tx: &mut crate::jobs::Tx, tenant: &str, days: &RetentionDays, limit: i64) -> Result<u64, StoreError> {
    let gone = sqlx::query_scalar!(
        r#"with old as (
            select t.interview, t.answer from hirenet.transcripts t join hirenet.interviews i on i.interview = t.interview
            where t.tenant = $1 and not i.legal_hold and i.received_at < now() - make_interval(days => $2) limit $3),
        gone as (
            delete from hirenet.transcripts t using old where t.interview = old.interview and t.answer = old.answer
            returning t.interview, t.answer),
        given as (
            update hirenet.answers a set given_transcript = null from old
            where a.interview = old.interview and a.answer = old.answer and given_transcript is not null),
        silent as (
            update hirenet.spans s set words = '' from hirenet.assessments a
            where a.assessment = s.assessment and a.interview in (select interview from old) and s.words <> ''),
        shown as (
            update hirenet.assessments a set top_spans = (
                select coalesce(jsonb_agg(span || '{"text": ""}'), '[]') from jsonb_array_elements(a.top_spans) as t(span))
            where a.interview in (select interview from old))
        select count(*) as "gone!" from gone"#,
        tenant,
        days.transcripts as i32,
        limit
    );
    Ok(gone.fetch_one(&mut **tx).await? as u64)
}
