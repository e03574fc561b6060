use std::time::Duration;

use crate::jobs::{priority, stage};
use crate::{JobCount, OutboxState, Status, Store, StoreError, StuckJob, WorkerRow};

impl Store {
    /// What waits, runs, and does not move for `stuck_after`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn status(&self, stuck_after: Duration) -> Result<Status, StoreError> {
        let counts = sqlx::query!(
            r#"select
                (select count(*) from hirenet.submissions where final_at is null) as "open!",
                (select count(*) from hirenet.erasures where done_at is null and deadline < now()) as "overdue!""#
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Status {
            jobs: self.job_counts().await?,
            workers: self.workers().await?,
            stuck: self.stuck_jobs(stuck_after).await?,
            outbox: self.outbox_state().await?,
            open_submissions: counts.open,
            overdue_erasures: counts.overdue,
        })
    }

    /// What waits to be published.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn outbox_state(&self) -> Result<OutboxState, StoreError> {
        let state = sqlx::query_as!(
            OutboxState,
            r#"select count(*) as "rows!",
                coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as "oldest_s!"
            from hirenet.outbox"#
        );
        Ok(state.fetch_one(&self.pool).await?)
    }

    async fn job_counts(&self) -> Result<Vec<JobCount>, StoreError> {
        let rows = sqlx::query!(
            r#"select stage, priority, state, count(*) as "jobs!",
                coalesce(extract(epoch from clock_timestamp() - min(moved_at)), 0)::float8 as "oldest_s!"
            from hirenet.jobs where ended_at is null or (state = 'failed' and code is not null and ended_at is not null)
            group by stage, priority, state
            order by stage, priority, state"#
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(JobCount {
                    stage: stage(&row.stage)?,
                    priority: priority(&row.priority)?,
                    state: row.state,
                    jobs: row.jobs,
                    oldest_s: row.oldest_s,
                })
            })
            .collect()
    }

    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        let rows = sqlx::query_as!(
            WorkerRow,
            r#"select w.worker, w.host, w.version, w.stages, w.slots, w.started_at, w.seen_at, w.stopped_at,
                (select count(*) from hirenet.jobs j where j.worker = w.worker and j.state = 'running'
                    and j.ended_at is null) as "running!"
            from hirenet.workers w where w.seen_at > now() - interval '1 day' order by w.started_at desc"#
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    async fn stuck_jobs(&self, stuck_after: Duration) -> Result<Vec<StuckJob>, StoreError> {
        let rows = sqlx::query!(
            r#"select job, stage, state, interview_id, attempts, deaths, code,
                extract(epoch from clock_timestamp() - moved_at)::float8 as "still_s!"
            from hirenet.jobs
            where ended_at is null and ((state = 'running' and lease_until < clock_timestamp())
                or (state = 'ready' and moved_at < now() - make_interval(secs => $1)))
            order by moved_at limit 100"#,
            stuck_after.as_secs_f64()
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(StuckJob {
                    job: row.job,
                    stage: stage(&row.stage)?,
                    state: row.state,
                    interview_id: row.interview_id,
                    attempts: row.attempts,
                    deaths: row.deaths,
                    code: row.code,
                    still_s: row.still_s,
                })
            })
            .collect()
    }
}
