-- block, follow_up, after_end: jobs that wait for a slot of their key or for a batch, and what lets them go on.
--
--     (nothing), scheduled ──block──► blocked            needs a slot, or a batch that has not finished
--     blocked ──follow_up──► available                   the slot is held from then on
--     job ends ──after_end──► a note that the slot is free, that the batch has one member less to wait for
--
-- Whoever changes something that another job may wait for only leaves a note, and locks nothing that it shares with
-- others: an enqueue or a settle may stand in a transaction that lasts. A claim begins with reading the notes of its
-- queue (pos and low-water as in `ready`), and so does follow_up_all(). Each key, and each batch, is looked after by
-- one claimer at a time; what another looks after is left to it, and so are its notes.
--
-- Exactness: a slot is counted as held from the release of its job until a note that it is free has been consumed, and
-- both happen under the key's lock, in the transaction that changes the count. At most key_limit jobs of a key are
-- available, running or waiting for a retry at any time, except after the limit was lowered, until enough have ended.
--
-- Order: the least job id first, of those whose notes have been read. A job that is committed late, with a lower id
-- than one that runs, is next.
--
-- Locks   advisory (hash of queue and key), tried and not waited for, or the batch's row, SKIP LOCKED; then rows of
--         follow_up, blocked and concurrency_key.
-- Raises  nothing of their own.
-- Rows    2,000 notes of 64 keys and batches in one call of follow_up; 1,000 jobs that waited for one key, 10,000
--         for one batch; the rest of them is left to the next.

-- The lanes of a queue that has keys or batches. Two that use the first key of a queue at the same time take turns.
create or replace function millrace.ensure_lanes(queue_id int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from millrace.lane l where l.queue_id = ensure_lanes.queue_id and l.priority = 20) then
        insert into millrace.lane (queue_id, priority)
        select ensure_lanes.queue_id, p from generate_series(10, 20) p
        on conflict do nothing;
    end if;
end
$$;

create or replace function millrace.block(
    queue_id int, job_ids bigint[], stored_on date, priority smallint, key text, batch_id bigint default null)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if cardinality(job_ids) = 0 then
        return;
    end if;
    if block.batch_id is not null then
        perform millrace.leave_note(b.queue_id, job_ids[1], 'looked', null, b.id)
           from millrace.batch b
          where b.id = block.batch_id;
        if not found then
            perform millrace.raise_unknown_batch(batch_id);
        end if;
    else
        perform millrace.leave_note(queue_id, (select min(j) from unnest(job_ids) j), 'arrived', key, null);
    end if;
    insert into millrace.blocked (job_id, stored_on, queue_id, priority, batch_id, key)
    select j, block.stored_on, block.queue_id, block.priority, block.batch_id, block.key from unnest(job_ids) j;
end
$$;

create or replace function millrace.leave_note(
    queue_id int, job_id bigint, what text, key text, batch_id bigint)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into millrace.follow_up (queue_id, job_id, what, key, batch_id)
    values (leave_note.queue_id, leave_note.job_id, leave_note.what, leave_note.key, leave_note.batch_id)
$$;

-- What ends with these jobs besides their rows: their slots, if they held them, their unique keys, their part in
-- batches.
create or replace function millrace.after_end(ended millrace.ending[], held boolean default true)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
begin
    insert into millrace.follow_up (queue_id, job_id, what, key, amount)
    select j.queue_id, min(j.id), 'freed', j.concurrency_key, count(*)
      from unnest(ended) e
      join millrace.job j on j.id = e.job_id and j.stored_on = e.stored_on
     where j.concurrency_key is not null and held
     group by j.queue_id, j.concurrency_key;
    insert into millrace.follow_up (queue_id, job_id, what, batch_id, amount)
    select b.queue_id, min(j.id), e.outcome, b.id, count(*)
       from unnest(ended) e
       join millrace.job j on j.id = e.job_id and j.stored_on = e.stored_on
       join millrace.batch b on b.id = j.batch_id
      group by b.queue_id, b.id, e.outcome;
    delete from millrace.unique_job u
     using unnest(ended) e, millrace.job j
     where j.id = e.job_id and j.stored_on = e.stored_on and j.unique_until <> 'time'
       and u.queue_id = j.queue_id and u.unique_key = j.unique_key and u.job_id = j.id;
    perform millrace.wake(w.queue_id)
       from (select j.queue_id
               from unnest(ended) e
               join millrace.job j on j.id = e.job_id and j.stored_on = e.stored_on
             union
             select b.queue_id
               from unnest(ended) e
               join millrace.job j on j.id = e.job_id and j.stored_on = e.stored_on
               join millrace.batch b on b.id = j.batch_id) w;
end
$$;

-- Does what the notes of a queue ask for.
create or replace function millrace.follow_up(of_queue int)
returns int  -- jobs that became available
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
    own constant xid8 := pg_current_xact_id_if_assigned();
    lane millrace.lane%rowtype;
    noted record;
    released int := 0;
