-- create_queue: a queue, its ten lanes, its flag and its counts.
--
-- Arguments  max_attempts       how often a job is tried before it is a dead letter, 1 … 1000
--            timeout            of one attempt, up to 30 days; null: none
--            retry_base, _cap   first and longest backoff, see retry_delay.sql
--            max_payload_bytes  of a payload's JSON text, up to 64 MiB
--            retention          how long finished jobs are kept, 1 day … 10 years
--            max_running        jobs at one time, over all workers, 1 … 1,000,000; null: no limit
--            key_limit          of the jobs with the same concurrency_key at one time, 1 … 1,000,000
--            dead_letter_retention  how long dead letters are kept, 1 day … 10 years; null: until somebody acts
--            An interval with a negative part is refused, whatever its sum: '6000000 years' and as many days less
--            compare as nothing, and added to a time they leave the range of times. to_char shows each part's sign.
-- Locks      none beyond the new rows.
-- Raises     MR005 bad_argument, MR008 queue_exists.
-- Rows       14.

create or replace function millrace.create_queue(
    name text,
    max_attempts int default 10,
    timeout interval default null,
    retry_base interval default '5 seconds',
    retry_cap interval default '1 hour',
    max_payload_bytes int default 1048576,
    retention interval default '7 days',
    max_running int default null,
    key_limit int default 1,
    dead_letter_retention interval default null)
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    created int;
begin
    if name is null or name !~ '^[a-z0-9][a-z0-9_.-]{0,47}$' then
        raise exception using errcode = 'MR005', message = 'create_queue: bad name',
            hint = 'Allowed for name: 1 to 48 of a-z, 0-9, "_", "." and "-", beginning with a letter or digit.';
    end if;
    perform millrace.check_queue('create_queue', max_attempts, timeout, retry_base, retry_cap, max_payload_bytes,
                                 retention, max_running, key_limit, dead_letter_retention);

    insert into millrace.queue as q (name, max_attempts, timeout, retry_base, retry_cap, max_payload_bytes, retention,
                                     max_running, key_limit, dead_letter_retention, created_at)
    values (create_queue.name, create_queue.max_attempts, create_queue.timeout, create_queue.retry_base,
            create_queue.retry_cap, create_queue.max_payload_bytes, create_queue.retention, create_queue.max_running,
            create_queue.key_limit, create_queue.dead_letter_retention, millrace.now())
    on conflict on constraint queue_name_key do nothing
    returning q.id into created;
    if created is null then
        raise exception using errcode = 'MR008', message = format('queue %L exists', name),
            hint = 'Use it as it is, or choose another name.';
    end if;
    insert into millrace.lane (queue_id, priority) select created, p from generate_series(0, 9) p;
    insert into millrace.queue_signal (queue_id) values (created);
    insert into millrace.queue_count (queue_id) values (created);
    perform millrace.audit('create_queue', jsonb_build_object('queue', name), 1);
    return created;
end
$$;

-- One line in the book of operator actions: who is the role that logged in, not the one it has taken on.
create or replace function millrace.audit(action text, detail jsonb, affected bigint)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into millrace.operator_action (at, who, action, detail, affected)
    values (millrace.now(), session_user, action, detail, affected)
$$;

-- What a queue may be configured to, or an error.
create or replace function millrace.check_queue(
    caller text, max_attempts int, timeout interval, retry_base interval, retry_cap interval, max_payload_bytes int,
    retention interval, max_running int, key_limit int, dead_letter_retention interval)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong text;
begin
    wrong := case
        when max_attempts is null or max_attempts not between 1 and 1000
            then 'max_attempts: 1 to 1000'
        when timeout <= interval '0' or timeout > interval '30 days' or to_char(timeout, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'timeout: more than 0, up to 30 days, no part negative, or null for none'
        when retry_base is null or retry_base <= interval '0' or retry_base > interval '1 day'
          or to_char(retry_base, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'retry_base: more than 0, up to 1 day, no part negative'
        when retry_cap is null or retry_cap < retry_base or retry_cap > interval '30 days'
          or to_char(retry_cap, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'retry_cap: at least retry_base, up to 30 days, no part negative'
        when max_payload_bytes is null or max_payload_bytes not between 2 and 67108864
            then 'max_payload_bytes: 2 to 67108864'
        when retention is null or retention not between interval '1 day' and interval '10 years'
          or to_char(retention, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'retention: 1 day to 10 years, no part negative'
        when max_running not between 1 and 1000000
            then 'max_running: 1 to 1000000, or null for no limit'
        when key_limit is null or key_limit not between 1 and 1000000
            then 'key_limit: 1 to 1000000'
        when dead_letter_retention not between interval '1 day' and interval '10 years'
          or to_char(dead_letter_retention, 'YYYYMMDDHH24MISSUS') ~ '-'
            then 'dead_letter_retention: 1 day to 10 years, no part negative, or null for ever'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = format('%s: bad %s', caller, split_part(wrong, ':', 1)),
            hint = 'Allowed for ' || wrong || '.';
    end if;
end
$$;
