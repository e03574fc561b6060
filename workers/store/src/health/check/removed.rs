//! What was erased stays away, and what was not consented to was never stored.

use hirenet_core::Consent;
use time::Duration;

use super::{Broken, Tx};
use crate::StoreError;

/// Longer than an admission can wait for an erasure of the same candidate: a statement is ended before that.
const LONGEST_WAIT: Duration = Duration::minutes(2);

/// After an erasure nothing is left but the skeleton.
///
/// Messages that still wait to be published may be left: they hold ids, codes, versions and times, and nothing else.
pub(super) async fn left_after_erasure(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
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
            union all select interview, 'outbox' from hirenet.outbox o
                where destination in ('stage', 'wait') or exists (
                    select from json_object_keys(case json_typeof(payload) when 'object' then payload else '{"": 0}' end) as k
                    where k <> all (array['version', 'event', 'event_id', 'job', 'job_id', 'request', 'tenant', 'interview',
                        'interview_id', 'stage', 'answer', 'kind', 'status', 'code', 'detail', 'reasons', 'bundle', 'at',
                        'attempts']))
            union all select left_over, 'demographics'
                from hirenet.demographics_after_erasure(current_setting('hirenet.tenant', true)) as left_over) as t
        join erased on erased.interview = t.interview
        union all
        select 'a decision about an erased interview is left', erased.interview::text from erased
        join hirenet.recruiter_decisions d on d.tenant = erased.tenant and d.interview_id = erased.interview_id
        union all
        select 'an erased interview has no receipt', erased.interview::text from erased
        where not exists (
            select from hirenet.erasures e where e.tenant = erased.tenant and e.interview_id = erased.interview_id
                and erased.interview = any (e.interviews))
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

/// Of a candidate who was erased, an interview can be there only with a consent that was given later.
pub(super) async fn back_after_erasure(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query!(
        r#"select i.interview, i.received_at, e.requested_at, i.consent
        from hirenet.interviews i
        join hirenet.erasures e on e.tenant = i.tenant
            and e.candidate_sha256 = encode(sha256(convert_to(i.tenant || chr(31) || i.candidate, 'UTF8')), 'hex')
        where i.status <> 'erased'"#
    );
    let mut broken: Vec<Broken> = Vec::new();
    for row in rows.fetch_all(&mut **tx).await? {
        // As admission reads it: an illegible time counts as old.
        let consent = row.consent.and_then(|consent| serde_json::from_value::<Consent>(consent).ok());
        let given_at = consent.and_then(|consent| consent.given());
        let before = row.received_at + LONGEST_WAIT < row.requested_at;
        if before || given_at.is_none_or(|given_at| given_at <= row.requested_at) {
            let what = "an interview of an erased candidate is there".to_owned();
            broken.push(Broken { what, row: row.interview.to_string() });
        }
    }
    broken.dedup_by(|a, b| a.row == b.row);
    Ok(broken)
}

/// What was not consented to, or no longer is, is not stored. (A withdrawal removes every assessment that was made with it.)
pub(super) async fn against_consent(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'there is a track without consent' as "what!", t.interview::text || ' ' || t.answer as "row!"
        from hirenet.tracks t join hirenet.interviews i on i.interview = t.interview
        where t.modality <> all (i.modalities)
        union all
        select 'there are words without consent', t.interview::text || ' ' || t.answer
        from hirenet.transcripts t join hirenet.interviews i on i.interview = t.interview
        where 'verbal' <> all (i.modalities)
        union all
        select 'there is a score without consent', a.assessment::text
        from hirenet.assessments a join hirenet.interviews i on i.interview = a.interview,
            lateral (values ('verbal', a.verbal_score), ('vocal', a.vocal_score), ('visual', a.visual_score))
                as s(modality, score)
        where s.score is not null and s.modality <> all (i.modalities)"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}
