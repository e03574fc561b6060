-- The steps of a job in fewer statements, an attempt written once, and the words of their columns as domains. What a statement costs
-- before and after its work is more than its work; and a check of a table is read and prepared anew by each statement that writes the table, whichever
-- column it writes, where a domain looks at the columns that are written and is prepared once a connection.
set local role hirenet_owner;

-- An attempt is written when it ends, with what its job's row says of the claim: who has it and since when. The last claim of a
-- job that nobody holds stays there.
alter table hirenet.jobs add column claimed_at timestamptz;
update hirenet.jobs j set claimed_at = a.started_at, worker = a.worker
    from hirenet.attempts a where a.job = j.job and a.attempt = j.attempts;
delete from hirenet.attempts where outcome = 'running';

create domain hirenet.stage as text check (value in ('extract', 'score'));
create domain hirenet.priority as text check (value in ('interactive', 'bulk'));
create domain hirenet.job_state as text check (value in ('ready', 'running', 'done', 'failed', 'erased'));
create domain hirenet.attempt_outcome as text
    check (value in ('done', 'retried', 'buried', 'handed_back', 'died', 'erased'));
create domain hirenet.answer_state as text check (value in ('waiting', 'extracted', 'failed'));
create domain hirenet.destination as text check (value in ('stage', 'wait', 'event', 'dead'));
create domain hirenet.request as text check (value in ('submitted', 'erase', 'withdrawn', 'replayed', 'retention'));
create domain hirenet.submission_state as text check (value in ('open', 'scored', 'partial', 'refused', 'failed', 'erased'));

alter table hirenet.jobs
    drop constraint jobs_stage_check, alter column stage type hirenet.stage,
    drop constraint jobs_priority_check, alter column priority type hirenet.priority,
    drop constraint jobs_state_check, alter column state type hirenet.job_state;
alter table hirenet.interviews drop constraint interviews_priority_check, alter column priority type hirenet.priority;
alter table hirenet.answers drop constraint answers_state_check, alter column state type hirenet.answer_state;
alter table hirenet.outbox drop constraint outbox_destination_check, alter column destination type hirenet.destination;
alter table hirenet.submissions
    drop constraint submissions_request_check, alter column request type hirenet.request,
    drop constraint submissions_state_check, alter column state type hirenet.submission_state;
-- The other one says it too: valid rows lie between 0 and the rows.
alter table hirenet.tracks drop constraint tracks_rows_check;
alter table hirenet.attempts
    drop constraint attempts_outcome_check, alter column outcome drop default,
    alter column outcome type hirenet.attempt_outcome,
    alter column started_at drop default,
    alter column ended_at set not null,
    reset (fillfactor);

-- The row lock keeps a rival claim waiting until the transaction has ended, so a lease that is live here is live at the commit.
create function hirenet.end_job(job uuid, fence bigint, timings jsonb) returns hirenet.jobs
language plpgsql as $$
declare
    held hirenet.jobs;
    tenant text;
begin
    with ended as (
        update hirenet.jobs j set state = 'done', lease_until = null, code = null, detail = null, moved_at = now(),
            ended_at = now()
        where j.job = end_job.job and j.fence = end_job.fence and j.state = 'running' and j.lease_until > clock_timestamp()
        returning j.*),
    attempt as (
        insert into hirenet.attempts (job, attempt, tenant, fence, worker, alone, started_at, ended_at, outcome, timings)
        select e.job, e.attempts, e.tenant, e.fence, e.worker, e.deaths > 0, e.claimed_at, now(), 'done', end_job.timings
        from ended e)
    select * into held from ended;
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

create or replace function hirenet.admit(checked boolean, names text[], tenant text, job_id uuid, content_sha256 text, candidate text,
    candidate_sha256 text, given_at timestamptz, interview_id text, position_id text, title text, language text, consent jsonb,
    modalities text[], reasons jsonb, retention_days int, priority text, answer_ids text[], questions text[], media text[],
    media_sha256 text[], takes int[], transcripts jsonb[], trace text)
