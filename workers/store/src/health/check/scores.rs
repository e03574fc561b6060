//! Assessments and spans, as columns say them; what their documents say is compared in [`super::documents`].

use super::{Broken, Tx};
use crate::StoreError;

/// A missing piece makes a score partial with reasons, and a number is a number.
///
/// Two kinds of assessment may be whole without all pieces: a stand-in's, whose numbers mean nothing, and one that was
/// scored anew under another bundle after retention had taken tracks away.
pub(super) async fn missing_pieces(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    // NaN is above every number in Postgres' order: `between` with a NaN as its upper end holds for all.
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
        select 'a scored assessment is not complete', a.assessment::text
        from hirenet.assessments a
        where a.status = 'scored' and a.completeness < 1 and not a.reasons @> '[{"code": "stand_in"}]'
            and not exists (select from hirenet.jobs j where j.interview = a.interview and j.bundle = a.bundle)
        union all
        select 'a score is not a number between 0 and 1', assessment::text from hirenet.assessments,
            unnest(array[score, score_low, score_high, verbal_score, vocal_score, visual_score, completeness]) as n(number)
        where not number between 0 and 1
        union all
        select 'the range of a score has not two ends in order', assessment::text from hirenet.assessments
        where (score_low is null) <> (score_high is null) or score_low > score_high
        union all
        select 'a moment is not measured by numbers', assessment::text || ' ' || ordinal from hirenet.spans
        where weight = 'NaN' or not weight between 0 and 1.001 or influence in ('NaN', 'Infinity', '-Infinity')
            or start_s in ('NaN', 'Infinity', '-Infinity') or end_s in ('NaN', 'Infinity', '-Infinity')"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// The same evidence, software and bundle give the same result.
pub(super) async fn repeatable(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'the same input under the same bundle gave two results' as "what!", min(assessment)::text as "row!"
        from hirenet.assessments group by interview, bundle, input_sha256 having count(distinct result_sha256) > 1"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// Every score names what made it, and from what.
pub(super) async fn named(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'a score does not name its ' || n.thing as "what!", a.assessment::text as "row!"
        from hirenet.assessments a left join hirenet.bundles b on b.sha256 = a.bundle,
            lateral (values ('software', a.software), ('settings', a.settings_sha256), ('input', a.input_sha256),
                ('result', a.result_sha256), ('bundle', b.sha256), ('bundle', b.name)) as n(thing, name)
        where coalesce(btrim(n.name), '') = ''"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// One result stands under a bundle, and the audit has seen every result that is there: one that was written over would be
/// unknown to it. Where the audit's own retention has passed, it knows nothing any more.
pub(super) async fn never_overwritten(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query_as!(
        Broken,
        r#"select 'a score is not the one that was written' as "what!", a.assessment::text as "row!"
        from hirenet.assessments a
        where not exists (
            select from hirenet.audit t where t.interview = a.interview and t.action = 'assessed' and t.bundle = a.bundle
                and t.result_sha256 = a.result_sha256 and t.input_sha256 = a.input_sha256)
            -- Rows of the audit stay for 183 days at least, and go in their order.
            and (a.assessed_at > now() - interval '183 days'
                or a.assessed_at > (select min(at) from hirenet.audit) + interval '1 day')
        union all
        select 'two results of an interview stand under one bundle', min(assessment)::text
        from hirenet.assessments where superseded_at is null group by interview, bundle having count(*) > 1"#
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}
