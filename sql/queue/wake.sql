-- wake: the wake-up flag, so that a busy queue pays nothing for notifications.
--
--     flag down ──raise_signal──► up ──lower_signal──► down
--
-- NOTIFY takes a lock on the whole database at commit, so that a transaction which sends one commits alone. Producers
-- therefore look at the flag, without locking it, and notify only when a worker has said that it is about to sleep.
-- A worker that raised its flag between a producer's look and its commit is told nothing: it claims again at 5 ms and
-- then ever more slowly before it trusts the flag (worker/engine/claimer.hpp).
--
-- The flag changes when a queue falls idle or becomes busy, not per job: its row would decay otherwise.
--
-- Channel 'millrace/' followed by the queue's name. The payload is empty, or 'lowered': then whoever goes on sleeping
-- has to raise the flag again first, because nobody will be notified any more.
--
-- Channel 'millrace:chores', for all workers: 'scheduled' when a job becomes due soon that nobody may know of,
-- 'schedules' and 'schemas' when one of these has changed. An idle worker looks for them seldom by itself.
-- Locks   raise_signal, lower_signal: the queue's row of queue_signal. wake, poke, announce: none.
-- Raises  MR003 unknown_queue.

create or replace function millrace.wake(queue_id int)
returns boolean  -- whether somebody was notified
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    sleeper text;
begin
    select q.name into sleeper
      from millrace.queue_signal s
      join millrace.queue q on q.id = s.queue_id
     where s.queue_id = wake.queue_id and s.raised;
    if not found then
        return false;
    end if;
    perform pg_notify('millrace/' || sleeper, '');
    return true;
end
$$;

-- That a job becomes due. Of what is due later than an idle worker's next look (Maintenance::promote_when_idle_every)
-- nothing is said, so that many jobs for tomorrow cost no notification.
create or replace function millrace.announce(due timestamptz, at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if due < at + interval '15 seconds' then
        perform pg_notify('millrace:chores', 'scheduled');
    end if;
end
$$;

-- The queue's id; MR003 when there is none of that name.
create or replace function millrace.queue_id(queue text)
returns int
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    known int;
begin
    select q.id into known from millrace.queue q where q.name = queue_id.queue;
    if not found then
        raise exception using errcode = 'MR003',
            message = format('unknown queue %s', coalesce(quote_literal(left(queue, 100)), 'null')),
            hint = 'Create it first: select millrace.create_queue(''name''). The view millrace.queues lists them.';
    end if;
    return known;
end
$$;

-- For producers that enqueue with wake => false: call it after the commit, or in a transaction of its own.
create or replace function millrace.poke(queue text)
returns boolean
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select millrace.wake(millrace.queue_id(queue)) $$;

create or replace function millrace.raise_signal(queue text)
returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    update millrace.queue_signal s set raised = true
     where s.queue_id = millrace.queue_id(queue) and not s.raised
$$;

-- Whoever still sleeps is told by the same commit.
create or replace function millrace.lower_signal(queue text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update millrace.queue_signal s set raised = false
     where s.queue_id = millrace.queue_id(lower_signal.queue) and s.raised;
    if found then
        perform pg_notify('millrace/' || queue, 'lowered');
    end if;
end
$$;
