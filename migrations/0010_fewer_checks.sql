-- A constraint is kept where anything but a step of the program could break it, or where nothing else would. What a step makes true by
-- the statement that writes the row is looked at by `hirenet check` instead: each check of a table is read anew by each statement that writes
-- it, and each foreign key is a query a row. Together they took a sixth of the steps' time.
set local role hirenet_owner;

create domain hirenet.modality as text check (value in ('verbal', 'vocal', 'visual'));
create domain hirenet.delay_s as int check (value >= 0);
alter table hirenet.tracks drop constraint tracks_modality_check, alter column modality type hirenet.modality;
alter table hirenet.outbox drop constraint outbox_delay_s_check, alter column delay_s type hirenet.delay_s;

-- Check 24 asks for these of every job, and check 22 of every track.
alter table hirenet.jobs drop constraint lease_while_running, drop constraint answer_of_extract;
alter table hirenet.tracks drop constraint tracks_check;

-- An attempt is written from its job's row, transcript and tracks from their answer's, in one statement with a change of that row. No
-- worker can remove a job; and of an answer that is removed nothing may stay, which is asked where one is.
alter table hirenet.attempts drop constraint attempts_job_fkey;
alter table hirenet.transcripts drop constraint transcripts_interview_answer_fkey;
alter table hirenet.tracks drop constraint tracks_interview_answer_fkey;
create function hirenet.answer_leaves_nothing() returns trigger
language plpgsql as $$
begin
    if exists (select from hirenet.transcripts t join gone g on g.interview = t.interview and g.answer = t.answer)
        or exists (select from hirenet.tracks t join gone g on g.interview = t.interview and g.answer = t.answer) then
        raise exception 'an answer is removed, and its transcript or a track is not' using errcode = 'foreign_key_violation';
    end if;
    return null;
end
$$;
create trigger leaves_nothing after delete on hirenet.answers referencing old table as gone
    for each statement execute function hirenet.answer_leaves_nothing();

-- A new status no longer writes every index of its interview.
drop index hirenet.interviews_by_position;
create index interviews_by_position on hirenet.interviews (tenant, position_id);
alter table hirenet.interviews set (fillfactor = 70);

-- What a step needs of the job that it ends.
create type hirenet.held_job as (tenant text, interview uuid, answer int, bundle text);

drop function hirenet.end_job(uuid, bigint, jsonb);
create function hirenet.end_job(job uuid, fence bigint, timings jsonb) returns hirenet.held_job
language plpgsql as $$
declare
    held hirenet.held_job;
    tenant text;
begin
    with ended as (
        update hirenet.jobs j set state = 'done', lease_until = null, code = null, detail = null, moved_at = now(),
            ended_at = now()
        where j.job = end_job.job and j.fence = end_job.fence and j.state = 'running' and j.lease_until > clock_timestamp()
        returning j.job, j.tenant, j.interview, j.answer, j.bundle, j.attempts, j.fence, j.worker, j.deaths, j.claimed_at),
    attempt as (
        insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome, timings)
        select e.job, e.attempts, e.tenant, e.fence, e.worker, e.deaths > 0, e.claimed_at, now(), 'done', end_job.timings
        from ended e)
    select e.tenant, e.interview, e.answer, e.bundle into held from ended e;
    if found then
        tenant := set_config('hirenet.tenant', held.tenant, true);
    end if;
    return held;
end
$$;
comment on function hirenet.end_job(uuid, bigint, jsonb) is
    'Ends the job of a live lease, and its attempt, as done, and sets the tenant; all null where the lease is lost';

create or replace function hirenet.enqueue_score_when_last(interview uuid) returns boolean
language plpgsql as $$
declare
    made hirenet.jobs;
begin
    -- Answers of one interview end one after the other: exactly one of them sees that it is the last. They wait for each
    -- other here and not before, so that what takes long is done side by side. (A lock by name, and asked for in an
    -- expression: no row is written for it, and no query run.)
    if pg_advisory_xact_lock(hashtextextended(enqueue_score_when_last.interview::text, 0)) is null then
        return null;
    end if;
    if exists (select from hirenet.jobs j
            where j.interview = enqueue_score_when_last.interview and j.state in ('ready', 'running') and j.bundle is null) then
        return false;
    end if;
    insert into hirenet.jobs (tenant, interview, interview_id, stage, priority, trace)
    select i.tenant, i.interview, i.interview_id, 'score', i.priority,
        (select j.trace from hirenet.jobs j
            where j.interview = enqueue_score_when_last.interview and j.trace is not null limit 1)
    from hirenet.interviews i
    where i.interview = enqueue_score_when_last.interview and i.status in ('queued', 'working')
    returning * into made;
    if not found then
        return false;
    end if;
    insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload, trace)
    values (made.interview, made.interview, 'stage', 'score.' || made.priority, 'job',
        json_build_object('version', 1, 'job', made.job, 'tenant', made.tenant, 'stage', 'score'), made.trace);
    return true;
