-- Roles, the schema, and the ledger of what has been applied to it.
--
-- Everything belongs to `millrace_owner`, which cannot log in; applications, workers and people are members of the
-- other four. Roles are shared by all databases of a server, so that a role that is there already is used as it is.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['millrace_owner', 'millrace_enqueuer', 'millrace_worker', 'millrace_operator',
                                  'millrace_viewer']
    loop
        if to_regrole(wanted) is null then
            begin
                execute format('create role %I nologin', wanted);
            exception when duplicate_object or unique_violation then
                null;  -- a migrator of another database was faster
            end;
        end if;
    end loop;
    if not pg_has_role(current_user, 'millrace_owner', 'member') then
        execute format('grant millrace_owner to %I', current_user);
    end if;
end
$$;

create schema millrace authorization millrace_owner;
comment on schema millrace is 'millrace: PostgreSQL tables as job queues';

set local role millrace_owner;

alter default privileges for role millrace_owner revoke execute on functions from public;

grant usage on schema millrace to millrace_enqueuer, millrace_worker, millrace_operator, millrace_viewer;

create table millrace.migration (
    number     int primary key check (number > 0),
    name       text not null,
    checksum   text not null,  -- sha256 of the file's text without trailing newlines, in hex
    applied_at timestamptz not null default clock_timestamp(),
    applied_by text not null default session_user
);
comment on table millrace.migration is 'which migrations this schema has seen';

-- The functions and views are replaced as a whole; one row says which set is installed.
create table millrace.function_set (
    singleton  boolean primary key default true check (singleton),
    checksum   text not null,
    applied_at timestamptz not null default clock_timestamp()
);

-- A program must read the ledger before it knows whether it may call anything else.
grant select on millrace.migration, millrace.function_set
   to millrace_enqueuer, millrace_worker, millrace_operator, millrace_viewer;