begin
    -- An older snapshot would not show what the last holder of a key's lock has changed.
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        return 0;
    end if;
    select l.* into lane
      from millrace.lane l
     where l.queue_id = of_queue and l.priority = 20
     order by l.version desc
     limit 1;
    for noted in
        select n.key, n.batch_id, array_agg(n.row_address) as rows
          from (select early.ctid as row_address, early.key, early.batch_id
                  from unnest(lane.pending, lane.pending_job) p(pos, job)
                 cross join lateral (select f.ctid, f.key, f.batch_id
                                       from millrace.follow_up f
                                      where f.queue_id = of_queue and f.pos = p.pos and f.job_id >= p.job
                                      order by f.job_id
                                      limit 2000) early
                 where pg_visible_in_snapshot(p.pos, pg_current_snapshot()) or p.pos = own  -- as in claim.sql
                union all
                select late.ctid, late.key, late.batch_id
                  from (select f.ctid, f.key, f.batch_id
                          from millrace.follow_up f
                         where f.queue_id = of_queue and (f.pos, f.job_id) >= (lane.low, lane.low_job)
                         order by f.pos, f.job_id
                         limit 2000) late
                 limit 2000) n
         group by n.key, n.batch_id
         order by n.key, n.batch_id
         limit 64
    loop
        if noted.key is not null then
            released := released + millrace.follow_key(of_queue, noted.key, noted.rows);
        elsif noted.batch_id is null then
            perform millrace.follow_limits(of_queue, noted.rows);
        else
            released := released + millrace.follow_batch(of_queue, noted.batch_id, noted.rows);
        end if;
    end loop;
    return released;
end
$$;

-- Gives the free slots of a key to the jobs that wait for them.
create or replace function millrace.follow_key(of_queue int, of_key text, notes tid[])
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
    never constant bigint := 9223372036854775807;
    at_a_time constant int := 1000;
    known record;
    freed int;
    arrived bigint;
    slots int;
    held int;
    low bigint;
    next_job bigint;
    released int := 0;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('millrace/' || of_key, of_queue)) then
        return 0;
    end if;
    with gone as (
        delete from millrace.follow_up f
         where f.ctid = any (notes) and f.queue_id = of_queue and f.key = of_key
        returning f.what, f.job_id, f.amount
    )
    select coalesce(sum(g.amount) filter (where g.what = 'freed'), 0), min(g.job_id) filter (where g.what = 'arrived')
      into freed, arrived
      from gone g;
    select k.ctid as row_address, k.version, k.held, k.low_job into known
      from millrace.concurrency_key k
     where k.queue_id = of_queue and k.key = of_key
     order by k.version desc
     limit 1;
    held := greatest(coalesce(known.held, 0) - freed, 0);
    low := least(coalesce(known.low_job, never), arrived);
    select coalesce((select l.max_held from millrace.key_limit l where l.queue_id = of_queue and l.key = of_key),
                    q.key_limit) - held
      into slots
      from millrace.queue q
     where q.id = of_queue;

    if slots > 0 then
        with gone as (
            delete from millrace.blocked b
             where b.ctid = any (array(select n.ctid
                                         from millrace.blocked n
                                        where n.queue_id = of_queue and n.key = of_key and n.batch_id is null
                                          and n.job_id >= low
                                        order by n.job_id
                                        limit least(slots, at_a_time)
                                          for update skip locked))
            returning b.job_id, b.stored_on, b.priority, b.attempt
        ), available as (
            insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
            select g.job_id, g.stored_on, of_queue, 10 + g.priority, g.attempt from gone g
        )
        select count(*) into released from gone g;
        if released > 0 then
            insert into millrace.queue_delta (queue_id, available, blocked) values (of_queue, released, -released);
        end if;
    end if;
    select b.job_id into next_job
      from millrace.blocked b
     where b.queue_id = of_queue and b.key = of_key and b.batch_id is null and b.job_id >= low
     order by b.job_id
     limit 1;
    -- more than a claim should do at once; or a cancel holds its row, and may give it back
    if next_job is not null and released < slots then
        perform millrace.leave_note(of_queue, next_job, 'looked', of_key, null);
    end if;

    held := held + released;
    low := coalesce(next_job, never);
    if (coalesce(known.held, 0), coalesce(known.low_job, never)) <> (held, low) then
        delete from millrace.concurrency_key k
         where k.ctid = known.row_address and k.queue_id = of_queue and k.key = of_key;
        -- also when nobody uses the key any more: whoever found no row would have walked all its dead versions
        insert into millrace.concurrency_key (queue_id, key, version, held, low_job)
        values (of_queue, of_key, greatest(known.version + 1, pg_current_xact_id()::text::bigint), held, low);
    end if;
    return released;
end
$$;

-- After a change of the queue's limit for its keys. Not before it is committed: of a job that arrives until then the
-- note may have been followed under the old limit.
create or replace function millrace.follow_limits(of_queue int, notes tid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not pg_try_advisory_xact_lock(hashtextextended('millrace', of_queue)) then
        return;
    end if;
    delete from millrace.follow_up f
     where f.ctid = any (notes) and f.queue_id = of_queue and f.key is null and f.batch_id is null;
    insert into millrace.follow_up (queue_id, job_id, what, key)
    select b.queue_id, min(b.job_id), 'looked', b.key
      from millrace.blocked b
     where b.queue_id = of_queue and b.batch_id is null
     group by b.queue_id, b.key;
end
$$;

-- The notes of all queues; for maintenance, so that nothing waits for a claim while all hands are full.
create or replace function millrace.follow_up_all()
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    of_queue int;
    released int;
    total int := 0;
begin
    for of_queue in select distinct l.queue_id from millrace.lane l where l.priority = 20 order by 1
    loop
        released := millrace.follow_up(of_queue);
        if released > 0 then
            perform millrace.wake(of_queue);
        end if;
        total := total + released;
    end loop;
    return total;
end
$$;
