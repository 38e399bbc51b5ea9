-- builds: what a build runner was asked to do, and the verdicts that come of it.
--
--     accepted ──► running ──► succeeded | failed | cancelled
--
-- A status that has ended is written once, and a fact is created once: whatever a runner, or a late worker, says
-- afterwards changes nothing. create_build and create_fact say whether they created anything; update_build, whether
-- the build still had the version that was read.
--
-- Arguments  id       as the build runner mints it, up to 600 bytes
--            request  one of this queue's
--            project  '' for the whole repository, up to 500 bytes
--            run      which run of the request it is, from 1 on: see migrations/0020_complete_pipeline.sql
--            commit   what a search builds; null: the head of the request
--            uri      up to 2,000 bytes
-- Locks   the row they write.
-- Raises  MR003 unknown_queue, MR005 bad_argument, MR007 invalid_transition.
-- Rows    1.

create or replace function pipeline.create_build(
    queue text, id text, request bigint, project text, run int default 1, commit text default null)
returns boolean  -- false: there is one of that id, or of that run
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong text;
begin
    perform pipeline.known_queue(queue);
    wrong := case
        when id is null or id = '' or octet_length(id) > 600 then 'id: 1 to 600 bytes'
        when project is null or octet_length(project) > 500 then 'project: up to 500 bytes, not null'
        when not exists (select from pipeline.request r
                          where r.queue = create_build.queue and r.number = create_build.request)
            then 'request: the number of a request of this queue'
        when run is null or run < 1 then 'run: from 1 on'
        when commit = '' or octet_length(commit) > 2000 then 'commit: 1 to 2000 bytes, or null'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'create_build: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    insert into pipeline.build (queue, id, request, project, run, uri, created_at)
    values (create_build.queue, create_build.id, create_build.request, create_build.project, create_build.run,
            create_build.commit, millrace.now())
    on conflict do nothing;
    return found;
end
$$;

-- `is_current` is false of a build whose request has been revalidated since; `is_repeated`, true of one that another of
-- its project and attempt has preceded and failed.
create or replace function pipeline.get_build(queue text, id text)
returns table (request bigint, project text, status text, reason text, log_location text, version bigint, age interval,
               run int, commit text, is_current boolean, is_repeated boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select b.request, b.project, b.status, b.reason, b.log_location, b.version, millrace.now() - b.created_at,
           b.run, b.uri, b.run >= r.first_run,
           exists (select
                     from pipeline.build f
                    where f.queue = b.queue and f.request = b.request and f.project = b.project and f.uri is null
                      and f.run between r.first_run and b.run - 1 and f.status = 'failed')
      from pipeline.build b
      join pipeline.request r on r.queue = b.queue and r.number = b.request
     where b.queue = get_build.queue and b.id = get_build.id;
end
$$;

-- Which build a run of a request has.
create or replace function pipeline.build_of(queue text, request bigint, project text, run int default 1)
returns text  -- the id of this run's build; null: none
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select b.id
              from pipeline.build b
             where b.queue = build_of.queue and b.request = build_of.request and b.project = build_of.project
               and b.run = build_of.run);
end
$$;

create or replace function pipeline.update_build(
    queue text, id text, status text, reason text, log_location text, old_version bigint, new_version bigint)
returns boolean  -- false: it has another version
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    before pipeline.build;
    wrong text;
begin
    wrong := case
        when status is null or status not in ('accepted', 'running', 'succeeded', 'failed', 'cancelled')
            then 'status: accepted, running, succeeded, failed, cancelled'
        when new_version is null then 'new_version: not null'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'update_build: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    select b.* into before from pipeline.build b
     where b.queue = update_build.queue and b.id = update_build.id and b.version = old_version for update;
    if not found then
        return false;
    elsif before.status in ('succeeded', 'failed', 'cancelled')
          or update_build.status = 'accepted' and before.status <> 'accepted' then
        if update_build.status <> before.status then
            raise exception using errcode = 'MR007',
                message = format('build %L of %L is %s; it cannot become %s', id, queue, before.status,
                                 update_build.status),
                hint = 'The end of a build is written once.';
        end if;
        return true;
    end if;
    update pipeline.build b
       set status = update_build.status, reason = left(update_build.reason, 10000),
           log_location = update_build.log_location, version = new_version,
           finished_at = case when update_build.status not in ('accepted', 'running') then millrace.now() end
     where b.queue = update_build.queue and b.id = update_build.id;
    return true;
end
$$;

create or replace function pipeline.create_fact(
    queue text, uri text, project text, degree numeric, request bigint, is_flaky boolean default false)
returns boolean  -- false: there is one already, which stands
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong text;
begin
    perform pipeline.known_queue(queue);
    wrong := case
        when degree is null or degree not between 0 and 1 then 'degree: 0 (green) to 1 (fully broken)'
        when project = '' and degree not in (0, 1) then 'degree: 0 or 1 of the whole repository'
        when uri is null or uri = '' or octet_length(uri) > 2000 then 'uri: 1 to 2000 bytes'
        when project is null or octet_length(project) > 500 then 'project: up to 500 bytes, not null'
        when not exists (select from pipeline.request r
                          where r.queue = create_fact.queue and r.number = create_fact.request)
            then 'request: the number of a request of this queue'
        when is_flaky is null or is_flaky and degree = 0 then 'is_flaky: false, or true of what is not green'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'create_fact: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    insert into pipeline.validation_fact (queue, uri, project, degree, request, is_flaky, created_at)
    values (create_fact.queue, create_fact.uri, create_fact.project,
            -- what is broken a little must not be rounded to green
            case when degree > 0 then greatest(degree, 0.00001) else 0 end, create_fact.request,
            create_fact.is_flaky, millrace.now())
    on conflict on constraint validation_fact_pkey do nothing;
    return found;
end
$$;

-- The verdict on a commit; no row: nobody has validated it.
create or replace function pipeline.get_fact(queue text, uri text, project text)
returns table (degree numeric, request bigint, is_flaky boolean)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.degree, f.request, f.is_flaky
      from pipeline.validation_fact f
     where f.queue = get_fact.queue and f.uri = get_fact.uri and f.project = get_fact.project;
end
$$;
