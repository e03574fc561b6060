-- `hirenet check` looks for demographics that are left of erased interviews. A worker can read no demographics: it is told
-- which interviews they are of, and nothing else.
set local role hirenet_owner;

create function hirenet.demographics_after_erasure(whose text) returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select i.interview from hirenet.interviews i
    join hirenet.demographics d on d.tenant = i.tenant and d.interview_id = i.interview_id
    where i.tenant = whose and i.status = 'erased'
$$;
comment on function hirenet.demographics_after_erasure(text) is
    'The erased interviews of a tenant that demographics are left of';
revoke all on function hirenet.demographics_after_erasure(text) from public;
grant execute on function hirenet.demographics_after_erasure(text) to hirenet_worker;

reset role;

update hirenet.schema_version set version = 6;
