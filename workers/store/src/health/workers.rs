use uuid::Uuid;

use crate::{Store, StoreError, WorkerBeat};

impl Store {
    /// Says that a worker lives.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn beat(&self, beat: &WorkerBeat<'_>) -> Result<(), StoreError> {
        sqlx::query!(
            r#"insert into hirenet.workers (worker, host, version, stages, slots) values ($1, $2, $3, $4, $5)
            on conflict (worker) do update set seen_at = now(), stages = excluded.stages, slots = excluded.slots"#,
            beat.worker,
            beat.host,
            beat.version,
            beat.stages,
            beat.slots
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Says that a worker ends in order.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn worker_stopped(&self, worker: Uuid) -> Result<(), StoreError> {
        sqlx::query!("update hirenet.workers set stopped_at = now(), seen_at = now() where worker = $1", worker)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