end
$$;
comment on function hirenet.enqueue_score_when_last(uuid) is
    'Puts the score job on its way where no answer of the interview is waited for; true where it did';

create or replace function hirenet.finish_extract(job uuid, fence bigint, duration_s float8, media_sha256 text, reasons jsonb,
    timings jsonb, models jsonb, language text, source text, confidence float4, words jsonb, words_text text,
    words_sha256 text, track_modalities text[], track_schemas text[], track_rows int[], track_valid_rows int[],
    track_bytes bytea[])
returns boolean
language plpgsql as $$
declare
    held hirenet.held_job := hirenet.end_job(job, fence, timings);
    allowed text[];
begin
    if held.interview is null then
        return null;
    end if;
    -- Consent may have been withdrawn meanwhile: what is not allowed now is left out. A withdrawal locks the interview's
    -- jobs first, so what is allowed here is allowed at the commit.
    with here as (
        update hirenet.answers a set state = 'extracted', duration_s = finish_extract.duration_s,
            media_sha256 = finish_extract.media_sha256, timings = finish_extract.timings, models = finish_extract.models,
            reasons = finish_extract.reasons
        from hirenet.interviews i
        where i.interview = held.interview and a.interview = held.interview and a.answer = held.answer
        returning i.modalities),
    heard as (
        insert into hirenet.transcripts (interview, answer, tenant, language, source, confidence, words, text, sha256)
        select held.interview, held.answer, held.tenant, finish_extract.language, finish_extract.source,
            finish_extract.confidence, finish_extract.words, words_text, words_sha256
        from here h where finish_extract.words is not null and 'verbal' = any(h.modalities)),
    measured as (
        insert into hirenet.tracks (interview, answer, modality, tenant, schema_id, rows, valid_rows, bytes, sha256)
        select held.interview, held.answer, t.modality, held.tenant, t.schema_id, t.rows, t.valid_rows, t.bytes,
            encode(sha256(t.bytes), 'hex')
        from here h, unnest(track_modalities, track_schemas, track_rows, track_valid_rows, track_bytes)
            as t(modality, schema_id, rows, valid_rows, bytes)
        where t.modality = any(h.modalities))
    select h.modalities into allowed from here h;
    if reasons <> '[]' and not allowed @> array['verbal', 'vocal', 'visual'] then
        update hirenet.answers a set reasons = (select coalesce(jsonb_agg(reason order by place), '[]')
            from jsonb_array_elements(finish_extract.reasons) with ordinality as r(reason, place)
            where coalesce(reason ->> 'modality' = any(allowed), true))
        where a.interview = held.interview and a.answer = held.answer;
    end if;
    return hirenet.enqueue_score_when_last(held.interview);
end
$$;

create or replace function hirenet.finish_score(job uuid, fence bigint, status text, bundle text, score float8, score_low float8,
    score_high float8, verbal_score float8, vocal_score float8, visual_score float8, completeness float8, ranked boolean,
    reasons jsonb, top_spans jsonb, software text, settings_sha256 text, input_sha256 text, result_sha256 text,
    document bytea, timings jsonb, code text, event text, codes jsonb, span_answers text[], span_modalities text[],
    span_starts float8[], span_ends float8[], span_firsts int[], span_lasts int[], span_weights float4[],
    span_influences float4[], span_words text[])
returns boolean
language plpgsql as $$
declare
    held hirenet.held_job := hirenet.end_job(job, fence, timings);
    whose text;
    current_input text;
