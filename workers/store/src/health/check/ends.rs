//! Submissions, jobs and attempts: everything ends once, and what belongs together is there together.

use super::{Broken, Tx};
use crate::{Store, StoreError};

impl Store {
    /// A submission ends once, with one event. (That an end has its event is a constraint of the table.)
    pub(super) async fn ends(&self) -> Result<Vec<Broken>, StoreError> {
        let rows = sqlx::query_as!(
            Broken,
            r#"select 'a submission is open, and nothing of it is on its way' as "what!", job_id::text as "row!"
            from hirenet.submissions s
            where final_at is null and not exists (
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

    /// A claim is a lease with a holder and an attempt to come; no transaction of the program is open for long.
    pub(super) async fn leases(&self) -> Result<Vec<Broken>, StoreError> {
        let rows = sqlx::query_as!(
            Broken,
            r#"select 'a running job does not say who has it and since when' as "what!", job::text as "row!"
            from hirenet.jobs where state = 'running' and (worker is null or claimed_at is null)
            union all
            select 'a job runs without a lease, or has one and does not run', job::text
            from hirenet.jobs where (state = 'running') <> (lease_until is not null)
            union all
            select 'a job extracts no answer, or scores one', job::text
            from hirenet.jobs where (stage = 'extract') <> (answer is not null)
            union all
            select 'the attempt of a running job has ended', j.job::text
            from hirenet.jobs j join hirenet.attempts a on a.job = j.job and a.attempt = j.attempts
            where j.state = 'running'
            union all
            select 'an attempt has a number that its job has not come to', j.job::text
            from hirenet.attempts a join hirenet.jobs j on j.job = a.job
            where a.attempt > j.attempts or a.fence > j.fence
            union all
            select 'an attempt belongs to no job', a.job::text
            from hirenet.attempts a left join hirenet.jobs j on j.job = a.job where j.job is null
            union all
            select 'a transaction of the program has been open for ten minutes', pid::text
            from pg_stat_activity
            where application_name = 'hirenet' and datname = current_database() and xact_start < now() - interval '10 minutes'"#
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }
}

/// An interview ends with its submissions, in the same state.
///
/// A submission may have ended otherwise than its interview stands now, but only where a replay or a withdrawal of consent
/// came later and ended with the state of now. An erased interview has its receipt instead: what had ended before keeps
/// its end.
pub(super) async fn ends_of_interviews(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'an interview has ended, and a submission of it has not' as "what!", i.interview::text as "row!"
        from hirenet.interviews i join hirenet.submissions s on s.interview = i.interview and s.state = 'open'
        where i.status not in ('queued', 'working')
        union all
        select 'an interview is under way, and no submission of it is open', i.interview::text
        from hirenet.interviews i
        where i.status in ('queued', 'working') and not exists (
            select from hirenet.submissions s where s.interview = i.interview and s.state = 'open')
        union all
        select 'an interview has ended, and no submission ended with it', i.interview::text
        from hirenet.interviews i
        where i.status not in ('queued', 'working', 'erased') and not exists (
            select from hirenet.submissions s where s.interview = i.interview and s.state in (i.status, 'open'))
        union all
        select 'a submission ended otherwise than its interview', s.job_id::text
        from hirenet.interviews i join hirenet.submissions s on s.interview = i.interview
        where i.status not in ('queued', 'working', 'erased') and s.state not in (i.status, 'open') and not exists (
            select from hirenet.submissions later where later.interview = i.interview and later.job_id <> s.job_id
                and later.request in ('replayed', 'withdrawn') and later.state in (i.status, 'open'))"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// Results, attempt and outbox are committed together.
pub(super) async fn committed_together(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
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
        select 'there is something of an answer that is not there', t.interview::text || ' ' || t.answer
        from (
            select interview, answer from hirenet.tracks union select interview, answer from hirenet.transcripts) as t
        left join hirenet.answers n on n.interview = t.interview and n.answer = t.answer where n.answer is null
        union all
        select 'a track counts more valid rows than it has rows', t.interview::text || ' ' || t.answer
        from hirenet.tracks t where t.valid_rows not between 0 and t.rows
        union all
        select 'an interview is scored, and no assessment of it was ever made', i.interview::text
        from hirenet.interviews i where i.status in ('scored', 'partial') and not exists (
            select from hirenet.assessments a where a.interview = i.interview and a.status = i.status)"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}
