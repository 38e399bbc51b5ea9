-- enqueue_unique: a job, unless one with the same unique key is there already.
--
--     (nothing) ──► available | scheduled | blocked      as enqueue()
--     available, scheduled, blocked ──► the same or another of these, with what replaces says
--
-- A unique key belongs to one job of its queue at a time, however many sessions enqueue at once:
--     unique_until 'started'   until a worker has taken the job: what comes later is another job. A retry is not
--                              unique.
--                  'finished'  until it is completed, cancelled or a dead letter. A replay takes the key again, or
--                              fails.
--     unique_for   an interval: for so long from now on, whatever becomes of the job
-- Whoever enqueues a key that another transaction is just enqueueing waits for its end.
--
-- Where the job is there and still waits, `replaces` may name what it takes over from this call: payload, run_at (with
-- delay: each call puts the job off, a debounce; and with expires_at, which belongs to it), priority. This is the one
-- place where a job's wide row is updated. The job is then not claimed before this call's commit; one that is only
-- reported may start before it.
--
-- Arguments  unique_key  1 … 200 characters
--            unique_for  more than 0, up to 10 years; instead of unique_until
--            replaces    of '{payload,run_at,priority}'
--            the others as enqueue(); not for members of a batch, or jobs that wait for one
-- Locks      the key's row of unique_job; to replace, the job's narrow row and its wide row.
-- Raises     as enqueue(); MR009 unique_key_taken by a replay only.
-- Rows       4; to replace 4.

create or replace function millrace.enqueue_unique(
    queue text,
    kind text,
    payload jsonb,
    unique_key text,
    unique_until text default null,
    unique_for interval default null,
    replaces text[] default '{}',
    priority int default 5,
    run_at timestamptz default null,
    delay interval default null,
    max_attempts int default null,
    timeout interval default null,
    traceparent text default null,
    wake boolean default true,
    concurrency_key text default null,
    retry_delays interval[] default null,
    expires_at timestamptz default null,
    out id bigint,
    out inserted boolean,
    out replaced boolean)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    looks constant int := 10;
    admitted record;
    wrong text;
    until text;
    holder millrace.unique_job%rowtype;
begin
    admitted := millrace.admit(queue, kind, priority, run_at, delay, max_attempts, timeout, traceparent,
                               concurrency_key, null, retry_delays, expires_at);
    perform millrace.check_payload(payload, admitted.payload_limit);
    wrong := case
        when unique_key is null or unique_key = '' or length(unique_key) > 200 then 'unique_key: 1 to 200 characters'
        when unique_until not in ('started', 'finished') then 'unique_until: started or finished'
        when unique_until is not null and unique_for is not null then 'unique_for: not together with unique_until'
        when unique_for <= interval '0' or unique_for > interval '10 years'
          or to_char(unique_for, 'YYYYMMDDHH24MISSUS') ~ '-'  -- create_queue.sql
            then 'unique_for: more than 0, up to 10 years, no part negative'
        when replaces is null or not replaces <@ '{payload,run_at,priority}'
            then 'replaces: an array of payload, run_at and priority'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'enqueue_unique: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    until := case when unique_for is null then coalesce(unique_until, 'finished') else 'time' end;

    for look in 1 .. looks
    loop
        id := nextval('millrace.job_id');
        insert into millrace.unique_job (queue_id, unique_key, job_id, expires_at)
        values (admitted.queue_id, enqueue_unique.unique_key, enqueue_unique.id, admitted.now + unique_for)
        on conflict on constraint unique_job_pkey do nothing;
        inserted := found;
        if inserted then
            replaced := false;
            insert into millrace.job (id, enqueued_at, stored_on, queue_id, priority, max_attempts, kind, payload,
                                      timeout, traceparent, concurrency_key, unique_key, unique_until,
                                      retry_delays, expires_at)
            values (enqueue_unique.id, admitted.now, admitted.stored_on, admitted.queue_id, enqueue_unique.priority,
                    admitted.attempts, enqueue_unique.kind, enqueue_unique.payload, admitted.time_limit,
                    enqueue_unique.traceparent, enqueue_unique.concurrency_key, enqueue_unique.unique_key, until,
                    enqueue_unique.retry_delays, enqueue_unique.expires_at);
            insert into millrace.queue_delta (queue_id, enqueued) values (admitted.queue_id, 1);
            perform millrace.let_wait(id, admitted.stored_on, admitted.queue_id, priority::smallint, 0::smallint,
                                      concurrency_key, admitted.due, wake);
            return;
        end if;
        select u.* into holder
          from millrace.unique_job u
         where u.queue_id = admitted.queue_id and u.unique_key = enqueue_unique.unique_key;
        if found and holder.expires_at <= admitted.now then
            delete from millrace.unique_job u
             where u.queue_id = holder.queue_id and u.unique_key = holder.unique_key and u.job_id = holder.job_id;
        elsif found then
            id := holder.job_id;
            replaced := cardinality(replaces) > 0
                        and millrace.replace_waiting(id, payload, priority::smallint, admitted.due, expires_at,
                                                     replaces, wake);
            return;
        end if;
    end loop;
    raise exception using errcode = 'serialization_failure',
        message = format('enqueue_unique: unique key %L changes hands all the time', unique_key),
        hint = 'Try again.';
