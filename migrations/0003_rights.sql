-- Rights and row-level security.
--
-- Workers see one tenant's content at a time: the one that the transaction has set (`hirenet.tenant`). Jobs, submissions,
-- the outbox, receipts and the audit hold ids, hashes and times only; workers see all of them, because a claim and a relay
-- do not know yet whose row it is.
--
-- Recruiters have no right on any table. Views belong to `hirenet_views`, whose rows are those of the login's tenant: the
-- login, not a variable and not the current role, decides.
set local role hirenet_owner;

create function hirenet.viewer_tenant() returns text
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
    select coalesce(
        (select tenant from hirenet.recruiter_logins where login = session_user),
        -- A worker may look at any tenant; it says which.
        case when pg_has_role(session_user, 'hirenet_worker', 'member')
            and not exists (select from hirenet.recruiter_logins where login = session_user)
            then nullif(current_setting('hirenet.tenant', true), '') end)
$$;
comment on function hirenet.viewer_tenant() is 'The tenant whose rows this login may see';
revoke all on function hirenet.viewer_tenant() from public;
grant execute on function hirenet.viewer_tenant() to hirenet_views, hirenet_saas, hirenet_worker, hirenet_recruiter;

do $$
declare
    content text;
begin
    foreach content in array array['positions', 'interviews', 'answers', 'transcripts', 'tracks', 'assessments', 'spans',
        'reviews', 'recruiter_decisions'] loop
        execute format('alter table hirenet.%I enable row level security', content);
        execute format('create policy worker on hirenet.%I to hirenet_worker
            using (tenant = current_setting(''hirenet.tenant'', true))
            with check (tenant = current_setting(''hirenet.tenant'', true))', content);
    end loop;
    foreach content in array array['positions', 'interviews', 'answers', 'transcripts', 'assessments', 'spans', 'reviews',
        'recruiter_decisions', 'demographics'] loop
        execute format('alter table hirenet.%I enable row level security', content);
        execute format('create policy viewer on hirenet.%I for select to hirenet_views
            using (tenant = (select hirenet.viewer_tenant()))', content);
        execute format('grant select on hirenet.%I to hirenet_views', content);
    end loop;
    foreach content in array array['recruiter_decisions', 'demographics'] loop
        execute format('create policy saas on hirenet.%I to hirenet_saas
            using (tenant = (select hirenet.viewer_tenant())) with check (tenant = (select hirenet.viewer_tenant()))', content);
        execute format('grant select, insert, update, delete on hirenet.%I to hirenet_saas', content);
    end loop;
end
$$;

grant select on hirenet.bundles to hirenet_views;

grant select, insert, update on hirenet.positions, hirenet.interviews, hirenet.answers, hirenet.assessments,
    hirenet.submissions, hirenet.jobs, hirenet.attempts, hirenet.erasures, hirenet.bundles, hirenet.workers to hirenet_worker;
grant select, insert, delete on hirenet.transcripts, hirenet.tracks, hirenet.spans, hirenet.withdrawals to hirenet_worker;
grant update (words) on hirenet.spans to hirenet_worker;
grant delete on hirenet.answers, hirenet.assessments to hirenet_worker;
grant select, delete on hirenet.reviews, hirenet.recruiter_decisions to hirenet_worker;
grant select, insert on hirenet.tenants, hirenet.audit to hirenet_worker;
-- `for update skip locked` asks for the right to update.
grant select, insert, update, delete on hirenet.outbox to hirenet_worker;
grant select on hirenet.schema_version to hirenet_worker;

-- Reviews are written under one's own login.
create function hirenet.review(interview_id text, override text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    whose text := hirenet.viewer_tenant();
begin
    insert into hirenet.reviews (interview, tenant, reviewed_by, override)
        select i.interview, i.tenant, session_user, review.override from hirenet.interviews i
        where i.tenant = whose and i.interview_id = review.interview_id and i.status <> 'erased'
    on conflict (interview) do update
        set reviewed_by = excluded.reviewed_by, reviewed_at = now(), override = excluded.override;
    if not found then
        raise exception 'no such interview' using errcode = 'no_data_found';
    end if;
end
$$;
comment on function hirenet.review(text, text) is
    'Marks an interview of one''s own tenant as reviewed by this login, with an own view where it differs from the score';
revoke all on function hirenet.review(text, text) from public;
grant execute on function hirenet.review(text, text) to hirenet_recruiter;

-- Erasure reaches demographics, which a worker can neither read nor write.
create function hirenet.erase_demographics(whose text, which text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    gone bigint;
begin
    delete from hirenet.demographics where tenant = whose and interview_id = which;
    get diagnostics gone = row_count;
    return gone;
end
$$;
comment on function hirenet.erase_demographics(text, text) is 'Removes the demographics of one interview';
revoke all on function hirenet.erase_demographics(text, text) from public;
grant execute on function hirenet.erase_demographics(text, text) to hirenet_worker;

-- The audit is append-only for everybody, its owner included: a row can go only once it is older than six months
-- (EU AI Act, articles 19 and 26(6)), and no row can be changed.
create function hirenet.audit_is_append_only() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        if old.at < now() - interval '183 days' then
            return old;
        end if;
    end if;
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger append_only before update or delete on hirenet.audit
    for each row execute function hirenet.audit_is_append_only();
create trigger never_emptied before truncate on hirenet.audit
    for each statement execute function hirenet.audit_is_append_only();

-- The clock of the audit's retention; the trigger above keeps the floor.
create function hirenet.retain_audit(days int, at_most bigint) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    gone bigint;
begin
    delete from hirenet.audit where seq in (
        select a.seq from hirenet.audit a where a.at < now() - make_interval(days => greatest(days, 183))
        order by a.seq limit at_most for update skip locked);
    get diagnostics gone = row_count;
    return gone;
end
$$;
comment on function hirenet.retain_audit(int, bigint) is 'Removes rows of the audit older than so many days, at least 183';
revoke all on function hirenet.retain_audit(int, bigint) from public;
grant execute on function hirenet.retain_audit(int, bigint) to hirenet_worker;

reset role;
