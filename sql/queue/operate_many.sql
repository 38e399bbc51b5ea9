-- retry_many, replay_many, cancel_many, discard_many: what a person does to many jobs of one queue.
--
--     retry_many    scheduled, waiting for its retry ──► available or blocked, as retry()
--     replay_many   dead_letter ──► available or blocked, as replay()
--     cancel_many   available, scheduled, blocked ──► finished 'cancelled', as cancel(); running is asked to stop
--     discard_many  dead_letter ──► finished 'cancelled', for good; it shows its error until its retention is over
--
-- Each asks first and acts when told to: dry_run => false. The jobs are looked for, then locked, then moved by the code
-- that moves one. What is no longer there when its turn comes, what somebody else holds just then, and what another job
-- with the same unique key keeps a dead letter is skipped; nothing is waited for.
--
-- Which of the jobs that match are taken when there are more than max_jobs is not said; but dead letters whose unique
-- key another job has, or which may not begin any more, come last: they stand in nobody's way. Called again while
-- `changed` is not 0, it ends.
--
-- Arguments  filter    a JSON object, of which each key makes the choice smaller; at least one:
--                      all           true, and no other key: all that may be moved so
--                      jobs          [id, …], up to 10,000
--                      kind          1 … 100 characters
--                      error         of the last failure, as in LIKE: % any text, _ any character; no escape character
--                      older_than    an interval, 0 … 10 years: since it was discarded, has failed (what waits for its
--                      newer_than    retry), or was enqueued (all others)
--                      state         cancel_many only: available, scheduled, blocked or running
--            max_jobs  1 … 10,000
--            dry_run   true: only say how many match
--            reason    kept with the jobs, up to 1,000 characters
-- Locks      the jobs' narrow rows, SKIP LOCKED; of running FOR KEY SHARE. For a replay the unique keys of its jobs: it
--            waits for whoever is just enqueueing the same.
-- Raises     MR003 unknown_queue, MR005 bad_argument.
-- Rows       max_jobs times those of the action on one, and one of operator_action. As much of the queue is read as it
--            takes to find that many.

