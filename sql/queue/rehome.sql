-- rehome: moves the wide rows of waiting jobs out of a day that is about to be dropped.
--
--     available, scheduled, blocked, dead letter: the state stays, stored_on becomes the current storage day
--
-- The wide row is copied first, then the narrow row is pointed at the copy, under its own lock: whoever claims,
-- promotes or replays the job meanwhile is either before this, and the row is skipped here, or after it. A claim whose
-- snapshot is older than the change finds the new version and cannot see it; it goes away without that job, and the
-- next one takes it. The position stays, so that the job keeps its place and the low-water its invariant.
--
-- Running jobs are not moved: their partition stays until they have settled.
--
-- Locks   rows of ready, scheduled, blocked and dead_letter, in this order, SKIP LOCKED.
-- Raises  nothing.
-- Rows    at most 100,000 of each table; what is left over is moved by the next call.

create or replace function millrace.rehome_day(day date)
returns int  -- jobs moved
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    home constant date := millrace.storage_day();
    at_a_time constant int := 100000;
    moved int := 0;
    ids bigint[];
begin
    if home <= day then
        return 0;
    end if;
    ids := array(select r.job_id from millrace.ready r where r.stored_on = day limit at_a_time for update skip locked);
    perform millrace.copy_jobs(ids, day, home);
    update millrace.ready r set stored_on = home where r.stored_on = day and r.job_id = any (ids);
    moved := moved + cardinality(ids);

    ids := array(select s.job_id from millrace.scheduled s where s.stored_on = day limit at_a_time
                    for update skip locked);
    perform millrace.copy_jobs(ids, day, home);
    update millrace.scheduled s set stored_on = home where s.stored_on = day and s.job_id = any (ids);
    moved := moved + cardinality(ids);

    ids := array(select b.job_id from millrace.blocked b where b.stored_on = day limit at_a_time
                    for update skip locked);
    perform millrace.copy_jobs(ids, day, home);
    update millrace.blocked b set stored_on = home where b.stored_on = day and b.job_id = any (ids);
    moved := moved + cardinality(ids);

    ids := array(select d.job_id from millrace.dead_letter d where d.stored_on = day limit at_a_time
                    for update skip locked);
    perform millrace.copy_jobs(ids, day, home);
    update millrace.dead_letter d set stored_on = home where d.stored_on = day and d.job_id = any (ids);
    return moved + cardinality(ids);
end
$$;

-- A job's wide row may stand under two days for a moment; the narrow row says which one counts.
create or replace function millrace.copy_jobs(ids bigint[], from_day date, to_day date)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into millrace.job (id, enqueued_at, stored_on, queue_id, priority, max_attempts, kind, payload, timeout,
                              traceparent, concurrency_key, unique_key, unique_until, batch_id,
                              retry_delays, expires_at)
    select j.id, j.enqueued_at, to_day, j.queue_id, j.priority, j.max_attempts, j.kind, j.payload, j.timeout,
           j.traceparent, j.concurrency_key, j.unique_key, j.unique_until, j.batch_id, j.retry_delays, j.expires_at
      from millrace.job j
     where j.stored_on = from_day and j.id = any (ids)
    on conflict do nothing
$$;
