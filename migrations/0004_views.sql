-- What people read. The views belong to `hirenet_views`, so that row-level security applies to what they read; see 0003.
grant create on schema hirenet to hirenet_views;
set local role hirenet_views;

-- Rank: among results of the same position under the active bundle that have a score and whose words were not heard with
-- low confidence. A result that lacks pieces is ranked with the others, and `rank_basis` says so: leaving it out would
-- punish who sent less, for example without a face waiver. Low confidence blocks the rank, not the candidate.
-- What the rank compares is read from two indexes alone; what one reader of a row reads (evidence, software) is a subquery, so
-- that of a position of thousands the first fifty cost fifty look-ups. For that the view is no security barrier: such a one
-- would compute the evidence of every row first. Row-level security on the tables below it is the barrier: its conditions come
-- before any function of a reader.
create view hirenet.interview_results as
select
    i.interview_id,
    i.position_id,
    p.title as position_title,
    i.candidate,
    case
        when a.status is not null then a.status
        when i.status in ('scored', 'partial') then 'queued'
        else i.status
    end as status,
    a.score,
    a.score_low,
    a.score_high,
    a.verbal_score,
    a.vocal_score,
    a.visual_score,
    a.rank,
    a.comparable,
    a.percentile,
    a.rank_basis,
    a.completeness,
    coalesce(
        (select e.reasons from hirenet.assessments e where e.assessment = a.assessment),
        (select e.reasons from hirenet.interviews e where e.interview = i.interview)) as reasons,
    coalesce((select e.top_spans from hirenet.assessments e where e.assessment = a.assessment), '[]') as top_spans,
    b.name as bundle_name,
    b.version as bundle_version,
    b.kind as bundle_kind,
    b.sha256 as bundle_sha256,
    (select e.software from hirenet.assessments e where e.assessment = a.assessment) as software,
    i.received_at,
    i.final_at,
    a.assessed_at,
    greatest(i.changed_at, a.assessed_at, v.reviewed_at) as changed_at,
    case when v.interview is null then 'not yet reviewed' when v.override is null then 'reviewed' else 'overridden' end
        as review,
    v.reviewed_by,
    v.reviewed_at,
    v.override
from hirenet.interviews i
left join hirenet.positions p on p.tenant = i.tenant and p.position_id = i.position_id
left join (
    select
        assessment, tenant, position_id, interview, bundle, status, score, score_low, score_high, verbal_score, vocal_score,
        visual_score, completeness, assessed_at,
        case when ranked then rank() over by_score end as rank,
        case when ranked then count(*) over alike end as comparable,
        case when ranked and count(*) over alike > 1
            then 100.0::float8 * (count(*) over alike - rank() over by_score) / (count(*) over alike - 1) end as percentile,
        case
            when score is null then null
            when not ranked then 'low_confidence'
            when status = 'scored' then 'complete'
            else 'partial'
        end as rank_basis
    from hirenet.assessments
    where superseded_at is null and bundle = (select sha256 from hirenet.bundles where active)
    window
        alike as (partition by tenant, position_id, ranked),
        by_score as (partition by tenant, position_id, ranked order by score desc)
) a on a.tenant = i.tenant and a.position_id = i.position_id and a.interview = i.interview
left join hirenet.bundles b on b.sha256 = a.bundle
left join hirenet.reviews v on v.tenant = i.tenant and v.interview = i.interview;

comment on view hirenet.interview_results is
    'One row an interview: what the active bundle says of it, and what a person said. Advice, never a decision.';
comment on column hirenet.interview_results.interview_id is 'The interview, as the tenant names it';
comment on column hirenet.interview_results.position_id is 'The position, as the tenant names it; null once erased';
comment on column hirenet.interview_results.position_title is 'Title of the position; null once erased';
comment on column hirenet.interview_results.candidate is 'The candidate''s pseudonym; null once erased';
comment on column hirenet.interview_results.status is
    'queued (also: waits for the active bundle), working, scored, partial (see reasons), refused, failed or erased';
comment on column hirenet.interview_results.score is 'Calibrated score under the active bundle, 0 to 1; null without evidence';
comment on column hirenet.interview_results.score_low is
    'Lowest score with one answer left out, 0 to 1; null with fewer than two answers';
comment on column hirenet.interview_results.score_high is
    'Highest score with one answer left out, 0 to 1; null with fewer than two answers';
comment on column hirenet.interview_results.verbal_score is 'Score of the words alone, 0 to 1; null where they are missing';
comment on column hirenet.interview_results.vocal_score is 'Score of the voice alone, 0 to 1; null where it is missing';
comment on column hirenet.interview_results.visual_score is 'Score of the face alone, 0 to 1; null where it is missing';
comment on column hirenet.interview_results.rank is
    'Place among the comparable results of the position, 1 = highest score; equal scores share a place';
comment on column hirenet.interview_results.comparable is
    'Number of comparable results: same position, same bundle, with a score, words not heard with low confidence';
comment on column hirenet.interview_results.percentile is
    'Share of the other comparable results that do not rank above this one, in percent; null where there is no other';
comment on column hirenet.interview_results.rank_basis is
    'complete, partial (ranked although pieces are missing), low_confidence (not ranked), or null without a score';
comment on column hirenet.interview_results.completeness is
    'Share of answers times modalities that the bundle asks for and that have evidence, 0 to 1';
comment on column hirenet.interview_results.reasons is
    'What is missing, refused, or to be read with care: JSON array of {code, answer, modality, detail}';
