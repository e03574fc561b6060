-- Bias audit views (6 RCNY 5-300 to 5-304; 29 CFR 1607.4(D); 820 ILCS 42/20). They count; they never name a candidate.
--
-- Sample: interviews with a score under a bundle, in the year from 1 December to 30 November in which they were received.
-- A category's share counts against the whole sample, people of unknown category included; below 2 % it is left out of the
-- ratio, and its count and rate are shown all the same.
grant create on schema hirenet to hirenet_views;

set local role hirenet_owner;

-- Two-sided p-value of a standard normal z, by Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
create function hirenet.two_sided(z float8) returns float8
language sql immutable strict parallel safe as $$
    select ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * exp(-z * z / 2)
    from (select 1 / (1 + 0.3275911 * abs(z) / sqrt(2::float8)) as t) as s
$$;
comment on function hirenet.two_sided(float8) is 'Two-sided p-value of a standard normal z; absolute error below 1.5e-7';

reset role;
set local role hirenet_views;

-- What the two views count, by measure: `selection` hits where a recruiter selected, `scoring` where the score is strictly
-- above the median of the whole sample. Not for people: they read the views below.
create view hirenet.bias_rates with (security_barrier) as
with scored as (
    select a.tenant, a.bundle, a.score, d.sex, d.race_ethnicity, r.selected,
        extract(year from i.received_at at time zone 'utc' + interval '1 month')::int as year
    from hirenet.assessments a
    join hirenet.interviews i on i.tenant = a.tenant and i.interview = a.interview
    left join hirenet.demographics d on d.tenant = i.tenant and d.interview_id = i.interview_id
    left join hirenet.recruiter_decisions r on r.tenant = i.tenant and r.interview_id = i.interview_id
    where a.superseded_at is null and a.score is not null),
medians as (
    select tenant, bundle, year, percentile_cont(0.5) within group (order by score) as median, count(*) as sample
    from scored group by tenant, bundle, year),
counted as (
    select s.tenant, s.bundle, s.year, m.measure, g.grouping, coalesce(g.category, 'unknown') as category,
        min(d.sample) as sample, count(*) as n, count(*) filter (where m.hit) as hits,
        count(*) filter (where s.selected is null) as undecided,
        g.category is not null and count(*) * 50 >= min(d.sample) as in_ratio
    from scored s
    join medians d using (tenant, bundle, year)
    cross join lateral (values
        ('selection', coalesce(s.selected, false)),
        ('scoring', s.score > d.median)) as m(measure, hit)
    cross join lateral (values
        ('sex', s.sex),
        ('race_ethnicity', s.race_ethnicity),
        ('sex x race_ethnicity', s.sex || ' x ' || s.race_ethnicity)) as g(grouping, category)
    group by s.tenant, s.bundle, s.year, m.measure, g.grouping, g.category),
beside_best as (
    select *, first_value(hits) over best as best_hits, first_value(n) over best as best_n
    from counted
    window best as (
        partition by tenant, bundle, year, measure, grouping order by in_ratio desc, hits::float8 / n desc, n desc)),
tested as (
    select *, hits::float8 / n as rate, best_hits::float8 / best_n as best_rate,
        (hits + best_hits)::float8 / (n + best_n) as pooled
    from beside_best)
select
    t.measure, b.name as bundle_name, b.version as bundle_version, b.sha256 as bundle_sha256,
    make_date(t.year - 1, 12, 1) as period_start, make_date(t.year, 11, 30) as period_end,
    t.grouping, t.category, t.sample, t.n, t.hits, t.undecided, t.rate, not t.in_ratio as excluded,
    case when t.in_ratio and t.best_rate > 0 then t.rate / t.best_rate end as impact_ratio,
    case when t.in_ratio and t.best_rate > 0 then t.rate / t.best_rate < 0.8 end as below_four_fifths,
    case when t.in_ratio and t.pooled > 0 and t.pooled < 1 then hirenet.two_sided(
        (t.rate - t.best_rate) / sqrt(t.pooled * (1 - t.pooled) * (1.0 / t.n + 1.0 / t.best_n))) end as p_value
from tested t join hirenet.bundles b on b.sha256 = t.bundle;

create view hirenet.bias_selection with (security_barrier) as
select bundle_name, bundle_version, bundle_sha256, period_start, period_end, grouping, category, sample, n,
    undecided as n_undecided, hits as n_selected, rate as selection_rate, excluded, impact_ratio, below_four_fifths, p_value
from hirenet.bias_rates where measure = 'selection';

create view hirenet.bias_scoring with (security_barrier) as
select bundle_name, bundle_version, bundle_sha256, period_start, period_end, grouping, category, sample, n,
    hits as n_above_median, rate as scoring_rate, excluded, impact_ratio, below_four_fifths, p_value
from hirenet.bias_rates where measure = 'scoring';

comment on view hirenet.bias_rates is 'What bias_selection and bias_scoring count';
comment on view hirenet.bias_selection is
    'Selection rates by category, bundle and year, from recruiter_decisions: one row a category, `unknown` among them';
comment on view hirenet.bias_scoring is
    'Rates of scores above the median by category, bundle and year: one row a category, `unknown` among them';
do $$
declare
    shown text;
    meant record;
begin
    foreach shown in array array['bias_selection', 'bias_scoring', 'bias_rates'] loop
        for meant in select * from (values
            ('measure', 'selection or scoring'),
            ('bundle_name', 'Name of the bundle that scored'),
            ('bundle_version', 'Version of the bundle that scored'),
            ('bundle_sha256', 'SHA-256 of the bundle that scored'),
            ('period_start', 'First day of the year, 1 December, UTC'),
            ('period_end', 'Last day of the year, 30 November, UTC'),
            ('grouping', 'sex, race_ethnicity, or both crossed'),
            ('category', 'The category; unknown where the demographics do not say'),
            ('sample', 'Interviews with a score in this year under this bundle, of every category'),
            ('n', 'Interviews of the category'),
            ('undecided', 'Interviews of the category without a decision; they count as not selected'),
            ('n_undecided', 'Interviews of the category without a decision; they count as not selected'),
            ('hits', 'Interviews of the category that count for the measure'),
            ('n_selected', 'Interviews of the category that a recruiter selected'),
            ('n_above_median', 'Interviews of the category with a score strictly above the median of the whole sample'),
            ('rate', 'hits / n, 0 to 1'),
            ('selection_rate', 'n_selected / n, 0 to 1'),
            ('scoring_rate', 'n_above_median / n, 0 to 1'),
            ('excluded', 'True where the category is unknown or below 2 % of the sample: it has no ratio'),
            ('impact_ratio', 'Rate divided by the highest rate of a category that is not excluded; null where excluded'),
            ('below_four_fifths', 'True where the ratio is below 0.8: generally taken as evidence of adverse impact'),
            ('p_value', 'Two-sided z test against the category of the highest rate, 0 to 1; weak for small n'))
            as c(name, meaning) loop
            if exists (select from pg_attribute where attrelid = format('hirenet.%I', shown)::regclass
                and attname = meant.name and not attisdropped) then
                execute format('comment on column hirenet.%I.%I is %L', shown, meant.name, meant.meaning);
            end if;
        end loop;
    end loop;
end
$$;

grant select on hirenet.bias_selection, hirenet.bias_scoring to hirenet_recruiter;

reset role;
grant execute on function hirenet.two_sided(float8) to public;
revoke create on schema hirenet from hirenet_views;

update hirenet.schema_version set version = 5;
