-- Steps of a job that a worker takes in one round trip. As transactions of several statements they cost worker and database
-- more in messages to and fro than in work.
--
-- Each runs with the caller's rights and under the caller's policies, sets the tenant from the row that it was led to, and
-- takes its locks in the one order: names, job, interview.
set local role hirenet_owner;

-- What is open is indexed by the end that is not written yet, and no more by its state. A step that finds its job by key names
-- the state too: where few jobs were open when statistics were taken, the plan went through the index of all that are, and a
-- claim took longer with every job in the queue.
drop index hirenet.jobs_open;
create index jobs_open on hirenet.jobs (moved_at) where ended_at is null;
drop index hirenet.submissions_open;
create index submissions_open on hirenet.submissions (received_at) where final_at is null;

-- The door to every write of a job. The row lock keeps a rival claim waiting until the transaction has ended, so a lease
-- that is live here is live at the commit.
create function hirenet.enter(job uuid, fence bigint) returns hirenet.jobs
language plpgsql as $$
declare
    held hirenet.jobs;
begin
    select * into held from hirenet.jobs j
        where j.job = enter.job and j.fence = enter.fence and j.state = 'running' and j.lease_until > clock_timestamp()
        for update;
    if found then
        perform set_config('hirenet.tenant', held.tenant, true);
    end if;
    return held;
end
$$;
comment on function hirenet.enter(uuid, bigint) is
    'Locks the job of a live lease and sets the tenant of the transaction; all null where the lease is lost';

create function hirenet.end_done(held hirenet.jobs, timings jsonb) returns void
language plpgsql as $$
begin
    update hirenet.jobs j set state = 'done', lease_until = null, worker = null, code = null, detail = null,
        moved_at = now(), ended_at = now()
    where j.job = held.job;
    update hirenet.attempts a set outcome = 'done', ended_at = now(), timings = end_done.timings
    where a.job = held.job and a.attempt = held.attempts;
end
$$;
comment on function hirenet.end_done(hirenet.jobs, jsonb) is 'Ends a job that is held, and its attempt, as done';

create function hirenet.enqueue_score_when_last(interview uuid) returns boolean
language plpgsql as $$
declare
    made hirenet.jobs;
begin
    insert into hirenet.jobs (tenant, interview, interview_id, stage, priority, trace)
    select i.tenant, i.interview, i.interview_id, 'score', i.priority,
        (select j.trace from hirenet.jobs j
            where j.interview = enqueue_score_when_last.interview and j.trace is not null limit 1)
    from hirenet.interviews i
    where i.interview = enqueue_score_when_last.interview and i.status in ('queued', 'working')
        and not exists (
            select from hirenet.jobs j
            where j.interview = enqueue_score_when_last.interview and j.state in ('ready', 'running') and j.bundle is null)
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
    'Puts the score job on its way where no answer of the interview, whose row is locked, is waited for; true where it did';

create function hirenet.extract_task(job uuid, fence bigint)
returns table (interview_id text, language text, modalities text[], answer_id text, question text, media text, sha256 text,
    take int, given_transcript jsonb)
language plpgsql as $$
declare
    held hirenet.jobs;
begin
    select * into held from hirenet.jobs j
        where j.job = extract_task.job and j.fence = extract_task.fence and j.state = 'running';
    if not found then
        return;
    end if;
    perform set_config('hirenet.tenant', held.tenant, true);
    -- One answer tells that the interview is being worked on: the others do not wait for its commit.
    perform from hirenet.interviews i where i.interview = held.interview and i.status = 'queued'
        for no key update skip locked;
    if found then
        update hirenet.interviews i set status = 'working', changed_at = now() where i.interview = held.interview;
    end if;
    return query select i.interview_id, i.language, i.modalities, a.answer_id, a.question, a.media, a.sha256, a.take,
            a.given_transcript
        from hirenet.interviews i, hirenet.answers a
        where i.interview = held.interview and a.interview = held.interview and a.answer = held.answer;
end
$$;
comment on function hirenet.extract_task(uuid, bigint) is
    'What the stage extract needs, and the interview is being worked on from now; no row where the job is not held';

create function hirenet.finish_extract(job uuid, fence bigint, duration_s float8, media_sha256 text, reasons jsonb,
    timings jsonb, models jsonb, language text, source text, confidence float4, words jsonb, words_text text,
    words_sha256 text, track_modalities text[], track_schemas text[], track_rows int[], track_valid_rows int[],
    track_bytes bytea[])
returns boolean
language plpgsql as $$
declare
    held hirenet.jobs := hirenet.enter(job, fence);
    allowed text[];
