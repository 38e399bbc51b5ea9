-- tokens, spend, wake_rated, look_at_keys: how many jobs of a queue may be started in a time, how many of a key let go.
--
--     n tokens ──claim of k jobs──► n - k tokens ──time──► one more each token_micros, up to burst
--
-- A claim takes a token for each job that it hands out: also for one that is tried again, or has snoozed. What it does
-- not find jobs for stays, and a claim that is rolled back has taken none.
--
-- The state is a time: all tokens that came in until spent_until are spent, and those that have come in since are
-- there, `burst` of them at most. That is the generic cell rate algorithm (ITU-T I.371, annex A) with the increment
-- token_micros and the limit (burst - 1) * token_micros; its theoretical arrival time is spent_until + burst *
-- token_micros. Kept this way the state survives a change of rate or burst: what the new rate would have brought since
-- then is there.
--
-- Exactness: in any time t at most burst + t / token_micros jobs are started, by the server's clock, over all workers.
-- A token takes whole microseconds, rounded up, so that the rate may be less than what was asked for, by 1 % at most,
-- and is never more. What others have spent is seen, because the lock is taken before the statement that reads the
-- state has its snapshot; and the time is read under the lock, so that it is never before theirs.
--
-- Waiting: a claim that leaves no token notes in wake_at when it is worth while to come again. Workers that were
-- refused sleep until then, and promote() wakes the queue at that time, and every second after it until somebody has
-- claimed. So nothing depends on those who were refused.
--
-- The rate of a key is the same for jobs that are let go from `blocked`: follow_keys() takes their tokens, with their
-- slots, under the key's lock. Until then they wait where no claim passes them. A job that is tried again has kept its
-- slot, and takes no other token. When a key's next tokens come is in key_due; promote() has it looked at then, at most
-- twenty times a second.
--
-- Locks   advisory 7710/queue, tried and not waited for; as max_running in claim.sql. Rows of key_due, SKIP LOCKED.
-- Raises  MR005 bad_argument (check_rate), MR003 unknown_queue (next_token).
-- Rows    2 of bucket per claim that got jobs or ran out of tokens, and per waking up; 2 of key_due and a note per key
--         and time.

-- What a queue's rate may be, or an error.
create or replace function millrace.check_rate(
    caller text, rate text, burst int, rate_name text default 'rate', burst_name text default 'burst')
returns bigint  -- microseconds between two tokens; null: no limit
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    parts constant text[] := regexp_match(rate, '^([0-9]{1,9}(?:[.][0-9]{1,3})?) per (second|minute|hour|day)$');
    micros constant numeric := case parts[2] when 'second' then 1000000 when 'minute' then 60000000
                                             when 'hour' then 3600000000 when 'day' then 86400000000
                               end / nullif(parts[1]::numeric, 0);
    wrong constant text := case
        when rate is not null and (micros is null or micros not between 100 and 86400000000)
            then rate_name || ': N per second, minute, hour or day, as in "14 per second", N with up to three '
                 'decimals, from 1 per day to 10000 per second; or null for no limit'
        when burst not between 1 and 100000
            then burst_name || ': 1 to 100000, or null for as many as come in a second'
        when burst is not null and rate is null
            then burst_name || ': none where there is no rate' end;
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = format('%s: bad %s', caller, split_part(wrong, ':', 1)),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    return ceil(micros);
end
$$;

-- What a queue without a burst of its own may start at once.
create or replace function millrace.burst_of(burst int, token_micros bigint)
returns int
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(burst, greatest(1, round(1000000.0 / token_micros))::int) where token_micros is not null
$$;

-- The state of a rated queue, with its tokens at that time. Tokens are worth coming for when there is one, and at high
-- rates when there are those of a twentieth of a second, or half the burst.
create or replace function millrace.bucket_at(of_queue int, at timestamptz)
returns table (row_address tid, version bigint, spent_until timestamptz, wake_at timestamptz, tokens int,
               worthwhile int, every interval)
language sql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    select b.row_address, b.version, s.since, b.wake_at,
           least(floor(extract(epoch from at - s.since) * 1000000 / q.token_micros), k.burst)::int,
           greatest(1, least(ceil(50000.0 / q.token_micros), k.burst / 2))::int,
           q.token_micros * interval '1 microsecond'
      from millrace.queue q
     cross join lateral (select millrace.burst_of(q.burst, q.token_micros) as burst) k
      left join lateral (select b.ctid as row_address, b.version, b.spent_until, b.wake_at
                           from millrace.bucket b
                          where b.queue_id = of_queue
                          order by b.version desc
                          limit 1) b on true
           -- what came in before the bucket was full is lost; a clock that was set back makes nobody wait
     cross join lateral (select least(greatest(b.spent_until, at - k.burst * q.token_micros * interval '1 microsecond'),
                                      at) as since) s
     where q.id = of_queue and q.token_micros is not null
$$;

