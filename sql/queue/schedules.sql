-- create_schedule, drop_schedule, pause_schedule, resume_schedule, run_schedule_now: what a person does to schedules.
--
-- create_schedule is made to be part of every deployment: a schedule of that name is brought in line with the call, and
-- the answer says what has changed. What an operator did stays: one that is paused remains so. With another cron or
-- time zone it begins anew from now; a time that is due already is forgotten.
--
-- Arguments  name          1 … 100 of a-z, 0-9, "_", "." and "-"
--            cron          see cron.sql, and cron_runs.sql for time_zone
--            queue, kind, payload, priority, max_attempts, timeout    of the jobs, as in enqueue.sql
--            misfire       of times that were missed by more than a minute, see tick_schedules.sql: skip, once or all
--            jitter        each job is put off by a random part of this, up to 1 day
--            due_key       payload's member that is to hold the time that was due; null: none
-- Locks      the row of schedule; a tick that holds it is waited for.
-- Raises     MR003 unknown_queue, MR004 payload_too_large, MR005 bad_argument, MR014 unknown_schedule,
--            MR015 too_many_schedules.
-- Rows       4.

create or replace function millrace.create_schedule(
    name text,
    cron text,
    queue text,
    kind text,
    payload jsonb default '{}',
    time_zone text default 'UTC',
    misfire text default 'once',
    jitter interval default '0',
    priority int default 5,
    max_attempts int default null,
    timeout interval default null,
    due_key text default null,
    out outcome text,         -- created, changed or unchanged
    out changed text[],       -- the arguments that differ from before
    out next_run_at timestamptz)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    most_schedules constant int := 10000;
    rule constant millrace.cron := millrace.parse_cron(cron);
    admitted record;
    wrong text;
    wanted millrace.schedule;
    known millrace.schedule;
begin
    perform millrace.check_time_zone('create_schedule', time_zone);
    admitted := millrace.admit(queue, kind, priority, null, null, max_attempts, timeout, null, null, null);
    perform millrace.check_payload(payload, admitted.payload_limit);
    wrong := case
        when name is null or name !~ '^[a-z0-9][a-z0-9_.-]{0,99}$'
            then 'name: 1 to 100 of a-z, 0-9, "_", "." and "-", beginning with a letter or digit'
        when misfire is null or misfire not in ('skip', 'once', 'all') then 'misfire: skip, once or all'
        when jitter is null or jitter not between interval '0' and interval '1 day'
          or to_char(jitter, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'jitter: 0 to 1 day, no part negative'
        when due_key = '' or length(due_key) > 100 or due_key is not null and jsonb_typeof(payload) <> 'object'
          or payload ? due_key
            then 'due_key: 1 to 100 characters, with a payload that is an object without it; or null'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'create_schedule: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    wanted := row(null, name, cron, time_zone, misfire, jitter, false, admitted.queue_id, kind, payload, due_key,
                  priority, max_attempts, timeout, admitted.now, admitted.now);

    select s.* into known from millrace.schedule s where s.name = wanted.name for no key update;
    if not found then
        if (select count(*) from millrace.schedule) >= most_schedules then
            raise exception using errcode = 'MR015', message = format('there are %s schedules', most_schedules),
                hint = 'Drop some. For one time per customer or order, enqueue its job with run_at.';
        end if;
        known := millrace.insert_schedule(wanted);
        outcome := case when known.id is not null then 'created' end;
    end if;
    if known.id is null then  -- somebody else was just creating it, and was waited for
        known := millrace.locked_schedule('create_schedule', name);
    end if;
    changed := millrace.difference(known, wanted);
    outcome := coalesce(outcome, case when changed = '{}' then 'unchanged' else 'changed' end);
    if outcome = 'changed' then
        update millrace.schedule s
           set (cron, time_zone, misfire, jitter, queue_id, kind, payload, due_key, priority, max_attempts, timeout,
                changed_at)
             = (wanted.cron, wanted.time_zone, wanted.misfire, wanted.jitter, wanted.queue_id, wanted.kind,
                wanted.payload, wanted.due_key, wanted.priority, wanted.max_attempts, wanted.timeout, wanted.changed_at)
         where s.id = known.id;
    end if;
    if outcome = 'created' or changed && '{cron,time_zone}' then
        perform millrace.restart_schedule(known.id, rule, time_zone);
    end if;
    if outcome <> 'unchanged' then
        perform millrace.audit('create_schedule', jsonb_build_object('schedule', name, 'changed', changed), 1);
    end if;
    next_run_at := (millrace.due_of(known.id)).next_run_at;
