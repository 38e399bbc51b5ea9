-- create_batch, close_batch: jobs that belong together, and what happens when all of them have ended.
--
--     batch: open ──close_batch──► closed ──last member ends──► finished
--     finished: its callback job is enqueued, once; jobs that waited for it (after_batch) become available
--
-- A member has ended when it is completed, cancelled or a dead letter, whatever came before. A dead letter that is
-- replayed before the batch has finished is waited for again; afterwards it changes nothing any more: a batch finishes
-- once. The callback's payload is the one given, with a key "batch" added: {"id", "completed", "cancelled",
-- "discarded"}.
--
-- Arguments  queue     where the callback runs; also the queue whose claims look after the batch
--            kind      of the callback; null: none
--            payload   a JSON object
--            priority  of the callback
-- Locks      create_batch: none. Enqueue into a batch: its row FOR KEY SHARE. close_batch: its row FOR UPDATE, so that
--            it waits for those who are adding members, and knows how many there are.
-- Raises     MR003 unknown_queue, MR004 payload_too_large, MR005 bad_argument, MR013 unknown_batch; MR007
--            invalid_transition: to join a batch that is closed, to close one in a transaction that is not read
--            committed.
-- Rows       2; close_batch: 2, and removes one per enqueue into the batch.

create or replace function millrace.create_batch(
    queue text, kind text default null, payload jsonb default '{}', priority int default 5)
returns bigint  -- the batch's id
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    admitted record;
    created bigint;
begin
    admitted := millrace.admit(queue, coalesce(kind, 'none'), priority, null, null, null, null, null, null, null);
    perform millrace.check_payload(payload, admitted.payload_limit);
    perform millrace.ensure_lanes(admitted.queue_id);
    if jsonb_typeof(payload) <> 'object' then
        raise exception using errcode = 'MR005', message = 'create_batch: bad payload',
            hint = 'Allowed for payload: a JSON object, to which the key "batch" is added.';
    end if;
    insert into millrace.batch as b (queue_id, kind, payload, priority, created_at)
    values (admitted.queue_id, create_batch.kind, create_batch.payload, create_batch.priority, admitted.now)
    returning b.id into created;
    insert into millrace.batch_count (batch_id) values (created);
    return created;
end
$$;

create or replace function millrace.close_batch(batch bigint)
returns bigint  -- how many members it has
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known millrace.batch%rowtype;
    amount bigint;
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using errcode = 'MR007',
            message = 'close_batch: this transaction is ' || current_setting('transaction_isolation'),
            hint = 'Its snapshot may be older than members of the batch. Close it at read committed.';
    end if;
    select b.* into known from millrace.batch b where b.id = batch for update;
    if not found then
        perform millrace.raise_unknown_batch(batch);
    elsif known.closed_at is not null then
        return known.members;
    end if;
    with counted as (
        delete from millrace.batch_member m where m.batch_id = batch returning m.amount
    )
    select coalesce(sum(c.amount), 0) into amount from counted c;
    update millrace.batch b set closed_at = millrace.now(), members = amount where b.id = batch;
    perform millrace.leave_note(known.queue_id, 0, 'looked', null, batch);
    perform millrace.wake(known.queue_id);
    return amount;
end
$$;