-- How many jobs of a rated queue may be started, and the time it is; 0 while another claims from it.
create or replace function millrace.tokens(of_queue int, out amount int, out at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    amount := 0;
    if current_setting('transaction_isolation') in ('read committed', 'read uncommitted')
       and pg_try_advisory_xact_lock(7710, of_queue) then
        at := millrace.now();
        amount := (select b.tokens from millrace.bucket_at(of_queue, at) b);
        if amount = 0 then
            perform millrace.spend(of_queue, 0, at);
        end if;
    end if;
    at := coalesce(at, millrace.now());
end
$$;

-- After a claim: so many tokens are gone. The caller holds the queue's lock since tokens().
create or replace function millrace.spend(of_queue int, amount int, at timestamptz)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    with next as materialized (
        select b.*, b.spent_until + amount * b.every as new_spent,
               case when b.tokens = amount then b.spent_until + (amount + b.worthwhile) * b.every end as new_wake
          from millrace.bucket_at(of_queue, at) b
    ), gone as (
        delete from millrace.bucket b
         where b.ctid = any (array(select n.row_address from next n
                                    where amount > 0 or n.new_wake is distinct from n.wake_at))
    )
    insert into millrace.bucket (queue_id, version, spent_until, wake_at)
    select of_queue, coalesce(n.version, 0) + 1, n.new_spent, n.new_wake
      from next n
     where amount > 0 or n.new_wake is distinct from n.wake_at
$$;

-- The same for a key whose bucket is in its row of concurrency_key, and whose rate is known: see follow_keys(). A key's
-- token is taken when a job is let go, not when it is started.
create or replace function millrace.key_bucket(
    spent_until timestamptz, token_micros bigint, burst int, at timestamptz,
    out since timestamptz, out tokens int, out worthwhile int, out every interval)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select s.since, least(floor(extract(epoch from at - s.since) * 1000000 / token_micros), k.burst)::int,
           greatest(1, least(ceil(50000.0 / token_micros), k.burst / 2))::int, k.every
      from (select millrace.burst_of(burst, token_micros) as burst, token_micros * interval '1 microsecond' as every) k
     cross join lateral (select least(greatest(spent_until, at - k.burst * k.every), at) as since) s
$$;

-- Whether a key's bucket is not full again: if so its state is still needed.
create or replace function millrace.is_filling(of_queue int, of_key text, spent_until timestamptz)
returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select spent_until is not null
       and exists (select
                     from millrace.queue q
                     left join millrace.key_limit l on l.queue_id = of_queue and l.key = of_key
                    cross join lateral (select coalesce(l.token_micros, q.key_token_micros) as micros) r
                    cross join lateral (select case when l.token_micros is null then q.key_burst else l.burst end
                                            as burst) g
                    cross join lateral millrace.key_bucket(spent_until, r.micros, g.burst, millrace.now()) b
                    where q.id = of_queue and b.tokens < millrace.burst_of(g.burst, r.micros))
$$;

-- Of the keys for whose tokens jobs wait, those whose time has come are looked at by whoever follows the notes next.
-- since: as in promote.sql.
create or replace function millrace.look_at_keys(max_keys int, since timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
    at constant timestamptz := millrace.now();
    looked int[];
begin
    with due as materialized (
        select d.ctid
          from millrace.key_due d
         where d.due_at >= look_at_keys.since and d.due_at <= at
         order by d.due_at
         limit max_keys
           for update skip locked
    ), gone as (
        delete from millrace.key_due d
         where d.ctid = any (array(select x.ctid from due x))
        returning d.queue_id, d.key
    ), noted as (
        insert into millrace.follow_up (queue_id, job_id, what, key)
        select distinct g.queue_id, 0, 'looked', g.key from gone g
        returning queue_id
    )
    select array_agg(distinct n.queue_id) into looked from noted n;
    perform millrace.wake(q) from unnest(looked) q;
end
$$;

-- Wakes the queues whose jobs may wait for tokens that have come in. Whoever finds its lock taken leaves it: then there
-- is a claim, or somebody wakes.
create or replace function millrace.wake_rated()
returns timestamptz  -- when to call again; null: no job waits for a token
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    at constant timestamptz := millrace.now();
    again constant timestamptz := at + interval '1 second';
    soonest timestamptz;
    queue record;
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        return null;
    end if;
    for queue in select q.id, b.wake_at
                   from millrace.queue q
                  cross join lateral (select b.wake_at
                                        from millrace.bucket b
                                       where b.queue_id = q.id
                                       order by b.version desc
                                       limit 1) b
                  where q.token_micros is not null and q.paused_at is null and b.wake_at is not null
    loop
        if queue.wake_at > at then
            soonest := least(soonest, queue.wake_at);
            continue;
        end if;
        soonest := least(soonest, again);
        if not pg_try_advisory_xact_lock(7710, queue.id) then
            continue;
        end if;
        with due as materialized (
            select b.*
              from millrace.bucket_at(queue.id, at) b
             where b.wake_at <= at
        ), gone as (
            delete from millrace.bucket b where b.ctid = any (array(select d.row_address from due d))
        )
        insert into millrace.bucket (queue_id, version, spent_until, wake_at)
        select queue.id, d.version + 1, d.spent_until, again from due d;
        if found then
            perform millrace.wake(queue.id);
        end if;
    end loop;
    return soonest;
end
$$;

-- For a worker whose claim has brought nothing: until then it need not come again. A time that is past where there are
-- tokens, or where only keys have rates; null where there are none.
create or replace function millrace.next_token(queue text)
returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    of_queue constant int := millrace.queue_id(queue);
    at constant timestamptz := millrace.now();
begin
    return coalesce((select case b.tokens when 0 then b.spent_until + b.worthwhile * b.every
                                          else b.spent_until + b.every end
                       from millrace.bucket_at(of_queue, at) b),
                    (select at
                      where exists (select from millrace.queue q where q.id = of_queue and q.key_rate is not null)
                         or exists (select
                                      from millrace.key_limit l
                                     where l.queue_id = of_queue and l.rate is not null)));
end
$$;