end
$$;

-- Nothing when there is one of that name.
create or replace function millrace.insert_schedule(wanted millrace.schedule)
returns millrace.schedule
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known millrace.schedule;
begin
    insert into millrace.schedule as s (name, cron, time_zone, misfire, jitter, queue_id, kind, payload, due_key,
                                        priority, max_attempts, timeout, created_at, changed_at)
    select wanted.name, wanted.cron, wanted.time_zone, wanted.misfire, wanted.jitter, wanted.queue_id, wanted.kind,
           wanted.payload, wanted.due_key, wanted.priority, wanted.max_attempts, wanted.timeout, wanted.created_at,
           wanted.changed_at
    on conflict on constraint schedule_name_key do nothing
    returning s.* into known;
    return known;
end
$$;

create or replace function millrace.difference(known millrace.schedule, wanted millrace.schedule)
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(case w.key when 'queue_id' then 'queue' else w.key end order by w.key), '{}')
      from jsonb_each(to_jsonb(wanted)) w
      join jsonb_each(to_jsonb(known)) k on k.key = w.key
     where w.value <> k.value and w.key not in ('id', 'paused', 'created_at', 'changed_at')
$$;

create or replace function millrace.drop_schedule(name text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant millrace.schedule := millrace.locked_schedule('drop_schedule', name);
begin
    delete from millrace.schedule_due d where d.schedule_id = known.id;
    delete from millrace.schedule s where s.id = known.id;
    perform millrace.audit('drop_schedule', jsonb_build_object('schedule', name), 1);
end
$$;

create or replace function millrace.pause_schedule(name text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant millrace.schedule := millrace.locked_schedule('pause_schedule', name);
begin
    if not known.paused then
        update millrace.schedule s set paused = true where s.id = known.id;
        perform millrace.audit('pause_schedule', jsonb_build_object('schedule', name), 1);
    end if;
end
$$;

-- What was due during the pause was not missed: it was not wanted.
create or replace function millrace.resume_schedule(name text)
returns timestamptz  -- when it is due next
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant millrace.schedule := millrace.locked_schedule('resume_schedule', name);
begin
    if known.paused then
        update millrace.schedule s set paused = false where s.id = known.id;
        perform millrace.restart_schedule(known.id, millrace.parse_cron(known.cron), known.time_zone);
        perform millrace.audit('resume_schedule', jsonb_build_object('schedule', name), 1);
    end if;
    return (millrace.due_of(known.id)).next_run_at;
end
$$;

-- One job more, at once and without jitter, paused or not; the times to come are not touched.
create or replace function millrace.run_schedule_now(name text)
returns bigint  -- the job's id
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant millrace.schedule := millrace.locked_schedule('run_schedule_now', name);
    job constant bigint := millrace.fire_schedule(known, millrace.now(), 'by hand', 1);
begin
    perform millrace.audit('run_schedule_now', jsonb_build_object('schedule', name, 'job', job), 1);
    return job;
end
$$;

create or replace function millrace.locked_schedule(caller text, name text)
returns millrace.schedule
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known millrace.schedule;
begin
    select s.* into known from millrace.schedule s where s.name = locked_schedule.name for update;
    if not found then
        raise exception using errcode = 'MR014', message = format('%s: unknown schedule %L', caller, left(name, 100)),
            hint = 'The view millrace.schedules has their names.';
    end if;
    return known;
end
$$;