create or replace function millrace.join_batch(batch bigint, amount int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    closed boolean;
begin
    select b.closed_at is not null into closed from millrace.batch b where b.id = batch for key share;
    if not found then
        perform millrace.raise_unknown_batch(batch);
    elsif closed then
        raise exception using errcode = 'MR007', message = format('enqueue: batch %s is closed', batch),
            hint = 'Members are added before close_batch(); a member may enqueue into a batch of its own.';
    end if;
    insert into millrace.batch_member (batch_id, amount) values (batch, join_batch.amount);
end
$$;

-- What a job has to wait for: null if that has finished. Otherwise a note is left, which is read after this commit, and
-- so it does not matter when the batch finishes.
create or replace function millrace.unfinished_batch(after_batch bigint, of_batch bigint)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    finished boolean;
begin
    if after_batch is null then
        return null;
    elsif after_batch = of_batch then
        raise exception using errcode = 'MR005', message = 'enqueue: bad after_batch',
            hint = 'Allowed for after_batch: another batch than the one of which the job is a member.';
    end if;
    select b.finished_at is not null into finished from millrace.batch b where b.id = after_batch;
    if not found then
        perform millrace.raise_unknown_batch(after_batch);
    end if;
    return case when not finished then after_batch end;
end
$$;

create or replace function millrace.raise_unknown_batch(batch bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'MR013', message = format('unknown batch %s', coalesce(batch::text, 'null')),
        hint = 'Create it first: select millrace.create_batch(''queue''). The view millrace.batches lists them.';
end
$$;

-- Counts the members that have ended, and finishes the batch with the last of them.
create or replace function millrace.follow_batch(of_queue int, of_batch bigint, notes tid[])
returns int  -- jobs that became available in this queue
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
    at_a_time constant int := 10000;
    known millrace.batch%rowtype;
    news record;
    counts record;
    released int := 0;
    woken int[];
begin
    select b.* into known from millrace.batch b where b.id = of_batch for no key update skip locked;
    if not found and exists (select from millrace.batch b where b.id = of_batch) then
        perform millrace.fold_notes(of_queue, of_batch, notes);
        return 0;
    end if;
    with gone as (
        -- by address alone: with the queue beside it the index would be read, with all that is dead in it
        delete from millrace.follow_up f
         where f.ctid = any (notes) and f.batch_id = of_batch
        returning f.what, f.amount
    )
    select coalesce(sum(g.amount) filter (where g.what = 'completed'), 0) as completed,
           coalesce(sum(g.amount) filter (where g.what = 'cancelled'), 0) as cancelled,
           coalesce(sum(g.amount) filter (where g.what = 'discarded'), 0)
             - coalesce(sum(g.amount) filter (where g.what = 'replayed'), 0) as discarded
      into news
      from gone g;
    if known.id is not null and known.finished_at is null then  -- else finished, or pruned long after
        select c.version, c.completed + news.completed as completed, c.cancelled + news.cancelled as cancelled,
               c.discarded + news.discarded as discarded
          into counts
          from millrace.batch_count c
         where c.batch_id = of_batch
         order by c.version desc
         limit 1;
        if news.completed <> 0 or news.cancelled <> 0 or news.discarded <> 0 then
            delete from millrace.batch_count c where c.batch_id = of_batch and c.version = counts.version;
            insert into millrace.batch_count (batch_id, version, completed, cancelled, discarded)
            values (of_batch, counts.version + 1, counts.completed, counts.cancelled, counts.discarded);
        end if;
        if known.closed_at is null or counts.completed + counts.cancelled + counts.discarded < known.members then
            return 0;
        end if;
        update millrace.batch b
           set finished_at = millrace.now(),
               callback_job = case when known.kind is not null then
                   millrace.call_back(known, jsonb_build_object('id', of_batch, 'completed', counts.completed,
                                                                'cancelled', counts.cancelled,
                                                                'discarded', counts.discarded)) end
         where b.id = of_batch;
        released := (known.kind is not null)::int;
    end if;

    with gone as (
        delete from millrace.blocked b
         where b.ctid = any (array(select n.ctid
                                     from millrace.blocked n
                                    where n.batch_id = of_batch
                                    order by n.job_id
                                    limit at_a_time
                                      for update skip locked))
        returning b.*
    ), available as (
        insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
        select g.job_id, g.stored_on, g.queue_id, 10 + g.priority, g.attempt from gone g where g.key is null
    ), needs_slot as (
        insert into millrace.blocked (job_id, stored_on, queue_id, priority, attempt, key)
        select g.job_id, g.stored_on, g.queue_id, g.priority, g.attempt, g.key from gone g where g.key is not null
    ), noted as (
        insert into millrace.follow_up (queue_id, job_id, what, key)
        select g.queue_id, min(g.job_id), 'arrived', g.key
          from gone g
         where g.key is not null
         group by g.queue_id, g.key
    ), counted as (
        insert into millrace.queue_delta (queue_id, available, blocked)
        select g.queue_id, count(*), -count(*) from gone g where g.key is null group by g.queue_id
    )
    select released + count(*) filter (where g.queue_id = of_queue and g.key is null), array_agg(distinct g.queue_id)
      into released, woken
      from gone g;
    perform millrace.wake(q) from unnest(woken) q;
    if exists (select from millrace.blocked b where b.batch_id = of_batch) then
        perform millrace.leave_note(of_queue, 0, 'looked', null, of_batch);
    end if;
    return released;
end
$$;

-- Of a batch that somebody holds, for as long as he likes: many notes become one of each sort, behind all others, which
-- they would keep from being looked at.
create or replace function millrace.fold_notes(of_queue int, of_batch bigint, notes tid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    worth_while constant int := 100;
    found_rows constant tid[] := array(select f.ctid
                                         from millrace.follow_up f
                                        where f.ctid = any (notes) and f.batch_id = of_batch
                                          for update skip locked);
begin
    if cardinality(found_rows) < worth_while then
        return;
    end if;
    with gone as (
        delete from millrace.follow_up f where f.ctid = any (found_rows) returning f.job_id, f.what, f.amount
    )
    insert into millrace.follow_up (queue_id, job_id, what, batch_id, amount)
    select of_queue, min(g.job_id), g.what, of_batch, sum(g.amount) from gone g group by g.what;
end
$$;

-- Not by enqueue(): whatever has become of the queue's limits since the batch was created, nothing may be raised here.
create or replace function millrace.call_back(batch millrace.batch, outcome jsonb)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    enqueued bigint;
    day date;
begin
    insert into millrace.job as j (enqueued_at, stored_on, queue_id, priority, max_attempts, kind, payload, timeout)
    select millrace.now(), millrace.storage_day(), q.id, batch.priority,
           coalesce(k.max_attempts, q.max_attempts), batch.kind,
           batch.payload || jsonb_build_object('batch', outcome), coalesce(k.timeout, q.timeout)
      from millrace.queue q
      left join millrace.kind k on k.name = batch.kind
     where q.id = batch.queue_id
    returning j.id, j.stored_on into enqueued, day;
    insert into millrace.ready (job_id, stored_on, queue_id, priority)
    values (enqueued, day, batch.queue_id, batch.priority);  -- the clock may have passed midnight
    insert into millrace.queue_delta (queue_id, available, enqueued) values (batch.queue_id, 1, 1);
    return enqueued;
end
$$;
