-- fold_counts: adds what statements have appended to queue_delta to queue_count.
--
-- The view `queues` sums both, so that its numbers are exact whenever this ran last; folding keeps that sum short.
-- Begins where advance_low_water() has proven that nothing older is left, for the same reason as a claim does.
--
-- Locks   advisory 7709/2 for the transaction, taken or given up; rows of queue_delta and queue_count.
-- Raises  nothing.
-- Rows    100,000 of queue_delta at most, 2 per queue.

create or replace function millrace.fold_counts()
returns int  -- rows folded; -1: another session was at it
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    folded int;
begin
    if not pg_try_advisory_xact_lock(7709, 2) then
        return -1;
    end if;
    with gone as (
        delete from millrace.queue_delta d
         where d.ctid = any (array(select x.ctid from millrace.live_deltas(100000) x))
        returning d.*
    ), summed as (
        select g.queue_id, sum(g.available) as available, sum(g.scheduled) as scheduled, sum(g.blocked) as blocked,
               sum(g.running) as running, sum(g.dead) as dead, sum(g.enqueued) as enqueued,
               sum(g.completed) as completed, sum(g.cancelled) as cancelled, sum(g.failed) as failed, count(*) as deltas
          from gone g
         group by g.queue_id
    ), last as materialized (
        select c.ctid as row_address, c.*
          from summed s
         cross join lateral (
                select c.ctid, c.*
                  from millrace.queue_count c
                 where c.queue_id = s.queue_id
                 order by c.version desc
                 limit 1) c
    ), left_behind as (
        delete from millrace.queue_count c where c.ctid = any (array(select l.row_address from last l))
    ), added as (
        insert into millrace.queue_count (queue_id, version, available, scheduled, blocked, running, dead, enqueued,
                                          completed, cancelled, failed)
        select l.queue_id, l.version + 1, l.available + s.available, l.scheduled + s.scheduled, l.blocked + s.blocked,
               l.running + s.running, l.dead + s.dead, l.enqueued + s.enqueued,
               l.completed + s.completed, l.cancelled + s.cancelled, l.failed + s.failed
          from last l
          join summed s on s.queue_id = l.queue_id
    )
    select coalesce(sum(s.deltas), 0) into folded from summed s;
    return folded;
end
$$;

-- The deltas that are not folded yet, at most so many (null: all), read from the low-water on.
create or replace function millrace.live_deltas(max_rows bigint default null)
returns table (ctid tid, queue_id int, available int, scheduled int, blocked int, running int, dead int, enqueued int,
               completed int, cancelled int, failed int)
language sql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    select d.ctid, d.queue_id, d.available, d.scheduled, d.blocked, d.running, d.dead, d.enqueued, d.completed,
           d.cancelled, d.failed
      from millrace.queue_delta d
     where d.pos >= (select w.delta_low from millrace.low_water w order by w.version desc limit 1)
    union all
    select d.ctid, d.queue_id, d.available, d.scheduled, d.blocked, d.running, d.dead, d.enqueued, d.completed,
           d.cancelled, d.failed
      from (select unnest(w.delta_pending) as pos
            from (select w.delta_pending from millrace.low_water w order by w.version desc limit 1) w) p
     cross join lateral (select d.ctid, d.* from millrace.queue_delta d where d.pos = p.pos offset 0) d
     limit max_rows
$$;