comment on column hirenet.interview_results.top_spans is
    'The strongest moments: JSON array of {answer, modality, start, end (seconds), weight (1), influence (logit), text}';
comment on column hirenet.interview_results.bundle_name is 'Name of the bundle that scored';
comment on column hirenet.interview_results.bundle_version is 'Version of the bundle that scored';
comment on column hirenet.interview_results.bundle_kind is
    'untrained (the numbers mean nothing), demo (synthetic data) or trained (recruiters'' decisions)';
comment on column hirenet.interview_results.bundle_sha256 is 'SHA-256 of the bundle that scored';
comment on column hirenet.interview_results.software is 'Program and version that scored';
comment on column hirenet.interview_results.received_at is 'When the interview was admitted';
comment on column hirenet.interview_results.final_at is 'When its first end was reached; null before';
comment on column hirenet.interview_results.assessed_at is 'When the shown score was made; null without one';
comment on column hirenet.interview_results.changed_at is 'When anything of this row last changed, but for rank and percentile';
comment on column hirenet.interview_results.review is 'not yet reviewed, reviewed, or overridden by a person';
comment on column hirenet.interview_results.reviewed_by is 'Login of the person who reviewed';
comment on column hirenet.interview_results.reviewed_at is 'When a person reviewed';
comment on column hirenet.interview_results.override is 'The person''s own view where it differs from the score';

create view hirenet.interview_moments with (security_barrier) as
select
    i.interview_id,
    i.position_id,
    s.ordinal + 1 as place,
    s.answer_id,
    n.answer + 1 as answer_number,
    n.question,
    s.modality,
    s.start_s,
    s.end_s,
    s.word_first,
    s.word_last,
    s.words,
    s.weight,
    s.influence
from hirenet.interviews i
join hirenet.assessments a on a.tenant = i.tenant and a.interview = i.interview and a.superseded_at is null
    and a.bundle = (select sha256 from hirenet.bundles where active)
join hirenet.spans s on s.tenant = a.tenant and s.assessment = a.assessment
join hirenet.answers n on n.tenant = i.tenant and n.interview = i.interview and n.answer_id = s.answer_id;

comment on view hirenet.interview_moments is 'One row a moment that mattered to the shown score';
comment on column hirenet.interview_moments.interview_id is 'The interview, as the tenant names it';
comment on column hirenet.interview_moments.position_id is 'The position, as the tenant names it';
comment on column hirenet.interview_moments.place is 'Place by weight in the interview, from 1';
comment on column hirenet.interview_moments.answer_id is 'The answer, as the tenant names it';
comment on column hirenet.interview_moments.answer_number is 'Place of the answer in the interview, from 1';
comment on column hirenet.interview_moments.question is 'The question that was answered';
comment on column hirenet.interview_moments.modality is 'Whose attention it is: verbal (words), vocal (voice) or visual (face)';
comment on column hirenet.interview_moments.start_s is 'Start in seconds of the recording; null for words without times';
comment on column hirenet.interview_moments.end_s is 'End in seconds of the recording; null for words without times';
comment on column hirenet.interview_moments.word_first is 'Index of the first word in the transcript, from 0';
comment on column hirenet.interview_moments.word_last is 'Index of the last word in the transcript, inclusive';
comment on column hirenet.interview_moments.words is 'What was said in it; empty where nothing was, or past its retention';
comment on column hirenet.interview_moments.weight is 'Answer weight times attention mass, 0 to 1';
comment on column hirenet.interview_moments.influence is
    'Logit with the moment minus logit without it, uncalibrated: positive = it raised the score';

create view hirenet.interview_transcripts with (security_barrier) as
select
    i.interview_id,
    i.position_id,
    n.answer_id,
    n.answer + 1 as answer_number,
    n.question,
    t.language,
    t.source,
    t.confidence,
    n.duration_s,
    t.text,
    t.search
from hirenet.interviews i
join hirenet.answers n on n.tenant = i.tenant and n.interview = i.interview
join hirenet.transcripts t on t.tenant = n.tenant and t.interview = n.interview and t.answer = n.answer;

comment on view hirenet.interview_transcripts is
    'One row an answer: what was said. Searched by: where search @@ websearch_to_tsquery(''simple'', ''...'')';
comment on column hirenet.interview_transcripts.interview_id is 'The interview, as the tenant names it';
comment on column hirenet.interview_transcripts.position_id is 'The position, as the tenant names it';
comment on column hirenet.interview_transcripts.answer_id is 'The answer, as the tenant names it';
comment on column hirenet.interview_transcripts.answer_number is 'Place of the answer in the interview, from 1';
comment on column hirenet.interview_transcripts.question is 'The question that was answered';
comment on column hirenet.interview_transcripts.language is 'ISO 639-1 code, detected or given; null where unknown';
comment on column hirenet.interview_transcripts.source is 'recognised (by the program) or given (by a human)';
comment on column hirenet.interview_transcripts.confidence is
    'Median of the recogniser''s word probabilities, 0 to 1; null for a human transcript or without words';
comment on column hirenet.interview_transcripts.duration_s is 'Length of the recording in seconds';
comment on column hirenet.interview_transcripts.text is 'The words joined by blanks';
comment on column hirenet.interview_transcripts.search is 'The words for full-text search, configuration ''simple''';

grant select on hirenet.interview_results, hirenet.interview_moments, hirenet.interview_transcripts
    to hirenet_recruiter, hirenet_worker;

reset role;
revoke create on schema hirenet from hirenet_views;

update hirenet.schema_version set version = 4;
