//! The invariants of docs/invariants.md, asked of the database.

mod documents;
mod ends;
mod removed;
mod scores;

use sqlx::{Postgres, Transaction};

use crate::{Store, StoreError, Violation};

type Tx = Transaction<'static, Postgres>;

/// A row that breaks something.
struct Broken {
    what: String,
    row: String,
}

impl Store {
    /// Looks for rows that break what must always hold (docs/invariants.md, whose numbers it gives). Reads only. Jobs may
    /// be running: what is asked holds at every commit.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn check(&self) -> Result<Vec<Violation>, StoreError> {
        let mut found = Vec::new();
        let mut note = |invariant, rows: Vec<Broken>| {
            found.extend(rows.into_iter().map(|Broken { what, row }| Violation { invariant, what, row }));
        };
        note(10, self.forbidden_words().await?);
        note(21, self.ends().await?);
        note(24, self.leases().await?);
        for tenant in self.tenants().await? {
            // One snapshot for all of a tenant's questions.
            let mut tx = self.snapshot(&tenant).await?;
            note(2, scores::missing_pieces(&mut tx).await?);
            note(3, scores::repeatable(&mut tx).await?);
            note(4, scores::named(&mut tx).await?);
            note(21, ends::ends_of_interviews(&mut tx).await?);
            note(22, ends::committed_together(&mut tx).await?);
            note(23, scores::never_overwritten(&mut tx).await?);
            note(23, documents::differ(&mut tx).await?);
            note(29, removed::left_after_erasure(&mut tx).await?);
            note(29, removed::back_after_erasure(&mut tx).await?);
            note(30, removed::against_consent(&mut tx).await?);
            tx.commit().await?;
        }
        Ok(found)
    }

    async fn snapshot(&self, tenant: &str) -> Result<Tx, StoreError> {
        let mut tx = self.pool.begin_with("begin isolation level repeatable read, read only").await?;
        sqlx::query_scalar!("select set_config('hirenet.tenant', $1, true)", tenant).fetch_one(&mut *tx).await?;
        Ok(tx)
    }

    /// Nothing that is written infers an emotion, a mood or a personality: names of columns and schemas say so, and cards.
    ///
    /// A card is free text: what is looked for in it are beginnings of words that no bundle is loaded with, so that no
    /// card is reported that the program has taken.
    async fn forbidden_words(&self) -> Result<Vec<Broken>, StoreError> {
        let rows = sqlx::query_as!(
            Broken,
            r#"select 'a name speaks of emotion, mood or personality' as "what!", name as "row!" from (
                select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'hirenet'
                union all select sha256 || ' ' || value from hirenet.bundles, jsonb_each_text(
                    case when jsonb_typeof(card -> 'schemas') = 'object' then card -> 'schemas' else '{}' end)) as names
            where name ~* '(emotion|mood|valence|arousal|personalit|stress)'
            union all
            select 'a bundle speaks of emotion, mood or personality', sha256 from hirenet.bundles
            where concat_ws(' ', name, version, case jsonb_typeof(card) when 'object' then card - 'schemas' else card end) ~*
                '(^|[^[:alpha:]])(emotion|mood(?!le)|personalit|temperament|sentiment|valence|arousal|neurotic|extraver|extrover|introver)'"#
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }
}
