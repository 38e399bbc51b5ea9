-- enqueue: a job in the caller's transaction. It exists when, and only when, that transaction commits.
--
--     (nothing) ──► available        no run_at, or one that has passed
--     (nothing) ──► scheduled        run_at or delay in the future
--     (nothing) ──► blocked          a concurrency_key, until it has a free slot; after_batch, until that has finished
--
-- Arguments  kind          which handler runs it, 1 … 100 characters
--            payload       jsonb, up to the queue's max_payload_bytes as text
--            priority      0 first … 9 last
--            run_at        not before this time, at most 10 years ahead; or delay, the same from now
--            max_attempts  1 … 1000; null: the kind's or the queue's
--            timeout       of one attempt, up to 30 days; null: the kind's or the queue's
--            traceparent   W3C trace context, passed on to the handler
--            wake          false: send no notification in this transaction, see poke()
--            concurrency_key  of the jobs of this queue with the same key at most key_limit run at a time, in the order
--                          of their ids; 1 … 200 characters
--            batch         it becomes a member of this open batch, see batch.sql
--            after_batch   it waits until this batch has finished; not together with run_at or delay, nor for the batch
--                          of which it is a member
--            retry_delays  how long it waits after its first failure, its second and so on; after the last of them the
--                          last again: '{10 s}' is a fixed delay. 1 … 100, each 0 … 365 days; null: the kind's or the
--                          queue's, see retry_delay.sql
--            expires_at    no attempt begins at or after this time: a claim ends the job as cancelled, 'expired'. After
--                          now and run_at, at most 20 years ahead
-- Locks      none that another enqueue, claim or settle waits for; close_batch() waits for those who add to the batch.
-- Raises     MR003 unknown_queue, MR004 payload_too_large, MR005 bad_argument, MR010 too_many_jobs, MR013
--            unknown_batch, MR007 invalid_transition for a batch that is closed.
-- Rows       3 per job, or 2 per job and 1 per call of enqueue_many (50,000 payloads at most); 2 more for a key or
--            batch.

