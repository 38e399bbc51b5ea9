-- advance_low_water: lets claims skip positions that are proven dead.
--
-- While something pins the vacuum horizon, deleted rows of `ready` stay in its index, and a claim that began at the
-- front of a lane would pass every job ever claimed. Each lane therefore remembers where its first live row can be.
-- A row's position is the transaction that inserted it, and the invariant is
--
--     whatever is or can become claimable has  (pos, job_id) >= (low, low_job)  or  pos in pending.
--
-- The least position that can be *seen* is no such mark: an enqueue that is not committed yet has a lower one, and its
-- jobs would be lost. So from one snapshot the mark moves to the least of
--     the first live row of the lane, and its job: of a transaction that has ended, all rows before it are dead,
--     the oldest transaction in progress that the last call has not seen already,
--     the ninth transaction in progress, whatever the last call has seen,
--     the snapshot's end.
-- A transaction seen twice is long: up to eight of them are passed, and listed in `pending` until they have ended and
-- no row of theirs is left, so that an idle writer does not hold the mark.
--
-- The caller's transaction must have written nothing: its own position would be missing from its own snapshot.
--
-- Locks   advisory 7709/1 for the transaction, taken or given up; rows of lane and low_water.
-- Raises  MR007 invalid_transition in a transaction that has written.
-- Rows    at most one per lane, and only those whose mark moves.

create or replace function millrace.advance_low_water()
returns int  -- lanes whose mark moved; -1: another session was at it
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    long_limit constant int := 8;      -- transactions that may be passed at one time
    pending_limit constant int := 64;  -- a lane with more of them unread waits for its claims
    before millrace.low_water%rowtype;
    moved int;
begin
    if pg_current_xact_id_if_assigned() is not null then
        raise exception using errcode = 'MR007', message = 'advance_low_water: this transaction has already written',
            hint = 'Call it in a transaction of its own.';
    end if;
    if not pg_try_advisory_xact_lock(7709, 1) then
        return -1;
    end if;
    select * into before from millrace.low_water;

    with snapshot as materialized (
        select pg_current_snapshot() as taken
    ), open as materialized (
        select o.pos from snapshot s cross join lateral pg_snapshot_xip(s.taken) o(pos)
    ), cap as materialized (
        select least((select o.pos from open o where o.pos <> all (before.seen) order by o.pos limit 1),
                     (select o.pos from open o order by o.pos offset long_limit limit 1),
                     (select pg_snapshot_xmax(s.taken) from snapshot s)) as pos
    ), mark as (
        select l.queue_id, l.priority, l.pending, m.low, m.low_job
          from millrace.lane l
         cross join cap c
         cross join lateral (
                select n.low, n.low_job
                  from (select r.pos as low, r.job_id as low_job
                          from (select r.pos, r.job_id
                                  from millrace.ready r
                                 where r.queue_id = l.queue_id and r.priority = l.priority
                                   and (r.pos, r.job_id) >= (l.low, l.low_job)
                                 order by r.pos, r.job_id
                                 limit 1) r
                        union all
                        select c.pos, 0) n
                 order by n.low, n.low_job
                 limit 1) n
         cross join lateral (
                select case when s.stays then l.low else n.low end as low,
                       case when s.stays then l.low_job else n.low_job end as low_job
                  from (select cardinality(l.pending) >= pending_limit
                               or (n.low, n.low_job) < (l.low, l.low_job) as stays) s) m
    ), marked as materialized (
        select m.queue_id, m.priority, m.low, m.low_job,
               array(select p.pos
                       from (select unnest(m.pending) union select o.pos from open o) p(pos)
                      where p.pos < m.low
                        and (p.pos in (select o.pos from open o)
                             or (select r.job_id
                                   from millrace.ready r
                                  where r.queue_id = m.queue_id and r.priority = m.priority and r.pos = p.pos
                                  limit 1) is not null)
                      order by p.pos) as pending
          from mark m
    ), delta_mark as materialized (
        select greatest(before.delta_low, least((select c.pos from cap c),
                                                (select d.pos
                                                   from millrace.queue_delta d
                                                  where d.pos >= before.delta_low
                                                  order by d.pos
                                                  limit 1))) as low
    ), remembered as (
        update millrace.low_water w
           set seen = array(select o.pos from open o order by o.pos),
               delta_low = (select m.low from delta_mark m),
               delta_pending = array(select p.pos
                                       from (select unnest(before.delta_pending) union select o.pos from open o) p(pos)
                                      where p.pos < (select m.low from delta_mark m)
                                        and (p.pos in (select o.pos from open o)
                                             or (select d.queue_id from millrace.queue_delta d where d.pos = p.pos
                                                  limit 1) is not null)
                                      order by p.pos)
         where w.seen <> array(select o.pos from open o order by o.pos)
            or w.delta_low < (select m.low from delta_mark m)
    )
    update millrace.lane l
       set low = m.low, low_job = m.low_job, pending = m.pending
      from marked m
     where l.queue_id = m.queue_id and l.priority = m.priority
       and ((l.low, l.low_job) < (m.low, m.low_job) or l.pending <> m.pending);
    get diagnostics moved = row_count;
    return moved;
end
$$;
