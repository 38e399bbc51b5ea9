-- promote: scheduled jobs whose time has come become available; what the notes of all queues ask for is done; and
-- queues are woken for whose tokens jobs have waited (rate.sql).
--
--     scheduled ──promote──► available
--     scheduled ──promote──► blocked         where it has a concurrency key, and no slot yet
--
-- Every worker runs it; rows that another promoter holds are skipped. `since` is where the scan of the times begins:
-- under a pinned vacuum horizon the entries of jobs promoted long ago stay in the index, and a scan from the start
-- would pass them all every time. A job that was committed only after its time had passed `since` is found by the next
-- call without it, which workers make every half minute.
--
-- Arguments  max_jobs  1 … 10,000
-- Returns    how many it was, and when to call again: for the next job, or for a token that jobs wait for.
-- Locks      rows of scheduled, SKIP LOCKED; then advisory ones, see follow_up.sql and rate.sql.
-- Raises     MR005 bad_argument.
-- Rows       2 per job, 1 per queue and concurrency key.

create or replace function millrace.promote(
    max_jobs int default 1000, since timestamptz default '-infinity',
    out promoted int, out next_run_at timestamptz)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    at constant timestamptz := millrace.now();
    from_time constant timestamptz := coalesce(since, '-infinity');
    woken int[];
begin
    if max_jobs is null or max_jobs not between 1 and 10000 then
        raise exception using errcode = 'MR005', message = 'promote: bad max_jobs',
            hint = 'Allowed for max_jobs: 1 to 10000.';
    end if;
    with due as materialized (
        select s.ctid
          from millrace.scheduled s
         where s.run_at >= from_time and s.run_at <= at
         order by s.run_at, s.job_id
         limit max_jobs
           for update skip locked
    ), gone as (
        delete from millrace.scheduled s
         where s.ctid = any (array(select d.ctid from due d))
        returning s.job_id, s.stored_on, s.queue_id, s.priority, s.attempt, s.key
    ), available as (
        insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
        select g.job_id, g.stored_on, g.queue_id, g.priority, g.attempt
          from gone g
         where g.key is null
         order by g.job_id
    ), needs_slot as (
        insert into millrace.blocked (job_id, stored_on, queue_id, priority, attempt, key)
        select g.job_id, g.stored_on, g.queue_id, g.priority, g.attempt, g.key from gone g where g.key is not null
    ), noted as (
        insert into millrace.follow_up (queue_id, job_id, what, key)
        select g.queue_id, min(g.job_id), 'arrived', g.key
          from gone g
         where g.key is not null
         group by g.queue_id, g.key
    ), counted as (
        insert into millrace.queue_delta (queue_id, available, blocked, scheduled)
        select g.queue_id, count(*) filter (where g.key is null), count(g.key), -count(*)
          from gone g
         group by g.queue_id
    )
    select count(*), array_agg(distinct g.queue_id) into promoted, woken from gone g;

    perform millrace.wake(q) from unnest(woken) q;
    perform millrace.look_at_keys(max_jobs, from_time);
    perform millrace.follow_up_all();
    next_run_at := least(
        millrace.wake_rated(),
        (select d.due_at from millrace.key_due d where d.due_at >= from_time order by d.due_at limit 1),
        (select s.run_at from millrace.scheduled s where s.run_at >= from_time order by s.run_at limit 1));
end
$$;
