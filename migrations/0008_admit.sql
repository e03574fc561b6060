-- Admitting an interview that nothing speaks against takes one round trip; and a claim writes no index of its job.
set local role hirenet_owner;

-- An interview that was checked before is only written down. Else the names are locked first, the candidate's before the
-- interview's; where the message came before, or an erasure, a withdrawal or another interview of the name is known, nothing is
-- written and no row returned: what follows then is decided step by step.
create function hirenet.admit(checked boolean, names text[], tenant text, job_id uuid, content_sha256 text, candidate text,
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
    return query with
        new_tenant as (insert into hirenet.tenants (tenant) values (admit.tenant) on conflict do nothing),
        -- Twice, because an upsert would lock the row of a position that many submissions share.
        new_position as (
            insert into hirenet.positions (tenant, position_id, title)
            values (admit.tenant, admit.position_id, admit.title) on conflict do nothing),
        renamed as (
            update hirenet.positions p set title = admit.title
            where p.tenant = admit.tenant and p.position_id = admit.position_id and p.title <> admit.title),
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

-- A candidate may come back after an erasure: with a consent that was given later. An illegible time counts as old, and so
-- does one that this database's clock has not reached, by more than two machines' clocks differ: it proves nothing.
create function hirenet.consent_proves_nothing(given_at timestamptz, requested_at timestamptz) returns boolean
language sql stable as $$
    select coalesce(given_at <= requested_at or given_at > now() + interval '5 minutes', true)
$$;
comment on function hirenet.consent_proves_nothing(timestamptz, timestamptz) is
    'Whether a consent does not show that it was given after an erasure was asked for';

revoke all on function hirenet.admit, hirenet.consent_proves_nothing from public;
grant execute on function hirenet.admit, hirenet.consent_proves_nothing to hirenet_worker;
comment on function hirenet.admit is
    'Writes an interview down with its jobs and their messages; no row where something speaks against it';

-- Columns that a claim changes were in indexes, or in their conditions: each claim wrote all indexes of its row anew. No
-- statement looks for open jobs by the time of their creation: it is a column that nothing changes.
drop index hirenet.jobs_open;
create index jobs_open on hirenet.jobs (created_at) where ended_at is null;
drop index hirenet.jobs_dead;
create index jobs_dead on hirenet.jobs (ended_at desc) where code is not null and ended_at is not null;
-- Room for the row as it will be, beside the one that it is.
alter table hirenet.jobs set (fillfactor = 60);
alter table hirenet.attempts set (fillfactor = 80);
alter table hirenet.answers set (fillfactor = 70);

reset role;

update hirenet.schema_version set version = 8;