begin
    if held.job is null then
        return null;
    end if;
    -- Consent may have been withdrawn meanwhile: what is not allowed now is left out. A withdrawal locks the interview's
    -- jobs first, so what is allowed here is allowed at the commit.
    select i.modalities into allowed from hirenet.interviews i where i.interview = held.interview;
    update hirenet.answers a set state = 'extracted', duration_s = finish_extract.duration_s,
        media_sha256 = finish_extract.media_sha256, timings = finish_extract.timings, models = finish_extract.models,
        reasons = (select coalesce(jsonb_agg(reason order by place), '[]')
            from jsonb_array_elements(finish_extract.reasons) with ordinality as r(reason, place)
            where coalesce(reason ->> 'modality' = any(allowed), true))
    where a.interview = held.interview and a.answer = held.answer;
    if words is not null and 'verbal' = any(allowed) then
        insert into hirenet.transcripts (interview, answer, tenant, language, source, confidence, words, text, sha256)
        values (held.interview, held.answer, held.tenant, finish_extract.language, finish_extract.source,
            finish_extract.confidence, finish_extract.words, words_text, words_sha256);
    end if;
    insert into hirenet.tracks (interview, answer, modality, tenant, schema_id, rows, valid_rows, bytes, sha256)
    select held.interview, held.answer, t.modality, held.tenant, t.schema_id, t.rows, t.valid_rows, t.bytes,
        encode(sha256(t.bytes), 'hex')
    from unnest(track_modalities, track_schemas, track_rows, track_valid_rows, track_bytes)
        as t(modality, schema_id, rows, valid_rows, bytes)
    where t.modality = any(allowed);
    perform hirenet.end_done(held, finish_extract.timings);
    -- Answers of one interview end one after the other: exactly one of them sees that it is the last. They wait for each
    -- other here and not before, so that what takes long is done side by side.
    perform from hirenet.interviews i where i.interview = held.interview for no key update;
    return hirenet.enqueue_score_when_last(held.interview);
end
$$;
comment on function hirenet.finish_extract(uuid, bigint, float8, text, jsonb, jsonb, jsonb, text, text, float4, jsonb, text,
    text, text[], text[], int[], int[], bytea[]) is
    'Stores what was extracted of an answer and ends the job; true where it was the last answer, null where the lease is lost';

create function hirenet.end_submission(tenant text, job_id uuid, state text, code text, event text, reasons jsonb, bundle text,
    trace text)
returns void
language plpgsql as $$
declare
    ended hirenet.submissions;
begin
    update hirenet.submissions s
    set state = end_submission.state, code = end_submission.code, event = gen_random_uuid(), final_at = now()
    where s.tenant = end_submission.tenant and s.job_id = end_submission.job_id and s.event is null
    returning * into ended;
    if not found then
        return;
    end if;
    insert into hirenet.outbox (id, key, interview, destination, routing_key, kind, payload, trace)
    values (ended.event, coalesce(ended.interview, ended.job_id), ended.interview, 'event', end_submission.event,
        end_submission.event, json_build_object('version', 1, 'event', end_submission.event, 'event_id', ended.event,
            'job_id', ended.job_id, 'request', ended.request, 'tenant', ended.tenant, 'interview_id', ended.interview_id,
            'status', ended.state, 'code', ended.code, 'reasons', end_submission.reasons, 'bundle', end_submission.bundle,
            'at', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
        coalesce(end_submission.trace, (select j.trace from hirenet.jobs j
            where j.interview = ended.interview and j.trace is not null order by j.created_at, j.job limit 1)));
end
$$;
comment on function hirenet.end_submission(text, uuid, text, text, text, jsonb, text, text) is
    'Ends a submission with its event, where it is open';

create function hirenet.end_submissions(interview uuid, state text, code text, event text, reasons jsonb, bundle text)
returns void
language plpgsql as $$
begin
    perform hirenet.end_submission(s.tenant, s.job_id, end_submissions.state, end_submissions.code, end_submissions.event,
        end_submissions.reasons, end_submissions.bundle, null)
    from hirenet.submissions s where s.interview = end_submissions.interview and s.event is null;
end
$$;
comment on function hirenet.end_submissions(uuid, text, text, text, jsonb, text) is
    'Ends every open submission of an interview, each with its event';

create function hirenet.score_task(job uuid, fence bigint)
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
            select array_agg(k.modality) as modalities, array_agg(k.schema_id) as schemas, array_agg(k.rows) as rows,
                array_agg(k.valid_rows) as valid_rows, array_agg(k.bytes) as bytes
            from (select * from hirenet.tracks k
                where k.interview = held.interview and k.answer = a.answer and k.modality = any(i.modalities)
                order by array_position(array['verbal', 'vocal', 'visual'], k.modality)) as k) as t
        where i.interview = held.interview
        order by a.answer;
