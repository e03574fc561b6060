//! The invariants of docs/invariants.md, asked of the database.

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
            note(2, missing_pieces(&mut tx).await?);
            note(3, repeatable(&mut tx).await?);
            note(21, ends_of_interviews(&mut tx).await?);
            note(22, committed_together(&mut tx).await?);
            note(23, never_overwritten(&mut tx).await?);
            note(29, left_after_erasure(&mut tx).await?);
            note(30, against_consent(&mut tx).await?);
            tx.commit().await?;
        }
        Ok(found)
    }

    async fn snapshot(&self, tenant: &str) -> Result<Tx, StoreError> {
        let mut tx = self.pool.begin_with("begin isolation level repeatable read, read only").await?;
        sqlx::query_scalar!("select set_config('hirenet.tenant', $1, true)", tenant).fetch_one(&mut *tx).await?;
        Ok(tx)
    }

    /// Nothing that is written infers an emotion, a mood or a personality: names of columns and schemas say so.
    async fn forbidden_words(&self) -> Result<Vec<Broken>, StoreError> {
        let rows = sqlx::query_as!(
            Broken,
            r#"select 'a name speaks of emotion, mood or personality' as "what!", name as "row!" from (
                select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'hirenet'
                union all select sha256 || ' ' || value from hirenet.bundles, jsonb_each_text(
                    case when jsonb_typeof(card -> 'schemas') = 'object' then card -> 'schemas' else '{}' end)) as names
            where name ~* '(emotion|mood|valence|arousal|personalit|stress)'"#
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// A submission ends once, with one event. (That an end has its event is a constraint of the table.)
    async fn ends(&self) -> Result<Vec<Broken>, StoreError> {
        let rows = sqlx::query_as!(
            Broken,
            r#"select 'a submission is open, and nothing of it is on its way' as "what!", job_id::text as "row!"
            from hirenet.submissions s
            where state = 'open' and not exists (
                select from hirenet.jobs j where j.interview = s.interview and j.state in ('ready', 'running'))
            union all
            select 'an event speaks of another end than its submission', s.job_id::text
            from hirenet.outbox o join hirenet.submissions s on s.event = o.id
            where o.payload ->> 'status' <> s.state
            union all
            select 'an event belongs to no submission', o.id::text
            from hirenet.outbox o left join hirenet.submissions s on s.event = o.id
            where o.destination = 'event' and s.event is null"#
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// A claim is a lease with an attempt of its own; no transaction of the program is open for long.
    async fn leases(&self) -> Result<Vec<Broken>, StoreError> {
        let rows = sqlx::query_as!(
            Broken,
            r#"select 'a running job has no running attempt under its fencing number' as "what!", j.job::text as "row!"
            from hirenet.jobs j left join hirenet.attempts a on a.job = j.job and a.attempt = j.attempts
            where j.state = 'running' and (a.outcome is distinct from 'running' or a.fence <> j.fence)
            union all
            select 'an attempt runs on a job that does not', j.job::text
            from hirenet.attempts a join hirenet.jobs j on j.job = a.job
            where a.outcome = 'running' and (j.state <> 'running' or a.attempt <> j.attempts)
            union all
            select 'a transaction of the program has been open for ten minutes', pid::text
            from pg_stat_activity
            where application_name = 'hirenet' and datname = current_database() and xact_start < now() - interval '10 minutes'"#
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }
}

/// A missing piece makes a score partial with reasons.
async fn missing_pieces(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'an assessment without a whole score gives no reason' as "what!", assessment::text as "row!"
        from hirenet.assessments where status <> 'scored' and reasons = '[]'
        union all
        select 'a scored assessment lacks pieces', a.assessment::text
        from hirenet.assessments a
        where a.status = 'scored' and a.superseded_at is null and exists (
            select from hirenet.answers n where n.interview = a.interview and n.state = 'failed')
        union all
        select 'a score is not a number between 0 and 1', assessment::text from hirenet.assessments
        where not coalesce(score between 0 and 1, true) or not coalesce(score_low between 0 and score_high, true)"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// The same evidence, software and bundle give the same result.
async fn repeatable(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'the same input under the same bundle gave two results' as "what!", min(assessment)::text as "row!"
        from hirenet.assessments group by interview, bundle, input_sha256 having count(distinct result_sha256) > 1"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

async fn ends_of_interviews(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'an interview has ended, and a submission of it has not' as "what!", i.interview::text as "row!"
        from hirenet.interviews i join hirenet.submissions s on s.interview = i.interview and s.state = 'open'
        where i.status not in ('queued', 'working')
        union all
        select 'an interview is under way, and no submission of it is open', i.interview::text
        from hirenet.interviews i
        where i.status in ('queued', 'working') and not exists (
            select from hirenet.submissions s where s.interview = i.interview and s.state = 'open')"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// Results, attempt and outbox are committed together.
async fn committed_together(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'an assessment has no attempt that made it' as "what!", a.assessment::text as "row!"
        from hirenet.assessments a where not exists (
            select from hirenet.jobs j join hirenet.attempts t on t.job = j.job
            where j.interview = a.interview and j.stage = 'score' and t.outcome = 'done')
        union all
        select 'an answer is extracted, and its job is not done', n.interview::text || ' ' || n.answer
        from hirenet.answers n where n.state = 'extracted' and not exists (
            select from hirenet.jobs j join hirenet.attempts t on t.job = j.job and t.outcome = 'done'
            where j.interview = n.interview and j.answer = n.answer and j.state in ('done', 'erased'))
        union all
        select 'a job is done, and its answer waits', j.job::text
        from hirenet.jobs j join hirenet.answers n on n.interview = j.interview and n.answer = j.answer
        where j.state = 'done' and n.state = 'waiting'
        union all
        select 'there are tracks of an answer that is not extracted', n.interview::text || ' ' || n.answer
        from hirenet.answers n where n.state <> 'extracted' and exists (
            select from hirenet.tracks t where t.interview = n.interview and t.answer = n.answer)
        union all
        select 'an interview is scored, and no assessment of it was ever made', i.interview::text
        from hirenet.interviews i where i.status in ('scored', 'partial') and not exists (
            select from hirenet.assessments a where a.interview = i.interview and a.status = i.status)"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// The audit has seen every result that is there: one that was written over would be unknown to it.
async fn never_overwritten(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'a score is not the one that was written' as "what!", a.assessment::text as "row!"
        from hirenet.assessments a where not exists (
            select from hirenet.audit t where t.interview = a.interview and t.action = 'assessed' and t.bundle = a.bundle
                and t.result_sha256 = a.result_sha256 and t.input_sha256 = a.input_sha256)"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// After an erasure nothing is left but the skeleton.
async fn left_after_erasure(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"with erased as (select interview, tenant, interview_id from hirenet.interviews where status = 'erased')
        select 'something of an erased interview is left in ' || t.name as "what!", t.interview::text as "row!" from (
            select interview, 'answers' as name from hirenet.answers
            union all select interview, 'transcripts' from hirenet.transcripts
            union all select interview, 'tracks' from hirenet.tracks
            union all select interview, 'assessments' from hirenet.assessments
            union all select interview, 'reviews' from hirenet.reviews
            union all select interview, 'jobs' from hirenet.jobs where state <> 'erased' or detail is not null
            union all select j.interview, 'attempts' from hirenet.attempts a join hirenet.jobs j on j.job = a.job
                where a.detail is not null
            union all select interview, 'outbox' from hirenet.outbox where destination in ('stage', 'wait')) as t
        join erased on erased.interview = t.interview
        union all
        select 'a decision about an erased interview is left', erased.interview::text from erased
        join hirenet.recruiter_decisions d on d.tenant = erased.tenant and d.interview_id = erased.interview_id
        union all
        select 'an interview came back after its erasure', i.interview::text from hirenet.interviews i
        where i.status <> 'erased' and exists (
            select from hirenet.erasures e where e.tenant = i.tenant and e.interview_id = i.interview_id)
        union all
        select 'an erasure is past its deadline', erasure::text from hirenet.erasures
        where done_at is null and deadline < now() and tenant = current_setting('hirenet.tenant', true)"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// What was not consented to, or no longer is, is not stored.
async fn against_consent(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'there is a track without consent' as "what!", t.interview::text || ' ' || t.answer as "row!"
        from hirenet.tracks t join hirenet.interviews i on i.interview = t.interview
        where t.modality <> all (i.modalities)
        union all
        select 'there are words without consent', t.interview::text || ' ' || t.answer
        from hirenet.transcripts t join hirenet.interviews i on i.interview = t.interview
        where 'verbal' <> all (i.modalities)"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}
