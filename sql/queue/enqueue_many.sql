-- enqueue_many: many jobs of one kind in one statement, in the caller's transaction.
--
--     (nothing) ──► available | scheduled | blocked        as in enqueue.sql, with the same arguments
--
-- Returns the ids in the order of the payloads. All are enqueued, or none.
--
-- Locks   none that another enqueue, claim or settle waits for.
-- Raises  as enqueue(); MR010 too_many_jobs for more than 50,000 payloads.
-- Rows    2 per job and 1 per call.

create or replace function millrace.enqueue_many(
    queue text,
    kind text,
    payloads jsonb[],
    priority int default 5,
    run_at timestamptz default null,
    delay interval default null,
    max_attempts int default null,
    timeout interval default null,
    traceparent text default null,
    wake boolean default true,
    concurrency_key text default null,
    batch bigint default null,
    after_batch bigint default null,
    retry_delays interval[] default null,
    expires_at timestamptz default null)
returns bigint[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    admitted record;
    amount constant int := coalesce(cardinality(payloads), 0);
    waits_for constant bigint := millrace.unfinished_batch(after_batch, batch);
    blocked boolean;
    ids bigint[];
    oversized bigint;
begin
    admitted := millrace.admit(queue, kind, priority, run_at, delay, max_attempts, timeout, traceparent,
                               concurrency_key, after_batch, retry_delays, expires_at);
    blocked := waits_for is not null or (concurrency_key is not null and admitted.due is null);
    if payloads is null then
        raise exception using errcode = 'MR005', message = 'enqueue_many: payloads is null',
            hint = 'Give an array of jsonb; an empty one enqueues nothing.';
    elsif amount > 50000 then
        raise exception using errcode = 'MR010', message = format('enqueue_many: %s payloads in one call', amount),
            hint = 'At most 50,000 at a time; calls in one transaction still commit together.';
    end if;
    select u.place into oversized
      from unnest(payloads) with ordinality u(payload, place)
     where u.payload is null or octet_length(u.payload::text) > admitted.payload_limit
     order by u.place limit 1;
    if found then
        perform millrace.check_payload((array(select unnest(payloads)))[oversized], admitted.payload_limit);
    end if;
    if amount = 0 then
        return '{}';
    end if;

    with given as materialized (
        select nextval('millrace.job_id') as id, u.payload
          from unnest(payloads) u(payload)
    ), stored as (
        insert into millrace.job (id, enqueued_at, stored_on, queue_id, priority, max_attempts, kind, payload, timeout,
                                  traceparent, concurrency_key, batch_id, retry_delays, expires_at)
        select g.id, admitted.now, admitted.stored_on, admitted.queue_id, enqueue_many.priority, admitted.attempts,
               enqueue_many.kind, g.payload, admitted.time_limit, enqueue_many.traceparent,
               enqueue_many.concurrency_key, enqueue_many.batch, enqueue_many.retry_delays,
               enqueue_many.expires_at
          from given g
    ), available as (
        insert into millrace.ready (job_id, stored_on, queue_id, priority)
        select g.id, admitted.stored_on, admitted.queue_id, enqueue_many.priority
          from given g
         where admitted.due is null and not blocked
    ), waiting as (
        insert into millrace.scheduled (run_at, job_id, stored_on, queue_id, priority, waits_for, key)
        select admitted.due, g.id, admitted.stored_on, admitted.queue_id, enqueue_many.priority, 'run_at',
               enqueue_many.concurrency_key
          from given g
         where admitted.due is not null
    )
    select array_agg(g.id) into ids from given g;

    if batch is not null then
        perform millrace.join_batch(batch, amount);
    end if;
    if blocked then
        perform millrace.block(admitted.queue_id, ids, admitted.stored_on, enqueue_many.priority::smallint,
                               concurrency_key, waits_for);
        insert into millrace.queue_delta (queue_id, blocked, enqueued) values (admitted.queue_id, amount, amount);
    elsif admitted.due is null then
        insert into millrace.queue_delta (queue_id, available, enqueued) values (admitted.queue_id, amount, amount);
    else
        insert into millrace.queue_delta (queue_id, scheduled, enqueued) values (admitted.queue_id, amount, amount);
        perform millrace.announce(admitted.due, admitted.now) where admitted.signal_raised and enqueue_many.wake;
    end if;
    if admitted.due is null and admitted.signal_raised and enqueue_many.wake then
        perform pg_notify('millrace/' || enqueue_many.queue, '');
    end if;
    return ids;
end
$$;