end
$$;
comment on function hirenet.score_task(uuid, bigint) is
    'What the stage score needs, a row an answer, all of one moment; no row where the job is not held';

create function hirenet.finish_score(job uuid, fence bigint, status text, bundle text, score float8, score_low float8,
    score_high float8, verbal_score float8, vocal_score float8, visual_score float8, completeness float8, ranked boolean,
    reasons jsonb, top_spans jsonb, software text, settings_sha256 text, input_sha256 text, result_sha256 text,
    document bytea, timings jsonb, code text, event text, codes jsonb, span_answers text[], span_modalities text[],
    span_starts float8[], span_ends float8[], span_firsts int[], span_lasts int[], span_weights float4[],
    span_influences float4[], span_words text[])
returns boolean
language plpgsql as $$
declare
    held hirenet.jobs := hirenet.enter(job, fence);
    current_input text;
    made bigint;
begin
    if held.job is null then
        return false;
    end if;
    perform from hirenet.interviews i where i.interview = held.interview for update;
    select a.input_sha256 into current_input from hirenet.assessments a
        where a.interview = held.interview and a.bundle = finish_score.bundle and a.superseded_at is null;
    -- The same evidence under the same bundle and software gives the same score: the row is there already.
    if current_input is distinct from finish_score.input_sha256 then
        if current_input is not null then
            update hirenet.assessments a set superseded_at = now()
                where a.interview = held.interview and a.bundle = finish_score.bundle and a.superseded_at is null;
        end if;
        insert into hirenet.assessments (tenant, interview, position_id, bundle, status, score, score_low, score_high,
            verbal_score, vocal_score, visual_score, completeness, ranked, reasons, top_spans, software, settings_sha256,
            input_sha256, result_sha256, document)
        select held.tenant, held.interview, i.position_id, finish_score.bundle, finish_score.status, finish_score.score,
            finish_score.score_low, finish_score.score_high, finish_score.verbal_score, finish_score.vocal_score,
            finish_score.visual_score, finish_score.completeness, finish_score.ranked, finish_score.reasons,
            finish_score.top_spans, finish_score.software, finish_score.settings_sha256, finish_score.input_sha256,
            finish_score.result_sha256, finish_score.document
        from hirenet.interviews i where i.interview = held.interview
        returning assessment into made;
        insert into hirenet.audit (action, tenant, interview, job, input_sha256, bundle, settings_sha256, result_sha256,
            software)
        values ('assessed', held.tenant, held.interview, held.job, finish_score.input_sha256, finish_score.bundle,
            finish_score.settings_sha256, finish_score.result_sha256, finish_score.software);
        insert into hirenet.spans (assessment, ordinal, tenant, answer_id, modality, start_s, end_s, word_first, word_last,
            weight, influence, words)
        select made, s.n - 1, held.tenant, s.answer, s.modality, s.start_s, s.end_s, s.first, s.last, s.weight, s.influence,
            s.words
        from unnest(span_answers, span_modalities, span_starts, span_ends, span_firsts, span_lasts, span_weights,
            span_influences, span_words) with ordinality
            as s(answer, modality, start_s, end_s, first, last, weight, influence, words, n);
    end if;
    perform hirenet.end_done(held, finish_score.timings);
    -- A job that only rescores under another bundle ends no submission.
    if held.bundle is null then
        update hirenet.interviews i set status = finish_score.status, final_at = coalesce(final_at, now()),
            changed_at = now()
        where i.interview = held.interview;
        perform hirenet.end_submissions(held.interview, finish_score.status, finish_score.code, finish_score.event,
            finish_score.codes, case when finish_score.code is null then finish_score.bundle end);
    end if;
    return true;
end
$$;
comment on function hirenet.finish_score(uuid, bigint, text, text, float8, float8, float8, float8, float8, float8, float8,
    boolean, jsonb, jsonb, text, text, text, text, bytea, jsonb, text, text, jsonb, text[], text[], float8[], float8[], int[],
    int[], float4[], float4[], text[]) is
    'Stores an assessment with its spans, ends the job and what waits for it; false where the lease is lost';

do $$
declare
    step regprocedure;
begin
    for step in select oid from pg_proc where pronamespace = 'hirenet'::regnamespace
        and proname in ('enter', 'end_done', 'enqueue_score_when_last', 'extract_task', 'finish_extract',
            'end_submission', 'end_submissions',
            'score_task', 'finish_score') loop
        execute format('revoke all on function %s from public', step);
        execute format('grant execute on function %s to hirenet_worker', step);
    end loop;
end
$$;

reset role;

update hirenet.schema_version set version = 7;