begin
    if held.interview is null then
        return false;
    end if;
    -- A job that only rescores under another bundle ends nothing.
    if held.bundle is null then
        update hirenet.interviews i set status = finish_score.status, final_at = coalesce(final_at, now()),
            changed_at = now()
        where i.interview = held.interview
        returning i.position_id into whose;
    else
        select i.position_id into whose from hirenet.interviews i where i.interview = held.interview for no key update;
    end if;
    select a.input_sha256 into current_input from hirenet.assessments a
        where a.interview = held.interview and a.bundle = finish_score.bundle and a.superseded_at is null;
    -- The same evidence under the same bundle and software gives the same score: the row is there already.
    if current_input is distinct from finish_score.input_sha256 then
        if current_input is not null then
            update hirenet.assessments a set superseded_at = now()
                where a.interview = held.interview and a.bundle = finish_score.bundle and a.superseded_at is null;
        end if;
        with made as (
            insert into hirenet.assessments (tenant, interview, position_id, bundle, status, score, score_low, score_high,
                verbal_score, vocal_score, visual_score, completeness, ranked, reasons, top_spans, software, settings_sha256,
                input_sha256, result_sha256, document)
            values (held.tenant, held.interview, whose, finish_score.bundle, finish_score.status, finish_score.score,
                finish_score.score_low, finish_score.score_high, finish_score.verbal_score, finish_score.vocal_score,
                finish_score.visual_score, finish_score.completeness, finish_score.ranked, finish_score.reasons,
                finish_score.top_spans, finish_score.software, finish_score.settings_sha256, finish_score.input_sha256,
                finish_score.result_sha256, finish_score.document)
            returning assessment),
        noted as (
            insert into hirenet.audit (action, tenant, interview, job, input_sha256, bundle, settings_sha256, result_sha256,
                software)
            values ('assessed', held.tenant, held.interview, finish_score.job, finish_score.input_sha256, finish_score.bundle,
                finish_score.settings_sha256, finish_score.result_sha256, finish_score.software))
        insert into hirenet.spans (assessment, ordinal, tenant, answer_id, modality, start_s, end_s, word_first, word_last,
            weight, influence, words)
        select m.assessment, s.n - 1, held.tenant, s.answer, s.modality, s.start_s, s.end_s, s.first, s.last, s.weight,
            s.influence, s.words
        from made m, unnest(span_answers, span_modalities, span_starts, span_ends, span_firsts, span_lasts, span_weights,
            span_influences, span_words) with ordinality
            as s(answer, modality, start_s, end_s, first, last, weight, influence, words, n);
    end if;
    if held.bundle is null then
        perform hirenet.end_submissions(held.interview, finish_score.status, finish_score.code, finish_score.event,
            finish_score.codes, case when finish_score.code is null then finish_score.bundle end);
    end if;
    return true;
end
$$;

create or replace function hirenet.score_task(job uuid, fence bigint)
returns table (interview_id text, candidate text, position_id text, title text, language text, consent jsonb,
    retention_days int, modalities text[], interview_reasons jsonb, job_id uuid, bundle text, evidence text,
    answer int, answer_id text, question text, media text, sha256 text, take int, given_transcript jsonb, extracted boolean,
    duration_s float8, media_sha256 text, reasons jsonb, timings jsonb, models jsonb, words jsonb,
    track_modalities text[], track_schemas text[], track_rows int[], track_valid_rows int[], track_bytes bytea[])
language plpgsql as $$
declare
    held hirenet.jobs;
begin
    select * into held from hirenet.jobs j
        where j.job = score_task.job and j.fence = score_task.fence and j.state = 'running';
    if not found then
        return;
    end if;
    perform set_config('hirenet.tenant', held.tenant, true);
    return query
        with pieces as (
            select t.answer, t.modality as piece, t.sha256 from hirenet.tracks t where t.interview = held.interview
            union all select w.answer, 'words', w.sha256 from hirenet.transcripts w where w.interview = held.interview
            union all select m.answer, 'media', m.media_sha256 from hirenet.answers m where m.interview = held.interview)
        select i.interview_id, i.candidate, i.position_id, p.title, i.language, i.consent, i.retention_days, i.modalities,
            i.reasons,
            (select s.job_id from hirenet.submissions s where s.interview = held.interview and s.request = 'submitted'),
            coalesce(held.bundle, (select b.sha256 from hirenet.bundles b where b.active)),
            (select string_agg(e.sha256, ',' order by e.answer, e.piece) from pieces e),
            a.answer, a.answer_id, a.question, a.media, a.sha256, a.take, a.given_transcript, a.state = 'extracted',
            a.duration_s, a.media_sha256, a.reasons, a.timings, a.models,
            (select w.words from hirenet.transcripts w where w.interview = held.interview and w.answer = a.answer),
            t.modalities, t.schemas, t.rows, t.valid_rows, t.bytes
        from hirenet.interviews i
        join hirenet.positions p on p.tenant = held.tenant and p.position_id = i.position_id
        join hirenet.answers a on a.interview = held.interview
        cross join lateral (
            select array_agg(k.modality::text) as modalities, array_agg(k.schema_id) as schemas, array_agg(k.rows) as rows,
                array_agg(k.valid_rows) as valid_rows, array_agg(k.bytes) as bytes
            from (select * from hirenet.tracks k
                where k.interview = held.interview and k.answer = a.answer and k.modality = any(i.modalities)
                order by array_position(array['verbal', 'vocal', 'visual'], k.modality::text)) as k) as t
        where i.interview = held.interview
        order by a.answer;
end
$$;

revoke all on function hirenet.end_job, hirenet.answer_leaves_nothing from public;
grant execute on function hirenet.end_job to hirenet_worker;

reset role;

update hirenet.schema_version set version = 10;
