-- command_log: what the commands of builds write, while they run and afterwards; and the limits that hold for them.
--
-- A log is a sequence of texts, each of which begins where the one before ends. Every attempt has its own, and only the
-- last one that was started may write: a worker that has lost its lease is told so by a false.
--
-- Arguments  attempt        as start_command counts it
--            start_byte     bytes of the attempt's log before this text
--            memory_limit   bytes that belong to the processes of the command together, from 1 MiB on; null: none
--            output_limit   bytes that they may write to standard output and error, 64 KiB … 1 GiB
--            disk_limit     bytes of the work tree, from 1 MiB on, those shared with the mirror not counted; null: none
-- Locks   none that another text waits for.
-- Raises  MR003 unknown_queue, MR005 bad_argument.
-- Rows    1; read_command_log up to `most`; the logs of up to 10 runs that ended more than 30 days ago.

-- What the running attempt has written since its last text. Of one that was called off the last words are kept as well.
create or replace function pipeline.append_command_log(queue text, id text, attempt int, start_byte bigint, text text)
returns boolean  -- false: it is not, or no longer, that attempt that runs
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    status text;
    wrong text;
begin
    wrong := case
        when text is null or octet_length(text) not between 1 and 1048576 then 'text: 1 to 1048576 bytes'
        when start_byte is null or start_byte < 0 then 'start_byte: 0 or more'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'append_command_log: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    select r.status into status from pipeline.command_run r
     where r.queue = append_command_log.queue and r.id = append_command_log.id
       and r.status in ('running', 'cancelled') and r.attempt = append_command_log.attempt;
    if not found then
        return false;
    end if;
    insert into pipeline.command_log (queue, id, attempt, start_byte, text, at)
    values (append_command_log.queue, append_command_log.id, append_command_log.attempt, append_command_log.start_byte,
            append_command_log.text, millrace.now())
    on conflict on constraint command_log_pkey do nothing;  -- sent again after an answer that was lost
    if status = 'cancelled' and found then
        update pipeline.command_run r set log_tail = right(concat(r.log_tail, append_command_log.text), 65536)
         where r.queue = append_command_log.queue and r.id = append_command_log.id;
    end if;
    return status = 'running';
end
$$;

-- The end of an attempt's log as far as it is known, for a run that nobody finishes.
create or replace function pipeline.end_of_log(queue text, id text, attempt int)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select right(string_agg(l.text, '' order by l.start_byte), 65536)
      from pipeline.command_log l
     where l.queue = $1 and l.id = $2 and l.attempt = $3
       and l.start_byte >= (select max(m.start_byte) - 65536
                              from pipeline.command_log m
                             where m.queue = $1 and m.id = $2 and m.attempt = $3)
$$;

-- What comes after the text that begins at this byte of this attempt, in order; from the beginning with nulls.
create or replace function pipeline.read_command_log(
    queue text, id text, after_attempt int default null, after_byte bigint default null, most int default 100)
returns table (attempt int, start_byte bigint, text text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select l.attempt, l.start_byte, l.text
      from pipeline.command_log l
     where l.queue = read_command_log.queue and l.id = read_command_log.id
       and (l.attempt, l.start_byte) > (coalesce(after_attempt, 0), coalesce(after_byte, -1))
     order by l.attempt, l.start_byte
     limit least(greatest(coalesce(most, 100), 1), 1000)
$$;

-- The builds of that id, for somebody who wants to see their logs: a pipeline queue each. None: there is no such build.
create or replace function pipeline.command_runs_of(id text, queue text default null)
returns table (queue text, status text, reason text, attempt int, is_log_gone boolean)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select r.queue, r.status, r.reason, r.attempt, r.is_log_gone
      from pipeline.queue q
      join pipeline.command_run r on r.queue = q.name and r.id = command_runs_of.id
     where command_runs_of.queue is null or q.name = command_runs_of.queue
     order by r.queue
     limit 100
$$;

create or replace function pipeline.drop_old_logs(queue text)
returns int  -- of how many runs
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    too_old constant timestamptz := millrace.now() - interval '30 days';
    dropped int := 0;
    run record;
begin
    for run in
        select r.id from pipeline.command_run r
         where r.queue = drop_old_logs.queue and not r.is_log_gone and r.finished_at < too_old
         order by r.finished_at
         limit 10
           for update skip locked
    loop
        delete from pipeline.command_log l where l.queue = drop_old_logs.queue and l.id = run.id;
        -- Its target graph as well, which the build has, unless nobody has looked at its end yet.
        update pipeline.command_run r
           set is_log_gone = true,
               target_graph = case when not exists (select
                                                      from pipeline.build b
                                                     where b.queue = r.queue and b.id = r.id
                                                       and b.status in ('succeeded', 'failed', 'cancelled'))
                                   then r.target_graph end
         where r.queue = drop_old_logs.queue and r.id = run.id;
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;

create or replace function pipeline.command_limits_complaint(
    memory_limit bigint, output_limit bigint, disk_limit bigint)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when memory_limit < 1048576 then 'memory_limit: 1048576 bytes or more, or null'
        when output_limit is null or output_limit not between 65536 and 1073741824
            then 'output_limit: 65536 to 1073741824 bytes'
        when disk_limit < 1048576 then 'disk_limit: 1048576 bytes or more, or null'
    end
$$;

-- For the builds that are triggered from now on.
create or replace function pipeline.limit_command(
    queue text, memory_limit bigint default null, output_limit bigint default 67108864, disk_limit bigint default null)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    limited constant pipeline.queue := pipeline.known_queue(queue);
    wrong text;
begin
    wrong := case
        when limited.build_runner <> 'command' then 'queue: one whose build runner is `command`'
        else pipeline.command_limits_complaint(memory_limit, output_limit, disk_limit)
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'limit_command: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    update pipeline.queue q
       set runner_settings = q.runner_settings - '{memory_limit,disk_limit}'::text[]
                             || jsonb_strip_nulls(jsonb_build_object('memory_limit', memory_limit, 'output_limit',
                                                                     output_limit, 'disk_limit', disk_limit))
     where q.name = limited.name;
    perform millrace.audit('pipeline.limit_command', jsonb_build_object('pipeline_queue', limited.name), 1);
end
$$;
