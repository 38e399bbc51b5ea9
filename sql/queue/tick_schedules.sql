-- tick_schedules: enqueues the jobs of schedules that are due, and says when the next is.
--
-- Every worker runs it. A tick holds the row of a schedule, passes over those that another holds, and enqueues and
-- moves on in one transaction: each due time is dealt with once, whoever dies. A schedule moves from due time to due
-- time, not from now: no clock that jumps brings a time back or leaves one out.
--
-- A time is missed when no tick has come for more than a minute. By the schedule's `misfire`,
--     skip    what was missed is recorded as skipped,
--     once    all times up to now are made up for by one job, with the due time of the first,
--     all     each has its job, the first first; what was missed by more than 31 days is skipped.
-- A schedule that cannot enqueue says why in `schedules.error`; its time stays due, and is tried again every minute.
--
-- Arguments  max_jobs  1 … 1000, of all schedules together
-- Locks      rows of schedule, SKIP LOCKED.
-- Raises     MR005 bad_argument.
-- Rows       per job those of enqueue() and 1; 2 or 3 per schedule, of which 1000.

create or replace function millrace.tick_schedules(
    max_jobs int default 1000,
    out enqueued int, out next_run_at timestamptz)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    most_schedules constant int := 1000;  -- those that skip what they missed make no job
    at constant timestamptz := millrace.now();
    due int;
begin
    if max_jobs is null or max_jobs not between 1 and 1000 then
        raise exception using errcode = 'MR005', message = 'tick_schedules: bad max_jobs',
            hint = 'Allowed for max_jobs: 1 to 1000.';
    end if;
    enqueued := 0;
    for due in select l.schedule_id
                 from millrace.next_looks() l
                where l.look_at <= at
                order by l.look_at, l.schedule_id
                limit most_schedules
    loop
        exit when enqueued >= max_jobs;
        enqueued := enqueued + millrace.tick_schedule(due, at, max_jobs - enqueued);
    end loop;
    select min(l.look_at) into next_run_at from millrace.next_looks() l;
end
$$;

create or replace function millrace.next_looks()
returns table (schedule_id int, look_at timestamptz)
language sql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    select s.id, d.look_at
      from millrace.schedule s
     cross join lateral (select d.look_at
                           from millrace.schedule_due d
                          where d.schedule_id = s.id
                          order by d.version desc
                          limit 1) d
     where not s.paused
$$;

create or replace function millrace.due_of(schedule_id int)
returns millrace.schedule_due
language sql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    select d.* from millrace.schedule_due d where d.schedule_id = $1 order by d.version desc limit 1
$$;

-- The lock first, then what is due: another tick may have dealt with it since we looked.
create or replace function millrace.tick_schedule(schedule_id int, at timestamptz, max_jobs int)
returns int  -- jobs
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known millrace.schedule;
    due millrace.schedule_due;
begin
    select s.* into known from millrace.schedule s where s.id = $1 and not s.paused for no key update skip locked;
    if not found then
        return 0;
    end if;
    due := millrace.due_of(known.id);
    if due.look_at > at then
        return 0;
    end if;
    begin
        return millrace.run_due(known, due, at, max_jobs);
    exception when others then
        -- One that cannot run must not keep the others from it.
        perform millrace.replace_due(due, due.next_run_at, at + interval '1 minute', due.last_due_at, sqlerrm);
        return 0;
    end;
end
$$;

create or replace function millrace.run_due(known millrace.schedule, due millrace.schedule_due, at timestamptz,
                                            max_jobs int)
returns int  -- jobs
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    grace constant interval := '1 minute';
    most_counted constant int := 1000;
    rule constant millrace.cron := millrace.parse_cron(known.cron);
    wanted_from constant timestamptz := case known.misfire when 'skip' then at - grace
                                                           when 'all' then at - interval '31 days'
                                                           else '-infinity' end;
    next timestamptz := due.next_run_at;
    missed timestamptz[];
    jobs int := 0;