-- What the arguments mean for this queue, or an error; shared by all forms of enqueue.
create or replace function millrace.admit(
    queue text, kind text, priority int, run_at timestamptz, delay interval, max_attempts int, timeout interval,
    traceparent text, concurrency_key text, after_batch bigint, retry_delays interval[] default null,
    expires_at timestamptz default null,
    out queue_id int, out now timestamptz, out stored_on date, out due timestamptz, out attempts smallint,
    out time_limit interval, out payload_limit int, out signal_raised boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan  -- planning this one row anew takes four times as long as reading it
as $$
declare
    wrong text;
    of_kind record;
begin
    admit.now := millrace.now();
    select q.id, q.max_payload_bytes, s.raised, q.max_attempts, q.timeout,
           greatest(i.first_day, least((admit.now at time zone 'utc')::date, i.last_day))  -- storage_day()
      into admit.queue_id, admit.payload_limit, admit.signal_raised, admit.attempts, admit.time_limit, admit.stored_on
      from millrace.queue q
      join millrace.queue_signal s on s.queue_id = q.id
     cross join millrace.installation i
     where q.name = admit.queue;
    if not found then
        perform millrace.queue_id(admit.queue);  -- raises MR003
    end if;
    -- One probe of a unique index. In the join above it would cost six times as much.
    select k.max_attempts, k.timeout into of_kind from millrace.kind k where k.name = admit.kind;
    admit.attempts := coalesce(of_kind.max_attempts, admit.attempts);
    if admit.max_attempts between 1 and 1000 then
        admit.attempts := admit.max_attempts;
    end if;
    admit.time_limit := coalesce(admit.timeout, of_kind.timeout, admit.time_limit);

    wrong := case
        when kind is null or kind = '' or length(kind) > 100 then 'kind: 1 to 100 characters'
        when priority is null or priority not between 0 and 9 then 'priority: 0 (first) to 9 (last)'
        when run_at is not null and delay is not null then 'run_at: not together with delay'
        when run_at > admit.now + interval '10 years' then 'run_at: at most 10 years ahead'
        when delay < interval '0' or delay > interval '10 years' or to_char(delay, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'delay: 0 to 10 years, no part negative'
        when max_attempts not between 1 and 1000 then 'max_attempts: 1 to 1000'
        when timeout <= interval '0' or timeout > interval '30 days' or to_char(timeout, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'timeout: more than 0, up to 30 days, no part negative'
        when traceparent !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'
            then 'traceparent: version-traceid-parentid-flags in lower-case hex, see W3C Trace Context'
        when concurrency_key = '' or length(concurrency_key) > 200 then 'concurrency_key: 1 to 200 characters'
        when after_batch is not null and (run_at is not null or delay is not null)
            then 'after_batch: not together with run_at or delay'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'enqueue: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    if retry_delays is not null then
        perform millrace.check_delays('enqueue', retry_delays);
    end if;
    admit.due := coalesce(admit.run_at, admit.now + admit.delay);
    if admit.due <= admit.now then
        admit.due := null;
    end if;
    if expires_at is not null and (expires_at <= coalesce(admit.due, admit.now)
                                   or expires_at > admit.now + interval '20 years') then
        raise exception using errcode = 'MR005', message = 'enqueue: bad expires_at',
            hint = 'Allowed for expires_at: a time after now and after run_at, at most 20 years ahead.';
    end if;
    if concurrency_key is not null or after_batch is not null then
        perform millrace.ensure_lanes(admit.queue_id);  -- also for a job that comes to wait for its key much later
    end if;
end
$$;

create or replace function millrace.enqueue(
    queue text,
    kind text,
    payload jsonb default '{}',
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
returns bigint  -- the job's id
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    admitted record;
    enqueued bigint;
    waits_for constant bigint := millrace.unfinished_batch(after_batch, batch);
begin
    admitted := millrace.admit(queue, kind, priority, run_at, delay, max_attempts, timeout, traceparent,
                               concurrency_key, after_batch, retry_delays, expires_at);
    perform millrace.check_payload(payload, admitted.payload_limit);

    insert into millrace.job as j (enqueued_at, stored_on, queue_id, priority, max_attempts, kind, payload, timeout,
                                   traceparent, concurrency_key, batch_id, retry_delays, expires_at)
    values (admitted.now, admitted.stored_on, admitted.queue_id, enqueue.priority, admitted.attempts, enqueue.kind,
            enqueue.payload, admitted.time_limit, enqueue.traceparent, enqueue.concurrency_key, enqueue.batch,
            enqueue.retry_delays, enqueue.expires_at)
    returning j.id into enqueued;
    if enqueue.batch is not null then
        perform millrace.join_batch(enqueue.batch, 1);
    end if;

    if waits_for is not null or (enqueue.concurrency_key is not null and admitted.due is null) then
        perform millrace.block(admitted.queue_id, array[enqueued], admitted.stored_on, enqueue.priority::smallint,
                               enqueue.concurrency_key, waits_for);
        insert into millrace.queue_delta (queue_id, blocked, enqueued) values (admitted.queue_id, 1, 1);
        if admitted.signal_raised and enqueue.wake then
            perform pg_notify('millrace/' || enqueue.queue, '');
        end if;
    elsif admitted.due is null then
        insert into millrace.ready (job_id, stored_on, queue_id, priority)
        values (enqueued, admitted.stored_on, admitted.queue_id, enqueue.priority);
        insert into millrace.queue_delta (queue_id, available, enqueued) values (admitted.queue_id, 1, 1);
        if admitted.signal_raised and enqueue.wake then
            perform pg_notify('millrace/' || enqueue.queue, '');
        end if;
    else
        insert into millrace.scheduled (run_at, job_id, stored_on, queue_id, priority, waits_for, key)
        values (admitted.due, enqueued, admitted.stored_on, admitted.queue_id, enqueue.priority, 'run_at',
                enqueue.concurrency_key);
        insert into millrace.queue_delta (queue_id, scheduled, enqueued) values (admitted.queue_id, 1, 1);
        perform millrace.announce(admitted.due, admitted.now) where admitted.signal_raised and enqueue.wake;
    end if;
    return enqueued;
end
$$;

create or replace function millrace.check_payload(payload jsonb, payload_limit int)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if payload is null then
        raise exception using errcode = 'MR005', message = 'enqueue: payload is null',
            hint = 'A job without data has the payload ''{}''.';
    elsif octet_length(payload::text) > payload_limit then
        raise exception using errcode = 'MR004',
            message = format('enqueue: payload of %s bytes is too large, the queue allows %s',
                             octet_length(payload::text), payload_limit),
            hint = 'Store the data in a table of your own in the same transaction and enqueue its key.';
    end if;
end
$$;
