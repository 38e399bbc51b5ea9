-- configure_queue, pause_queue, resume_queue, limit_key: what a person changes about a queue while it works.
--
-- Limits and defaults hold for what comes: max_attempts, timeout and max_payload_bytes for jobs that are enqueued from
-- now on, retry_base and _cap for the next failure, max_running and key limits for the next claim. A limit that is
-- lowered stops nobody; fewer are started until enough have ended.
--
-- Arguments  as create_queue(); what is not given stays. Null is a value for timeout and max_running: no limit; and for
--            dead_letter_retention: for ever.
--            rate   'N per second', minute, hour or day: jobs that are started; null: no limit, and no burst
--            burst  of them at once, 1 … 100,000; null: as many as come in a second. See rate.sql
--            key_rate, key_burst   the same for jobs of each key that are let go
--            history  of finished jobs: full; outcome, without their payloads; none. See forget.sql
-- Locks      the queue's row.
-- Raises     MR003 unknown_queue, MR005 bad_argument.
-- Rows       1, and one of operator_action; with a key limit one of follow_up.

create or replace function millrace.configure_queue(name text, changes jsonb)
returns jsonb  -- what has changed: {"setting": {"from": …, "to": …}}
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    known constant text[] := '{max_attempts,timeout,retry_base,retry_cap,max_payload_bytes,retention,max_running,
                               key_limit,dead_letter_retention,rate,burst,key_rate,key_burst,history}';
    queue constant int := millrace.queue_id(name);
    old millrace.queue%rowtype;
    new millrace.queue%rowtype;
    changed jsonb;
    micros bigint;
    key_micros bigint;
    stranger text;
begin
    if changes is null or jsonb_typeof(changes) <> 'object' then
        raise exception using errcode = 'MR005', message = 'configure_queue: bad changes',
            hint = 'Allowed for changes: a JSON object, for example ''{"max_running": 10}''.';
    end if;
    select k into stranger from jsonb_object_keys(changes) k where k <> all (known) order by k limit 1;
    if found then
        raise exception using errcode = 'MR005', message = format('configure_queue: bad changes: no setting %L',
                                                                  left(stranger, 100)),
            hint = format('Allowed for changes: the keys %s.', array_to_string(known, ', '));
    end if;
    select q.* into old from millrace.queue q where q.id = queue for no key update;
    begin
        new := jsonb_populate_record(old, changes);
    exception when data_exception then
        raise exception using errcode = 'MR005', message = format('configure_queue: bad changes: %s', sqlerrm),
            hint = 'Numbers as JSON numbers, intervals as text: ''{"key_limit": 4, "timeout": "5 minutes"}''.';
    end;
    perform millrace.check_queue('configure_queue', new.max_attempts, new.timeout, new.retry_base, new.retry_cap,
                                 new.max_payload_bytes, new.retention, new.max_running, new.key_limit,
                                 new.dead_letter_retention);
    if new.history is null or new.history not in ('full', 'outcome', 'none') then
        raise exception using errcode = 'MR005', message = 'configure_queue: bad history',
            hint = 'Allowed for history: full, outcome or none.';
    end if;
    if new.rate is null and not changes ? 'burst' then
        new.burst := null;
    end if;
    if new.key_rate is null and not changes ? 'key_burst' then
        new.key_burst := null;
    end if;
    micros := millrace.check_rate('configure_queue', new.rate, new.burst);
    key_micros := millrace.check_rate('configure_queue', new.key_rate, new.key_burst, 'key_rate', 'key_burst');
    select coalesce(jsonb_object_agg(n.key, jsonb_build_object('from', o.value, 'to', n.value)), '{}') into changed
      from jsonb_each(to_jsonb(new)) n
      join jsonb_each(to_jsonb(old)) o on o.key = n.key
     where n.value <> o.value;
    if changed = '{}' then
        return changed;
    end if;
    update millrace.queue q
       set max_attempts = new.max_attempts, timeout = new.timeout, retry_base = new.retry_base,
           retry_cap = new.retry_cap, max_payload_bytes = new.max_payload_bytes, retention = new.retention,
           max_running = new.max_running, key_limit = new.key_limit,
           dead_letter_retention = new.dead_letter_retention, rate = new.rate, burst = new.burst,
           token_micros = micros, key_rate = new.key_rate, key_burst = new.key_burst, key_token_micros = key_micros,
           history = new.history
     where q.id = queue;
    if changed ?| '{key_limit,key_rate,key_burst}' then
        perform millrace.leave_note(queue, 0, 'looked', null, null);
    end if;
    if changed ?| '{rate,burst}' then  -- also those who wait for a token, and are not to be woken by what is enqueued
        perform pg_notify('millrace/' || name, 'lowered');
    end if;
    perform millrace.wake(queue);
    perform millrace.audit('configure_queue', jsonb_build_object('queue', name, 'changed', changed), 1);
    return changed;
end
$$;

-- No claim takes a job from a paused queue; what runs goes on, and jobs may be enqueued.
create or replace function millrace.pause_queue(name text)
returns timestamptz  -- since when it is paused
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    queue constant int := millrace.queue_id(name);
    since timestamptz;
begin
    update millrace.queue q set paused_at = millrace.now() where q.id = queue and q.paused_at is null
    returning q.paused_at into since;
    if found then
        perform millrace.audit('pause_queue', jsonb_build_object('queue', name), 1);
        return since;
    end if;
    return (select q.paused_at from millrace.queue q where q.id = queue);
end
$$;

create or replace function millrace.resume_queue(name text)
returns boolean  -- whether it was paused
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    queue constant int := millrace.queue_id(name);
begin
    update millrace.queue q set paused_at = null where q.id = queue and q.paused_at is not null;
    if not found then
        return false;
    end if;
    perform millrace.wake(queue);
    perform millrace.audit('resume_queue', jsonb_build_object('queue', name), 1);
    return true;
end
$$;

-- A key's own limit and rate; null: the queue's again.
create or replace function millrace.limit_key(
    queue text, key text, max_held int, rate text default null, burst int default null)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    of_queue constant int := millrace.queue_id(queue);
    wrong constant text := case
        when key is null or key = '' or length(key) > 200 then 'key: 1 to 200 characters'
        when max_held not between 1 and 1000000 then 'max_held: 1 to 1000000, or null for the queue''s'
    end;
    micros bigint;
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'limit_key: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    micros := millrace.check_rate('limit_key', rate, burst);
    if max_held is null and rate is null then
        delete from millrace.key_limit l where l.queue_id = of_queue and l.key = limit_key.key;
    else
        insert into millrace.key_limit (queue_id, key, max_held, rate, burst, token_micros)
        values (of_queue, limit_key.key, limit_key.max_held, limit_key.rate, limit_key.burst, micros)
        on conflict on constraint key_limit_pkey do update
           set max_held = excluded.max_held, rate = excluded.rate, burst = excluded.burst,
               token_micros = excluded.token_micros;
    end if;
    perform millrace.leave_note(of_queue, 0, 'looked', key, null);
    perform millrace.wake(of_queue);
    perform millrace.audit('limit_key', jsonb_build_object('queue', queue, 'key', key, 'max_held', max_held,
                                                           'rate', rate, 'burst', burst), 1);
end
$$;
