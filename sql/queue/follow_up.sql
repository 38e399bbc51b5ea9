-- block, let_wait, follow_up, after_end: jobs that wait for a slot of their key or for a batch, and what ends that.
--
--     (nothing), scheduled ──block──► blocked            needs a slot, or a batch that has not finished
--     blocked ──follow_up──► available                   the slot is held from then on
--     job ends ──after_end──► a note that the slot is free, that the batch has one member less to wait for
--
-- Whoever changes something that another job may wait for only leaves a note, and locks nothing that it shares with
-- others: an enqueue or a settle may stand in a transaction that lasts. A claim begins with reading the notes of its
-- queue (pos and low-water as in `ready`), and every promotion with those of all queues. Each key, and each batch, is
-- looked after by one claimer at a time; what another looks after is left to it, and so are its notes.
--
-- Exactness: a slot is counted as held from the release of its job until a note that it is free has been consumed, and
-- both happen under the key's lock, in the transaction that changes the count. At most key_limit jobs of a key are
-- available, running or waiting for a retry at any time, except after the limit was lowered, until enough have ended.
-- Of a key with a rate no more are let go than it has tokens, see rate.sql.
--
-- Order: the least job id first, of those whose notes have been read. A job that is committed late, with a lower id
-- than one that runs, is next.
--
-- Locks   advisory (hash of queue and key), tried and not waited for, or the batch's row, SKIP LOCKED; then rows of
--         follow_up, blocked and concurrency_key.
-- Raises  nothing of their own.
-- Rows    1,000 notes of 100 keys and batches in one call of follow_up; 1,000 jobs that waited for one key, 10,000
--         for one batch; the rest of them is left to the next.