end
$$;

set local client_min_messages = warning;
drop function if exists millrace.replace_waiting(bigint, jsonb, smallint, timestamptz, text[], boolean);
reset client_min_messages;

-- The narrow row is taken out, so that nobody claims the job meanwhile, and put back as the call says. A job that has
-- begun, or that waits for its retry, is left alone. One that has got a slot of its key gives it back, and queues for
-- it again by its id; one that was set aside (kinds.sql) is met by a claim again.
create or replace function millrace.replace_waiting(
    of_job bigint, payload jsonb, priority smallint, due timestamptz, expires_at timestamptz, replaces text[],
    wake boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    looks constant int := 10;
    gone record;
    was text;
    slot text;
begin
    for look in 1 .. looks
    loop
        was := 'scheduled';
        delete from millrace.scheduled s where s.job_id = of_job and s.waits_for = 'run_at'
        returning s.stored_on, s.queue_id, s.priority, s.key, s.run_at into gone;
        if not found then
            was := 'blocked';
            delete from millrace.blocked b where b.job_id = of_job and b.attempt = 0
            returning b.stored_on, b.queue_id, b.priority, b.key, null::timestamptz as run_at into gone;
        end if;
        if not found then
            was := 'available';
            delete from millrace.ready r where r.job_id = of_job and r.attempt = 0
            returning r.stored_on, r.queue_id, (r.priority % 10)::smallint as priority, null::text as key,
                      null::timestamptz as run_at into gone;
        end if;
        exit when found;
        -- another replacement, which this one has waited for, has put the job elsewhere, or into a new row
        if look = looks or not millrace.may_be_replaced(of_job) then
            return false;
        end if;
    end loop;
    if 'priority' = any (replaces) then
        gone.priority := replace_waiting.priority;
    end if;
    if 'run_at' = any (replaces) then
        gone.run_at := due;
    end if;
    update millrace.job j
       set payload = case when 'payload' = any (replaces) then replace_waiting.payload else j.payload end,
           priority = gone.priority,
           expires_at = case when 'run_at' = any (replaces) then replace_waiting.expires_at else j.expires_at end
     where j.id = of_job and j.stored_on = gone.stored_on
    returning j.concurrency_key into slot;
    if was = 'available' and slot is not null then
        gone.key := slot;
        perform millrace.leave_note(gone.queue_id, of_job, 'freed', slot, null);
    end if;
    insert into millrace.queue_delta (queue_id, available, scheduled, blocked)
    values (gone.queue_id, -(was = 'available')::int, -(was = 'scheduled')::int, -(was = 'blocked')::int);
    perform millrace.let_wait(of_job, gone.stored_on, gone.queue_id, gone.priority, 0::smallint, gone.key,
                              gone.run_at, wake);
    return true;
end
$$;

create or replace function millrace.may_be_replaced(of_job bigint)
returns boolean
language sql
set search_path = pg_catalog, pg_temp
as $$
    select exists (select from millrace.scheduled s where s.job_id = of_job and s.waits_for = 'run_at')
        or exists (select from millrace.blocked b where b.job_id = of_job and b.attempt = 0)
        or exists (select from millrace.ready r where r.job_id = of_job and r.attempt = 0)
$$;

-- For a job that comes back: its key, if nobody else has it now.
create or replace function millrace.take_unique_key(of_queue int, of_key text, of_job bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into millrace.unique_job (queue_id, unique_key, job_id) values (of_queue, of_key, of_job)
    on conflict on constraint unique_job_pkey do nothing;
    return found;
end
$$;