returns table (interview uuid, jobs bigint)
language plpgsql as $$
begin
    if not checked then
        perform set_config('hirenet.tenant', admit.tenant, true);
        perform pg_advisory_xact_lock(hashtextextended(n.name, 0))
            from unnest(names) with ordinality as n(name, place) order by n.place;
        if exists (select from hirenet.submissions s where s.tenant = admit.tenant and s.job_id = admit.job_id)
            or exists (select from hirenet.erasures e
                where e.tenant = admit.tenant and e.interview_id = admit.interview_id)
            or exists (select from hirenet.erasures e
                where e.tenant = admit.tenant and e.candidate_sha256 = admit.candidate_sha256
                    and hirenet.consent_proves_nothing(given_at, e.requested_at))
            or exists (select from hirenet.interviews i
                where i.tenant = admit.tenant and i.interview_id = admit.interview_id)
            or exists (select from hirenet.withdrawals w
                where w.tenant = admit.tenant and w.interview_id = admit.interview_id) then
            return;
        end if;
    end if;
    -- Most submissions share a position that is known.
    if not exists (select from hirenet.positions p
            where p.tenant = admit.tenant and p.position_id = admit.position_id and p.title = admit.title) then
        insert into hirenet.tenants (tenant) values (admit.tenant) on conflict do nothing;
        insert into hirenet.positions as p (tenant, position_id, title)
        values (admit.tenant, admit.position_id, admit.title)
        on conflict on constraint positions_pkey do update set title = excluded.title where p.title <> excluded.title;
    end if;
    return query with
        i as (
            insert into hirenet.interviews as made (tenant, interview_id, position_id, candidate, language, consent, modalities,
                reasons, retention_days, priority, status)
            values (admit.tenant, admit.interview_id, admit.position_id, admit.candidate, admit.language, admit.consent,
                admit.modalities, admit.reasons, admit.retention_days, admit.priority, 'queued')
            returning made.interview),
        a as (
            insert into hirenet.answers as made (interview, answer, tenant, answer_id, question, media, sha256, take,
                given_transcript)
            select i.interview, u.n - 1, admit.tenant, u.id, u.question, u.media, u.hash, u.take, u.given
            from i, unnest(answer_ids, questions, admit.media, media_sha256, takes, transcripts)
                with ordinality as u(id, question, media, hash, take, given, n)
            returning made.answer),
        j as (
            insert into hirenet.jobs as made (tenant, interview, interview_id, stage, answer, priority, trace)
            select admit.tenant, i.interview, admit.interview_id, 'extract', a.answer, admit.priority, admit.trace from i, a
            returning made.job),
        message as (
            insert into hirenet.outbox (key, interview, destination, routing_key, kind, payload, trace)
            select i.interview, i.interview, 'stage', 'extract.' || admit.priority, 'job',
                json_build_object('version', 1, 'job', j.job, 'tenant', admit.tenant, 'stage', 'extract'), admit.trace
            from i, j),
        -- A twin that is being written is waited for. Where it commits, this fails, and the twin is found in the next try.
        submission as (
            insert into hirenet.submissions (tenant, job_id, request, interview, interview_id, content_sha256)
            select admit.tenant, admit.job_id, 'submitted', i.interview, admit.interview_id, admit.content_sha256
            from i where not checked),
        known_submission as (
            update hirenet.submissions s set interview = (select i.interview from i)
            where checked and s.tenant = admit.tenant and s.job_id = admit.job_id),
        noted as (
            insert into hirenet.audit (action, tenant, interview, job, content_sha256, counts)
            select 'admitted', admit.tenant, i.interview, admit.job_id, admit.content_sha256,
                jsonb_build_object('answers', (select count(*) from a))
            from i)
        select i.interview, (select count(*) from j) from i;
end
$$;

drop function hirenet.extract_task(uuid, bigint);
create function hirenet.extract_task(tenant text, job uuid, fence bigint)
returns table (interview_id text, language text, modalities text[], answer_id text, question text, media text, sha256 text,
    take int, given_transcript jsonb)
language plpgsql as $$
declare
    setting text := set_config('hirenet.tenant', tenant, true);
    whose uuid;
    stands text;
begin
    select i.interview, i.status, i.interview_id, i.language, i.modalities, a.answer_id, a.question, a.media, a.sha256, a.take,
        a.given_transcript
    into whose, stands, interview_id, language, modalities, answer_id, question, media, sha256, take, given_transcript
    from hirenet.jobs j
    join hirenet.interviews i on i.interview = j.interview
    join hirenet.answers a on a.interview = j.interview and a.answer = j.answer
    where j.job = extract_task.job and j.fence = extract_task.fence and j.state = 'running';
    if not found then
        return;
    end if;
    if stands = 'queued' then
        -- One answer tells that the interview is being worked on: the others do not wait for its commit.
        perform from hirenet.interviews i where i.interview = whose and i.status = 'queued'
            for no key update skip locked;
        if found then
            update hirenet.interviews i set status = 'working', changed_at = now() where i.interview = whose;
        end if;
    end if;
    return next;
end
$$;
comment on function hirenet.extract_task(text, uuid, bigint) is
    'What the stage extract needs, and the interview is being worked on from now; no row where the job is not held';

create or replace function hirenet.finish_extract(job uuid, fence bigint, duration_s float8, media_sha256 text, reasons jsonb,
    timings jsonb, models jsonb, language text, source text, confidence float4, words jsonb, words_text text,
    words_sha256 text, track_modalities text[], track_schemas text[], track_rows int[], track_valid_rows int[],
    track_bytes bytea[])
returns boolean
language plpgsql as $$
declare
    held hirenet.jobs := hirenet.end_job(job, fence, timings);
    allowed text[];
begin
    if held.job is null then
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
    -- Answers of one interview end one after the other: exactly one of them sees that it is the last. They wait for each
    -- other here and not before, so that what takes long is done side by side.
    perform from hirenet.interviews i where i.interview = held.interview for no key update;
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
    held hirenet.jobs := hirenet.end_job(job, fence, timings);
    whose text;
    current_input text;
begin
    if held.job is null then
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
            values ('assessed', held.tenant, held.interview, held.job, finish_score.input_sha256, finish_score.bundle,
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
drop function hirenet.end_done(hirenet.jobs, jsonb);

revoke all on function hirenet.end_job, hirenet.extract_task from public;
grant execute on function hirenet.end_job, hirenet.extract_task to hirenet_worker;

reset role;

update hirenet.schema_version set version = 9;
