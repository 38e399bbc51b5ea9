-- clock: the one source of time.
--
-- Every function here asks millrace.now(), so that a test can replace it by one that reads a table and move time by
-- hand. It is the server's clock and moves within a transaction: a lease taken late in a long transaction starts late.
--
-- Locks   none.
-- Raises  nothing.

create or replace function millrace.now()
returns timestamptz
language sql volatile
as $$ select pg_catalog.clock_timestamp() $$;

-- The day (UTC) under which a job enqueued now is stored: today, kept within the days that have partitions. Should
-- nobody have made tomorrow's partition, jobs go on landing in the newest one; enqueue() never fails for its lack.
create or replace function millrace.storage_day()
returns date
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select greatest(i.first_day, least((millrace.now() at time zone 'utc')::date, i.last_day))
      from millrace.installation i
$$;
