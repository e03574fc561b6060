use crate::{RescoreScope, Store, StoreError};

impl Store {
    /// Puts a score job on its way for every assessed interview in `scope` that has no current assessment under `bundle`
    /// and no such job yet. Nothing is extracted anew, no event follows. Returns the number of jobs.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rescore(&self, bundle: &str, scope: &RescoreScope) -> Result<u64, StoreError> {
        let tenants = match &scope.tenant {
            Some(tenant) => vec![tenant.clone()],
            None => self.tenants().await?,
        };
        let mut jobs = 0;
        for tenant in tenants {
            let mut tx = self.in_tenant(&tenant).await?;
            let made = sqlx::query!(
                r#"with job as (
                    insert into hirenet.jobs (tenant, interview, interview_id, stage, bundle, priority)
                    select i.tenant, i.interview, i.interview_id, 'score', $2, 'bulk' from hirenet.interviews i
                    where i.tenant = $1 and i.status in ('scored', 'partial') and ($3::text is null or i.position_id = $3)
                        and ($4::timestamptz is null or i.received_at >= $4)
                        and not exists (select from hirenet.assessments a where a.interview = i.interview
                            and a.bundle = $2 and a.superseded_at is null)
                        and not exists (select from hirenet.jobs j where j.interview = i.interview and j.bundle = $2
                            and j.state in ('ready', 'running'))
                    returning job, tenant, interview)
                insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload)
                select interview, interview, 'stage', 'score.bulk', 'job',
                    json_build_object('version', 1, 'job', job, 'tenant', tenant, 'stage', 'score')
                from job"#,
                tenant,
                bundle,
                scope.position,
                scope.since
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            jobs += made.rows_affected();
        }
        self.filled.notify_one();
        Ok(jobs)
    }
}