begin
    if known.misfire = 'skip' and due.error is not null then  -- what could not be enqueued is not skipped
        perform millrace.fire_schedule(known, next, case when next >= at - grace then 'on time' else 'caught up' end,
                                       1);
        next := millrace.next_due(rule, known.time_zone, next);
        jobs := 1;
    end if;
    if next < wanted_from then
        missed := array(select r.run_at
                          from millrace.cron_runs(rule, known.time_zone, next, most_counted - 1,
                                                  wanted_from - interval '1 us') r);
        perform millrace.note_run(known.id, next, null, cardinality(missed) + 1, 'skipped');
        next := millrace.next_due(rule, known.time_zone, wanted_from - interval '1 us');
    end if;
    if known.misfire = 'once' then
        missed := array(select r.run_at from millrace.cron_runs(rule, known.time_zone, next, most_counted - 1, at) r);
        perform millrace.fire_schedule(known, next, case when missed = '{}' and next >= at - grace
                                                         then 'on time' else 'caught up' end, cardinality(missed) + 1);
        next := millrace.next_due(rule, known.time_zone, at);
        jobs := 1;
    end if;
    while next <= at and jobs < max_jobs
    loop
        perform millrace.fire_schedule(known, next, case when next >= at - grace then 'on time' else 'caught up' end,
                                       1);
        next := millrace.next_due(rule, known.time_zone, next);
        jobs := jobs + 1;
    end loop;
    perform millrace.replace_due(due, next, next, least(at, next - interval '1 us'), null);
    return jobs;
end
$$;

create or replace function millrace.next_due(rule millrace.cron, time_zone text, after timestamptz)
returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select r.run_at from millrace.cron_runs(rule, time_zone, after, 1) r
$$;

-- A job for one due time. Jitter puts off the job, never the schedule.
create or replace function millrace.fire_schedule(known millrace.schedule, due_at timestamptz, how text, times int)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    from_time constant timestamptz := case how when 'on time' then due_at else millrace.now() end;
    job constant bigint := millrace.enqueue(
        (select q.name from millrace.queue q where q.id = known.queue_id), known.kind,
        case when known.due_key is null then known.payload
             else known.payload || jsonb_build_object(known.due_key, to_char(due_at at time zone 'UTC',
                                                                             'YYYY-MM-DD"T"HH24:MI:SS"Z"')) end,
        known.priority,
        run_at => case when how <> 'by hand' and known.jitter > interval '0'
                       then from_time + random() * known.jitter end,
        max_attempts => known.max_attempts, timeout => known.timeout);
begin
    perform millrace.note_run(known.id, due_at, job, times, how);
    return job;
end
$$;

create or replace function millrace.note_run(schedule_id int, due_at timestamptz, job bigint, times int, how text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into millrace.schedule_run (schedule_id, due_at, fired_at, job_id, times, how)
    values (schedule_id, due_at, millrace.now(), job, times, how)
$$;

-- Who calls it holds the schedule's row.
create or replace function millrace.replace_due(due millrace.schedule_due, next_run_at timestamptz, look_at timestamptz,
                                                last_due_at timestamptz, error text)
returns void
language sql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    delete from millrace.schedule_due d where d.schedule_id = due.schedule_id and d.version = due.version;
    insert into millrace.schedule_due (schedule_id, version, next_run_at, look_at, last_due_at, error)
    values (due.schedule_id, due.version + 1, next_run_at, look_at, last_due_at, left(error, 1000));
$$;

-- From now on, but never again at a time that was dealt with, should the clock have been set back.
create or replace function millrace.restart_schedule(schedule_id int, rule millrace.cron, time_zone text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    due millrace.schedule_due := millrace.due_of(schedule_id);
    next timestamptz;
begin
    due.schedule_id := schedule_id;
    due.version := coalesce(due.version, -1);
    next := millrace.next_due(rule, time_zone, greatest(millrace.now(), due.last_due_at));
    perform millrace.replace_due(due, next, next, due.last_due_at, null);
    perform pg_notify('millrace:chores', 'schedules');
end
$$;
