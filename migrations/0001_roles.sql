-- Roles and the schema. Roles belong to the whole server, so they may be there already; none of them can log in.
-- Logins are made by whoever runs the database: `create role NAME login password '...' in role hirenet_worker`.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['hirenet_owner', 'hirenet_views', 'hirenet_worker', 'hirenet_recruiter', 'hirenet_saas'] loop
        begin
            execute format('create role %I nologin', wanted);
        exception when duplicate_object or unique_violation then
            null;
        end;
        -- Handing things over to a role asks for membership in it, unless this is a superuser.
        begin
            execute format('grant %I to %I', wanted, current_user);
        exception when others then
            if not pg_has_role(current_user, wanted, 'member') then
                raise;
            end if;
        end;
    end loop;
end
$$;

create schema hirenet authorization hirenet_owner;
revoke all on schema hirenet from public;
grant usage on schema hirenet to hirenet_views, hirenet_worker, hirenet_recruiter, hirenet_saas;

comment on schema hirenet is 'HireNet: asynchronous video interviews, their assessments and the jobs that make them';