create or replace function millrace.act_on_many(
    action text, queue text, filter jsonb, max_jobs int, dry_run boolean, reason text,
    out matched int, out changed int, out skipped int, out more boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
declare
    of_queue constant int := millrace.queue_id(queue);
    wanted record;
    found_jobs bigint[];
    places tid[];
    held bigint[];
    moved bigint[] := '{}';
    job bigint;
    state text;
begin
    if max_jobs is null or max_jobs not between 1 and 10000 then
        raise exception using errcode = 'MR005', message = action || ': bad max_jobs',
            hint = 'Allowed for max_jobs: 1 to 10000.';
    elsif length(reason) > 1000 then
        raise exception using errcode = 'MR005', message = action || ': bad reason',
            hint = 'Allowed for reason: up to 1000 characters.';
    end if;
    wanted := millrace.read_filter(action, filter);
    select coalesce(array_agg(m.job_id), '{}'), coalesce(array_agg(m.place) filter (where m.place is not null), '{}')
      into found_jobs, places
      from millrace.matching(of_queue, wanted.states, wanted.kind, wanted.error, wanted.older_than, wanted.newer_than,
                             wanted.jobs, max_jobs + 1) m;
    if action = 'replay_many' and cardinality(found_jobs) <= max_jobs then  -- and those that cannot come back now
        found_jobs := found_jobs || array(
            select m.job_id
              from millrace.matching(of_queue, '{tied}', wanted.kind, wanted.error, wanted.older_than,
                                     wanted.newer_than, wanted.jobs, max_jobs + 1 - cardinality(found_jobs)) m
             where m.job_id <> all (found_jobs));
    end if;
    more := cardinality(found_jobs) > max_jobs;
    found_jobs := found_jobs[: max_jobs];
    matched := cardinality(found_jobs);
    if dry_run is not false then
        changed := 0;
        skipped := 0;
        return;
    end if;

    held := millrace.hold_many(wanted.states, found_jobs, places);
    if action = 'discard_many' then
        moved := millrace.throw_away(held, coalesce(reason, 'thrown away'));
    else
        foreach job in array held
        loop
            state := case action when 'retry_many' then millrace.retry_one(job)
                                 when 'replay_many' then millrace.replay_one(job)
                                 when 'cancel_many' then millrace.cancel_one(job, reason) end;
            if state not in ('discarded', 'expired') then
                moved := moved || job;
            end if;
        end loop;
    end if;
    changed := cardinality(moved);
    skipped := matched - changed;
    if changed > 0 then
        perform millrace.audit(action, jsonb_strip_nulls(jsonb_build_object(
                                   'queue', queue, 'filter', filter, 'reason', reason, 'jobs', moved)), changed);
    end if;
end
$$;

-- What a filter says, or an error.
create or replace function millrace.read_filter(
    action text, filter jsonb,
    out states text[], out kind text, out error text, out older_than timestamptz, out newer_than timestamptz,
    out jobs bigint[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant text[] := '{all,jobs,kind,error,older_than,newer_than}'
                             || case action when 'cancel_many' then '{state}' else '{}' end::text[];
    ages interval[];
    wrong text;
begin
    wrong := case
        when filter is null or jsonb_typeof(filter) <> 'object' then 'a JSON object, for example ''{"kind": "report"}'''
        when not array(select jsonb_object_keys(filter)) <@ known
            then format('the keys %s', array_to_string(known, ', '))
        when filter = '{}' then '{"all": true}, or a smaller choice'
        when filter ? 'all' and filter <> '{"all": true}' then '{"all": true} by itself'
        when filter ? 'jobs' and (jsonb_typeof(filter -> 'jobs') <> 'array' or filter -> 'jobs' = '[]')
            then 'jobs, an array of 1 to 10000 ids'
        when filter ? 'kind' and (jsonb_typeof(filter -> 'kind') <> 'string'
                                  or length(filter ->> 'kind') not between 1 and 100)
            then 'kind, 1 to 100 characters'
        when filter ? 'error' and (jsonb_typeof(filter -> 'error') <> 'string'
                                   or length(filter ->> 'error') not between 1 and 1000)
            then 'error, 1 to 1000 characters'
        when filter ? 'state' and filter -> 'state' not in ('"available"', '"scheduled"', '"blocked"', '"running"')
            then 'state, one of available, scheduled, blocked, running'
    end;
    if wrong is null then
        begin
            jobs := case when filter ? 'jobs' then
                array(select i::bigint from jsonb_array_elements_text(filter -> 'jobs') i limit 10001) end;
            ages := array[(filter ->> 'older_than')::interval, (filter ->> 'newer_than')::interval];
            wrong := case
                when cardinality(jobs) > 10000 or array_position(jobs, null) is not null
                    then 'jobs, an array of 1 to 10000 ids'
                when exists (select from unnest(ages) a
                              where a not between interval '0' and interval '10 years'
                                 or to_char(a, 'YYYYMMDDHH24MISSUS') ~ '-')  -- create_queue.sql
                    then 'older_than and newer_than, 0 to 10 years, no part negative'
                when filter ?| '{older_than,newer_than}' and array_remove(ages, null) = '{}'
                    then 'older_than and newer_than, an interval'
            end;
        exception when data_exception then
            wrong := 'jobs, an array of ids; older_than and newer_than, intervals as text';
        end;
    end if;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = action || ': bad filter',
            hint = 'Allowed for filter: ' || wrong || '.';
    end if;
    states := case
        when action = 'retry_many' then '{retrying}'
        when action = 'replay_many' then '{replayable}'
        when action = 'discard_many' then '{discarded}'
        when filter ->> 'state' = 'scheduled' then '{scheduled,retrying}'
        when filter ? 'state' then array[filter ->> 'state']
        else '{available,scheduled,retrying,blocked,running}'
    end;
    kind := filter ->> 'kind';
    error := filter ->> 'error';
    older_than := millrace.now() - ages[1];
    newer_than := millrace.now() - ages[2];
end
$$;

-- The jobs of a queue that a filter chooses, in no order: what is sorted must all be read first.
create or replace function millrace.matching(
    of_queue int, states text[], kind text, error text, older_than timestamptz, newer_than timestamptz, jobs bigint[],
    most int)
returns table (job_id bigint, place tid)  -- the place of what has no index by job
language sql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    select w.job_id, w.place
      from (select r.job_id, r.stored_on, r.ctid as place, null::text as error, null::timestamptz as since,
                   r.attempt > 0 as has_failed, false as is_retrying
              from millrace.ready r
             where r.queue_id = of_queue and 'available' = any (states)
            union all
            select s.job_id, s.stored_on, null, null, null, s.attempt > 0, s.waits_for = 'retry'
              from millrace.scheduled s
             where s.queue_id = of_queue
               and case s.waits_for when 'retry' then 'retrying' else 'scheduled' end = any (states)
            union all
            select b.job_id, b.stored_on, null, null, null, b.attempt > 0, false
              from millrace.blocked b
             where b.queue_id = of_queue and 'blocked' = any (states)
            union all
            select r.job_id, r.stored_on, null, null, null, r.attempt > 1, false
              from millrace.running r
             where r.queue_id = of_queue and 'running' = any (states)
               and not exists (select from millrace.cancel_request c where c.job_id = r.job_id and c.fence = r.fence)
            union all
            select d.job_id, d.stored_on, null, d.error, d.discarded_at, false, false
              from millrace.dead_letter d
             where d.queue_id = of_queue and states && '{discarded,replayable,tied}') w
      join millrace.job j on j.id = w.job_id and j.stored_on = w.stored_on
      left join lateral (select f.error, f.failed_at
                           from millrace.attempt_failure f
                          where f.job_id = w.job_id and w.has_failed
                          order by f.failed_at desc
                          limit 1) f on true
     where (matching.kind is null or j.kind = matching.kind)
       and (matching.error is null or coalesce(w.error, f.error) like matching.error escape '')
       and (matching.jobs is null or w.job_id = any (matching.jobs))
       and (matching.older_than is null
            or coalesce(w.since, case when w.is_retrying then f.failed_at end, j.enqueued_at) <= matching.older_than)
       and (matching.newer_than is null
            or coalesce(w.since, case when w.is_retrying then f.failed_at end, j.enqueued_at) > matching.newer_than)
       and (w.since is null  -- no dead letter
            or 'discarded' = any (states)
            or case when j.expires_at <= millrace.now()
                         or j.unique_until = 'finished'
                            and exists (select from millrace.unique_job u
                                         where (u.queue_id, u.unique_key) = (of_queue, j.unique_key))
                    then 'tied' else 'replayable' end = any (states))
     limit most
$$;

-- Locks those of the jobs that are still there and that nobody else holds.
create or replace function millrace.hold_many(states text[], jobs bigint[], places tid[])
returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    held bigint[] := '{}';
begin
    if states && '{replayable,discarded}' then
        return array(select d.job_id from millrace.dead_letter d where d.job_id = any (jobs) order by d.job_id
                        for update skip locked);
    end if;
    if 'available' = any (states) then
        held := array(select r.job_id from millrace.ready r where r.ctid = any (places) and r.job_id = any (jobs)
                         for update skip locked);
    end if;
    if states && '{scheduled,retrying}' then
        held := held || array(select s.job_id from millrace.scheduled s
                               where s.job_id = any (jobs)
                                 and case s.waits_for when 'retry' then 'retrying' else 'scheduled' end = any (states)
                                 for update skip locked);
    end if;
    if 'blocked' = any (states) then
        held := held || array(select b.job_id from millrace.blocked b where b.job_id = any (jobs)
                                 for update skip locked);
    end if;
    if 'running' = any (states) then
        held := held || array(select r.job_id from millrace.running r where r.job_id = any (jobs)
                                 for key share skip locked);
    end if;
    return held;
end
$$;

-- Dead letters for good. Their slots, unique keys and places in batches have ended before. Without the fence: it is not
-- its holder who ends it.
create or replace function millrace.throw_away(jobs bigint[], reason text)
returns bigint[]  -- those that were dead letters
language sql
set search_path = pg_catalog, pg_temp
as $$
    with gone as (
        delete from millrace.dead_letter d where d.job_id = any (jobs)
        returning d.job_id, d.stored_on, d.queue_id, d.worker, d.attempt, d.error
    ), kept as (
        insert into millrace.finished (job_id, finished_at, stored_on, queue_id, worker, outcome, attempt, note)
        select g.job_id, millrace.now(), g.stored_on, g.queue_id, g.worker, 'cancelled', g.attempt,
               concat_ws(': ', reason, g.error)
          from gone g
    ), counted as (
        insert into millrace.queue_delta (queue_id, dead, cancelled)
        select g.queue_id, -count(*), count(*) from gone g group by g.queue_id
    )
    select coalesce(array_agg(g.job_id order by g.job_id), '{}') from gone g
$$;

create or replace function millrace.retry_many(
    queue text, filter jsonb, max_jobs int default 1000, dry_run boolean default true,
    out matched int, out changed int, out skipped int, out more boolean)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select * from millrace.act_on_many('retry_many', queue, filter, max_jobs, dry_run, null) $$;

create or replace function millrace.replay_many(
    queue text, filter jsonb, max_jobs int default 1000, dry_run boolean default true,
    out matched int, out changed int, out skipped int, out more boolean)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select * from millrace.act_on_many('replay_many', queue, filter, max_jobs, dry_run, null) $$;

create or replace function millrace.cancel_many(
    queue text, filter jsonb, max_jobs int default 1000, dry_run boolean default true, reason text default null,
    out matched int, out changed int, out skipped int, out more boolean)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select * from millrace.act_on_many('cancel_many', queue, filter, max_jobs, dry_run, reason) $$;

create or replace function millrace.discard_many(
    queue text, filter jsonb, max_jobs int default 1000, dry_run boolean default true, reason text default null,
    out matched int, out changed int, out skipped int, out more boolean)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select * from millrace.act_on_many('discard_many', queue, filter, max_jobs, dry_run, reason) $$;