-- The lanes of a queue that has keys or batches. Two that use the first key of a queue at the same time take turns.
create or replace function millrace.ensure_lanes(queue_id int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not millrace.has_ties(queue_id) then
        insert into millrace.lane (queue_id, priority)
        select ensure_lanes.queue_id, p from generate_series(10, 20) p
        on conflict do nothing;
    end if;
end
$$;

-- Whether the queue has ever had keys or batches. From the newest version on, as wherever a lane is read.
create or replace function millrace.has_ties(of_queue int)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    select (select l.version
              from millrace.lane l
             where l.queue_id = of_queue and l.priority = 20
             order by l.version desc
             limit 1) is not null
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

-- Puts a job that waits for nothing but its time and its key where it belongs.
create or replace function millrace.let_wait(
    job_id bigint, stored_on date, queue_id int, priority smallint, attempt smallint, key text,
    due timestamptz default null, wake boolean default true)
returns text  -- its state
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if due is not null then
        insert into millrace.scheduled (run_at, job_id, stored_on, queue_id, priority, attempt, waits_for, key)
        values (let_wait.due, let_wait.job_id, let_wait.stored_on, let_wait.queue_id, let_wait.priority,
                let_wait.attempt, 'run_at', let_wait.key);
        insert into millrace.queue_delta (queue_id, scheduled) values (let_wait.queue_id, 1);
        perform millrace.announce(let_wait.due, millrace.now())
           from millrace.queue_signal s
          where s.queue_id = let_wait.queue_id and s.raised and let_wait.wake;
        return 'scheduled';
    elsif let_wait.key is not null then
        perform millrace.block(queue_id, array[job_id], stored_on, priority, key);
        insert into millrace.queue_delta (queue_id, blocked) values (let_wait.queue_id, 1);
    else
        insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
        values (let_wait.job_id, let_wait.stored_on, let_wait.queue_id, let_wait.priority, let_wait.attempt);
        insert into millrace.queue_delta (queue_id, available) values (let_wait.queue_id, 1);
    end if;
    if let_wait.wake then
        perform millrace.wake(queue_id);
    end if;
    return case when let_wait.key is null then 'available' else 'blocked' end;
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
    notes_at_a_time constant int := 1000;
    ties_at_a_time constant int := 100;  -- advisory locks: all sessions together have some thousands
    own constant xid8 := pg_current_xact_id_if_assigned();
    lane millrace.lane%rowtype;
    key_notes tid[];
    batch_notes tid[];
    limit_notes tid[];
    batches bigint[];
    batch bigint;
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
    with note as materialized (
        select row_number() over () as rank, n.*
          from (select early.ctid as row_address, early.key, early.batch_id
                  from unnest(lane.pending, lane.pending_job) p(pos, job)
                 cross join lateral (select f.ctid, f.key, f.batch_id
                                       from millrace.follow_up f
                                      where f.queue_id = of_queue and f.pos = p.pos and f.job_id >= p.job
                                      order by f.job_id
                                      limit notes_at_a_time) early
                 where pg_visible_in_snapshot(p.pos, pg_current_snapshot()) or p.pos = own  -- as in claim.sql
                union all
                select late.ctid, late.key, late.batch_id
                  from (select f.ctid, f.key, f.batch_id
                          from millrace.follow_up f
                         where f.queue_id = of_queue and (f.pos, f.job_id) >= (lane.low, lane.low_job)
                         order by f.pos, f.job_id
                         limit notes_at_a_time) late
                 limit notes_at_a_time) n
    ), tie as materialized (
        select n.key, n.batch_id, array_agg(n.row_address) as rows, min(n.rank) as rank
          from note n
         group by n.key, n.batch_id
    ), mine as materialized (  -- those that somebody else looks after are not counted, or they would hide all others
        select t.key, t.batch_id, t.rows
          from (select * from tie order by rank offset 0) t
         where t.key is null or pg_try_advisory_xact_lock(hashtextextended('millrace/' || t.key, of_queue))
         limit ties_at_a_time
    )
    select array(select unnest(m.rows) from mine m where m.key is not null),
           array(select m.batch_id from mine m where m.batch_id is not null),
           array(select unnest(m.rows) from mine m where m.batch_id is not null),
           array(select unnest(m.rows) from mine m where m.key is null and m.batch_id is null)
      into key_notes, batches, batch_notes, limit_notes;
    if cardinality(key_notes) > 0 then
        released := millrace.follow_keys(of_queue, key_notes);
    end if;
    foreach batch in array batches
    loop
        released := released + millrace.follow_batch(of_queue, batch, batch_notes);
    end loop;
    if cardinality(limit_notes) > 0 and millrace.follow_limits(of_queue, limit_notes) then
        released := released + millrace.follow_up(of_queue);
    end if;
    return released;
end
$$;

-- Gives free slots to the jobs that wait for them. The caller holds the locks of the notes' keys.
create or replace function millrace.follow_keys(of_queue int, notes tid[])
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
    at_a_time constant int := 1000;  -- jobs of one key
    own constant bigint := pg_current_xact_id()::text::bigint;
    at constant timestamptz := millrace.now();  -- under the locks of the keys
    released int;
begin
    with noted as (
        delete from millrace.follow_up f
         where f.ctid = any (notes)
        returning f.key, f.what, f.job_id, f.amount
    ), news as (
        select n.key, coalesce(sum(n.amount) filter (where n.what = 'freed'), 0) as freed,
               min(n.job_id) filter (where n.what = 'arrived') as arrived
          from noted n
         group by n.key
    ), known as materialized (
        select n.key, k.row_address, k.version, k.held as last_held, k.low_job as last_low, k.spent_until, k.wake_at,
               greatest(coalesce(k.held, 0) - n.freed, 0) as held, least(coalesce(k.low_job, never), n.arrived) as low,
               f.slots as free, b.tokens, b.since, b.every, b.worthwhile, least(f.slots, b.tokens) as slots
          from news n
         cross join (select q.key_limit, q.key_token_micros, q.key_burst from millrace.queue q where q.id = of_queue) q
          left join millrace.key_limit l on l.queue_id = of_queue and l.key = n.key
          left join lateral (select k.ctid as row_address, k.version, k.held, k.low_job, k.spent_until, k.wake_at
                               from millrace.concurrency_key k
                              where k.queue_id = of_queue and k.key = n.key
                              order by k.version desc
                              limit 1) k on true
         cross join lateral (select greatest(coalesce(l.max_held, q.key_limit)
                                             - greatest(coalesce(k.held, 0) - n.freed, 0), 0) as slots) f
         cross join lateral (select coalesce(l.token_micros, q.key_token_micros) as micros,
                                    case when l.token_micros is null then q.key_burst else l.burst end as burst) r
          left join lateral millrace.key_bucket(k.spent_until, r.micros, r.burst, at) b on r.micros is not null
    ), gone as (
        delete from millrace.blocked b
         where b.ctid = any (array(select w.ctid
                                     from known k
                                    cross join lateral (select w.ctid
                                                          from millrace.blocked w
                                                         where w.queue_id = of_queue and w.key = k.key
                                                           and w.batch_id is null and w.job_id >= k.low
                                                         order by w.job_id
                                                         limit least(k.slots, at_a_time)
                                                           for update skip locked) w))
        returning b.key, b.job_id, b.stored_on, b.priority, b.attempt
    ), available as (
        insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
        select g.job_id, g.stored_on, of_queue, 10 + g.priority, g.attempt from gone g order by g.job_id
    ), taken as (
        select g.key, count(*)::int as amount, array_agg(g.job_id) as jobs from gone g group by g.key
    ), state as materialized (
        select k.*, k.held + coalesce(t.amount, 0) as new_held, coalesce(n.job_id, never) as new_low,
               n.job_id as next_job, coalesce(t.amount, 0) < k.slots as has_room, b.new_spent, b.new_wake,
               (coalesce(k.last_held, 0), coalesce(k.last_low, never), k.spent_until, k.wake_at)
                 is distinct from (k.held + coalesce(t.amount, 0), coalesce(n.job_id, never), b.new_spent, b.new_wake)
                 as changed
          from known k
          left join taken t on t.key = k.key
          left join lateral (select w.job_id
                               from millrace.blocked w
                              where w.queue_id = of_queue and w.key = k.key and w.batch_id is null
                                and w.job_id >= k.low and (t.jobs is null or w.job_id <> all (t.jobs))
                              order by w.job_id
                              limit 1) n on true
         cross join lateral (
                select case when t.amount > 0 then coalesce(k.since + t.amount * k.every, k.spent_until)
                            else k.spent_until end as new_spent,
                       case when coalesce(t.amount, 0) = k.tokens and k.free > k.tokens and n.job_id is not null
                            then k.since + (k.tokens + k.worthwhile) * k.every end as new_wake) b
    ), wakes as (
        insert into millrace.key_due (due_at, queue_id, key)
        select s.new_wake, of_queue, s.key from state s where s.new_wake is distinct from s.wake_at and s.new_wake > at
    ), looks_again as (  -- more than a claim should do at once; or a cancel holds its row, and may give it back
        insert into millrace.follow_up (queue_id, job_id, what, key)
        select of_queue, s.next_job, 'looked', s.key from state s where s.has_room and s.next_job is not null
    ), left_behind as (
        delete from millrace.concurrency_key k
         where k.ctid = any (array(select s.row_address
                                     from state s
                                    where s.changed))
    ), kept as (  -- also when nobody uses the key any more: whoever found no row would have walked its dead versions
        insert into millrace.concurrency_key (queue_id, key, version, held, low_job, spent_until, wake_at)
        select of_queue, s.key, greatest(s.version + 1, own), s.new_held, s.new_low, s.new_spent, s.new_wake
          from state s
         where s.changed
    )
    select count(*) into released from gone;
    if released > 0 then
        insert into millrace.queue_delta (queue_id, available, blocked) values (of_queue, released, -released);
    end if;
    return released;
end
$$;

-- After a change of the queue's limit for its keys. Not before it is committed: of a job that arrives until then the
-- note may have been followed under the old limit.
create or replace function millrace.follow_limits(of_queue int, notes tid[])
returns boolean  -- whether there are new notes, for its keys
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not pg_try_advisory_xact_lock(hashtextextended('millrace', of_queue)) then
        return false;
    end if;
    delete from millrace.follow_up f
     where f.ctid = any (notes) and f.key is null and f.batch_id is null;
    insert into millrace.follow_up (queue_id, job_id, what, key)
    select b.queue_id, min(b.job_id), 'looked', b.key
      from millrace.blocked b
     where b.queue_id = of_queue and b.batch_id is null
     group by b.queue_id, b.key;
    return found;
end
$$;

-- The notes of all queues, so that nothing waits for a claim while all hands are full: see promote(). Of ten at a time,
-- whichever: each may take as many advisory locks as it has keys.
create or replace function millrace.follow_up_all()
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    queues_at_a_time constant int := 10;
    of_queue int;
    released int;
    total int := 0;
begin
    for of_queue in select q.id
                      from millrace.queue q
                     where millrace.has_ties(q.id)
                     order by random()
                     limit queues_at_a_time
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
