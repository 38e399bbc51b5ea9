-- command_runs: the book that the `command` runner keeps of its builds.
--
--     (nothing) ──trigger──► accepted ──start──► running ──finish──► succeeded | failed
--                                accepted, running ──cancel──► cancelled
--
-- The execution is a job of kind pipeline.run, so that it survives the worker that triggered it. Triggering twice is
-- triggering once: the id is made of the request, the project and the run. Started again, a run that has ended says so;
-- of two workers that both believe that they execute it, the first to finish is believed.
--
-- Whoever calls a build off takes its job back, or asks it to stop: the command is ended within its grace.
--
-- The command and its limits are those of the trigger, whatever is configured meanwhile. Its log is in command_log.sql.
--
-- Locks   the row of pipeline.command_run; then what cancel() locks.
-- Raises  MR003 unknown_queue, MR005 bad_argument.
-- Rows    1, and those of one enqueue; the logs of up to 10 old runs.

-- Asks for a run, once however often it is called: a job that runs the queue's command.
create or replace function pipeline.trigger_command(
    queue text, request bigint, project text, base_uri text, head_uri text, run int default 1)
returns text  -- the build's id
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = postgres
as $$
declare
    configured constant pipeline.queue := pipeline.known_queue(queue);
    minted constant text := 'command/' || request || case when project <> '' then '/' || project else '' end
                            || case when run > 1 then '~' || run else '' end;
    attempt_limit constant interval := (configured.runner_settings ->> 'time_limit')::interval + interval '15 minutes';
    wrong text;
begin
    wrong := case
        when request is null or request < 1 then 'request: its number'
        when project is null or octet_length(project) > 500 then 'project: up to 500 bytes, not null'
        when head_uri is null or head_uri = '' or octet_length(head_uri) > 2000 then 'head_uri: 1 to 2000 bytes'
        when octet_length(base_uri) > 2000 then 'base_uri: up to 2000 bytes'
        when run is null or run < 1 then 'run: from 1 on'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'trigger_command: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    insert into pipeline.command_run (queue, id, request, project, base_uri, head_uri, argv, time_limit,
                                      memory_limit, output_limit, disk_limit, created_at)
    values (configured.name, minted, trigger_command.request, trigger_command.project, trigger_command.base_uri,
            trigger_command.head_uri,
            array(select jsonb_array_elements_text(configured.runner_settings -> 'argv')),
            (configured.runner_settings ->> 'time_limit')::interval,
            (configured.runner_settings ->> 'memory_limit')::bigint,
            coalesce((configured.runner_settings ->> 'output_limit')::bigint, 67108864),
            (configured.runner_settings ->> 'disk_limit')::bigint, millrace.now())
    on conflict on constraint command_run_pkey do nothing;
    if found then
        -- Fetching and checking out come on top of the command's own time. The verdict on a head comes before those on
        -- its projects, and both before what a search for a culprit wants to know.
        update pipeline.command_run r
           set job = millrace.enqueue(configured.job_queue, 'pipeline.run',
                                      jsonb_build_object('queue', configured.name, 'build', minted),
                                      timeout => least(attempt_limit, interval '30 days'),
                                      priority => case when not exists (
                                          select
                                            from pipeline.request q
                                           where q.queue = configured.name and q.number = trigger_command.request
                                             and q.uri = trigger_command.head_uri) then 9
                                          when trigger_command.project <> '' then 6 else 5 end)
         where r.queue = configured.name and r.id = minted;
        perform pipeline.drop_old_logs(configured.name);
    end if;
    return minted;
end
$$;

-- What to execute. A run that has ended keeps its status: there is nothing to do.
create or replace function pipeline.start_command(queue text, id text)
returns table (request bigint, project text, base_uri text, head_uri text, argv text[], time_limit interval,
               status text, attempt int, memory_limit bigint, output_limit bigint, disk_limit bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update pipeline.command_run r
       set status = 'running', attempt = r.attempt + 1, started_at = millrace.now()
     where r.queue = start_command.queue and r.id = start_command.id and r.status in ('accepted', 'running');
    return query
    select r.request, r.project, r.base_uri, r.head_uri, r.argv, r.time_limit, r.status, r.attempt, r.memory_limit,
           r.output_limit, r.disk_limit
      from pipeline.command_run r
     where r.queue = start_command.queue and r.id = start_command.id;
end
$$;

-- What the command came to; the first to say so is believed.
create or replace function pipeline.finish_command(
    queue text, id text, status text, reason text, exit_code int, log_tail text, target_graph jsonb default null)
returns boolean  -- false: it had ended before
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if status is null or status not in ('succeeded', 'failed') then
        raise exception using errcode = 'MR005', message = 'finish_command: bad status',
            hint = 'Allowed for status: succeeded, failed.';
    elsif octet_length(log_tail) > 1048576 then
        raise exception using errcode = 'MR005', message = 'finish_command: bad log_tail',
            hint = 'Allowed for log_tail: up to 1048576 bytes.';
    end if;
    update pipeline.command_run r
       set status = finish_command.status, reason = left(finish_command.reason, 10000),
           exit_code = finish_command.exit_code, log_tail = finish_command.log_tail,
           target_graph = finish_command.target_graph, finished_at = millrace.now()
     where r.queue = finish_command.queue and r.id = finish_command.id and r.status in ('accepted', 'running');
    return found;
end
$$;

-- Calls a run off, with its job.
create or replace function pipeline.cancel_command(queue text, id text)
returns boolean  -- false: it had ended before
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    called_off bigint;
begin
    update pipeline.command_run r
       set status = 'cancelled', reason = 'cancelled', log_tail = pipeline.end_of_log(r.queue, r.id, r.attempt),
           finished_at = millrace.now()
     where r.queue = cancel_command.queue and r.id = cancel_command.id and r.status in ('accepted', 'running')
    returning coalesce(r.job, 0) into called_off;
    if not found then
        return false;
    end if;
    perform millrace.cancel_one(called_off, 'the build was called off');
    return true;
end
$$;

-- How far a run has come; no row: there is no such run.
create or replace function pipeline.command_status(queue text, id text)
returns table (status text, reason text, target_graph jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select r.status, r.reason, r.target_graph
      from pipeline.command_run r
     where r.queue = command_status.queue and r.id = command_status.id;
end
$$;
