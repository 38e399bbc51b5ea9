-- create_queue: a pipeline queue, which is a repository and a ref of it to be kept validated.
--
-- This form is for git and for the `command` runner, which checks the head out and runs an argument vector there. What
-- cannot work is refused now, not when the first head arrives.
--
-- Arguments  name            1 … 100 of a-z, 0-9, "_", ".", "/", "-"; for instance monorepo/main
--            remote          what git fetches from: a path, or an address with file, git, ssh, http or https
--            ref             a branch
--            command         the program and its arguments, run at the top of the work tree; never a shell
--            job_queue       where the jobs of its stages go; it exists
--            time_limit      of one run of the command, up to max_validation
--            max_concurrent  heads that are validated at once, 1 … 100
--            max_validation  of one build, the waiting included, up to 30 days
--            poll_accepted, poll_running  between looks at a build that waits, and at one that runs
-- Locks      none beyond the new row.
-- Raises     MR003 unknown_queue for job_queue, MR005 bad_argument, MR008 queue_exists.
-- Rows       1, and one of operator_action.

create or replace function pipeline.create_queue(
    name text,
    remote text,
    ref text,
    command text[],
    job_queue text default 'pipeline',
    time_limit interval default '1 hour',
    max_concurrent int default 1,
    max_validation interval default '2 hours',
    poll_accepted interval default '5 seconds',
    poll_running interval default '2 seconds')
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set intervalstyle = postgres  -- time_limit is kept as text
as $$
declare
    wrong text;
begin
    perform millrace.queue_id(job_queue);
    wrong := case
        when name is null or name !~ '^[a-z0-9][a-z0-9_./-]{0,99}$'
            then 'name: 1 to 100 of a-z, 0-9, "_", ".", "/" and "-", beginning with a letter or digit'
        else coalesce(pipeline.limits_complaint(max_concurrent, max_validation, time_limit, poll_accepted,
                                                poll_running),
                      pipeline.git_complaint(remote, ref), pipeline.command_complaint(command))
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'create_queue: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;

    insert into pipeline.queue as q (name, job_queue, source_control, source_settings, build_runner, runner_settings,
                                     max_concurrent, max_validation, poll_accepted, poll_running, created_at)
    values (create_queue.name, create_queue.job_queue,
            'git', jsonb_build_object('remote', remote, 'ref', ref),
            'command', jsonb_build_object('argv', command, 'time_limit', time_limit),
            create_queue.max_concurrent, create_queue.max_validation, create_queue.poll_accepted,
            create_queue.poll_running, millrace.now())
    on conflict on constraint queue_pkey do nothing;
    if not found then
        raise exception using errcode = 'MR008', message = format('pipeline queue %L exists', name),
            hint = 'Use it as it is, or choose another name.';
    end if;
    insert into pipeline.look (queue) values (create_queue.name);
    perform millrace.audit('pipeline.create_queue', jsonb_build_object('pipeline_queue', name), 1);
end
$$;

-- What is wrong with these settings, null when nothing is.
create or replace function pipeline.limits_complaint(
    max_concurrent int, max_validation interval, time_limit interval, poll_accepted interval, poll_running interval)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when max_concurrent is null or max_concurrent not between 1 and 100 then 'max_concurrent: 1 to 100'
        when max_validation is null or max_validation <= interval '0' or max_validation > interval '30 days'
          or to_char(max_validation, 'YYYYMMDDHH24MISSUS') ~ '-'  -- queue/create_queue.sql
            then 'max_validation: more than 0, up to 30 days, no part negative'
        when time_limit is null or time_limit < interval '1 second' or time_limit > max_validation
          or to_char(time_limit, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'time_limit: 1 second to max_validation, no part negative'
        when poll_accepted is null or poll_accepted not between interval '10 milliseconds' and interval '1 hour'
          or to_char(poll_accepted, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'poll_accepted: 10 milliseconds to 1 hour, no part negative'
        when poll_running is null or poll_running not between interval '10 milliseconds' and interval '1 hour'
          or to_char(poll_running, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'poll_running: 10 milliseconds to 1 hour, no part negative'
    end
$$;

-- What git may be told is the same for all workloads: a
-- transport that git does not bring along itself ("ext::") could run any program.
create or replace function pipeline.git_complaint(remote text, ref text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when not forks.is_remote(remote)
            then 'remote: an absolute path, or an address with file, git, ssh, http or https and without a password'
        when not forks.is_branch(ref) then 'ref: the name of a branch, up to 200 bytes'
    end
$$;

create or replace function pipeline.command_complaint(command text[])
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when command is null or cardinality(command) not between 1 and 1000 or array_ndims(command) <> 1
             or array_position(command, null) is not null or command[array_lower(command, 1)] = ''
             or (select sum(octet_length(word)) from unnest(command) word) > 65536
            then 'command: a program and up to 999 arguments, none of them null, 65536 bytes in all'
    end
$$;

-- The row of a pipeline queue's name; MR003 when there is none.
create or replace function pipeline.known_queue(name text)
returns pipeline.queue
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    known pipeline.queue;
begin
    select q.* into known from pipeline.queue q where q.name = known_queue.name;
    if not found then
        raise exception using errcode = 'MR003',
            message = format('unknown pipeline queue %s', coalesce(quote_literal(left(name, 100)), 'null')),
            hint = 'Create it first: select pipeline.create_queue(name, remote, ref, command).';
    end if;
    return known;
end
$$;
