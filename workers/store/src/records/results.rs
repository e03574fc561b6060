use crate::{ResultFilter, ResultRow, Store, StoreError};

impl Store {
    /// Rows of the view `interview_results`, by position and rank.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn results(&self, filter: &ResultFilter) -> Result<Vec<ResultRow>, StoreError> {
        let mut tx = self.in_tenant(filter.tenant.as_deref().unwrap_or_default()).await?;
        let rows = sqlx::query_as!(
            ResultRow,
            r#"select interview_id as "interview_id!", position_id, position_title, candidate, status as "status!", score,
                score_low, score_high, verbal_score, vocal_score, visual_score, rank, comparable, percentile, rank_basis,
                completeness, reasons as "reasons!", top_spans as "top_spans!", bundle_name, bundle_version, bundle_kind,
                bundle_sha256, software, received_at as "received_at!", final_at, assessed_at, changed_at as "changed_at!",
                review as "review!", reviewed_by, reviewed_at, override as own_view
            from hirenet.interview_results
            where ($1::text is null or position_id = $1) and ($2::timestamptz is null or changed_at > $2)
            order by position_id, rank nulls last, interview_id limit $3"#,
            filter.position,
            filter.changed_after,
            filter.limit
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// The tenant whose rows of the views this login is shown where it asks for those of `tenant`; `None` where it is shown
    /// none. The login decides.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn viewer_tenant(&self, tenant: &str) -> Result<Option<String>, StoreError> {
        let mut tx = self.in_tenant(tenant).await?;
        let shown = sqlx::query_scalar!("select hirenet.viewer_tenant()").fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(shown)
    }
}
