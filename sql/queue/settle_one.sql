-- complete, fail, snooze, discard: settle one job, or raise.
--
--     running ──► finished | scheduled | dead_letter        as in settle.sql
--
-- For handlers that settle in the transaction in which they write their effects: where the lease is lost, the error
-- takes the effects back with it. The same call may be repeated after a lost connection.
--
-- Locks   the job's row of running.
-- Raises  MR001 lease_lost, MR005 bad_argument.
-- Rows    2 to 4.

create or replace function millrace.raise_lease_lost(fence bigint, job_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'MR001',
        message = format('lease lost: fence %s does not hold job %s', coalesce(fence::text, 'null'),
                         coalesce(job_id::text, 'null')),
        hint = 'The job was settled or given to another worker. Drop this attempt''s result.';
end
$$;

create or replace function millrace.settle_one(
    fence bigint, job_id bigint, outcome text, error text, delay interval, result jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    lost bigint[];
begin
    if outcome = 'completed' then
        lost := millrace.settle_many(array[job_id], array[fence],
                                     results => case when result is not null then array[result] end);
    else
        lost := millrace.settle_many(array[job_id], array[fence], array[outcome], array[error], array[delay]);
    end if;
    if lost <> '{}' then
        perform millrace.raise_lease_lost(fence, job_id);
    end if;
end
$$;

create or replace function millrace.complete(fence bigint, job_id bigint, result jsonb default null)
returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select millrace.settle_one(fence, job_id, 'completed', null, null, result) $$;

create or replace function millrace.fail(fence bigint, job_id bigint, error text, retry_in interval default null)
returns text  -- scheduled: it will be tried again; discarded: that was its last attempt; cancelled: that was asked for
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform millrace.settle_one(fence, job_id, 'failed', error, retry_in, null);
    return case when not exists (select from millrace.attempt_failure f
                                  where f.job_id = fail.job_id and f.fence = fail.fence and f.next_run_at is null)
                then 'scheduled'
                when millrace.is_cancelled(fence, job_id) then 'cancelled'
                else 'discarded' end;
end
$$;

create or replace function millrace.snooze(fence bigint, job_id bigint, delay interval)
returns timestamptz  -- when it will be available again; null: never, it was cancelled meanwhile
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform millrace.settle_one(fence, job_id, 'snoozed', null, delay, null);
    return (select s.run_at from millrace.scheduled s where s.job_id = snooze.job_id);
end
$$;

create or replace function millrace.discard(fence bigint, job_id bigint, error text)
returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select millrace.settle_one(fence, job_id, 'discarded', error, null, null) $$;

-- In the handler's own business transaction: it goes on only while the job is this fence's, and holds it until it ends.
-- A reaper skips the locked row; a transaction that comes too late is aborted.
create or replace function millrace.assert_lease(fence bigint, job_id bigint)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from millrace.running r
      where r.job_id = assert_lease.job_id and r.fence = assert_lease.fence
        for share;
    if not found then
        perform millrace.raise_lease_lost(fence, job_id);
    end if;
end
$$;
