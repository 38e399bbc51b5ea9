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
-- no row of theirs is left, so that an idle writer does not hold the mark. Each is listed with the first of its jobs
-- that is left: it may have enqueued a million.
--
-- Arguments  queues  those whose lanes move; null: all. A worker names those it has claimed from: in no other have rows
--                    died by its doing, and every mark that moves is written.
-- The caller's transaction must have written nothing: its own position would be missing from its own snapshot.
--
-- Locks   advisory 7709/1 for the transaction, taken or given up; rows of lane and low_water.
-- Raises  MR003 unknown_queue, MR007 invalid_transition in a transaction that has written, or is not read committed.
-- Rows    two per lane whose mark moves, and two of low_water.

create or replace function millrace.advance_low_water(queues text[] default null)
returns int  -- lanes whose mark moved; -1: another session was at it
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    notes constant int := 20;          -- the lane of follow_up
    long_limit constant int := 8;      -- transactions that may be passed at one time
    pending_limit constant int := 64;  -- a lane with more of them unread waits for its claims
    wanted constant int[] := array(select millrace.queue_id(q) from unnest(queues) q);
    before millrace.low_water%rowtype;
    moved int;
begin
    if pg_current_xact_id_if_assigned() is not null then
        raise exception using errcode = 'MR007', message = 'advance_low_water: this transaction has already written',
            hint = 'Call it in a transaction of its own.';
    end if;
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using errcode = 'MR007',
            message = 'advance_low_water: this transaction is ' || current_setting('transaction_isolation'),
            hint = 'Its snapshot may be older than the last move of the marks. Call it at read committed.';
    end if;
    if not pg_try_advisory_xact_lock(7709, 1) then
        return -1;
    end if;
    select w.* into before from millrace.low_water w order by w.version desc limit 1;

    with snapshot as materialized (
        select pg_current_snapshot() as taken
    ), open as materialized (
        select o.pos from snapshot s cross join lateral pg_snapshot_xip(s.taken) o(pos)
    ), cap as materialized (
        select least((select o.pos from open o where o.pos <> all (before.seen) order by o.pos limit 1),
                     (select o.pos from open o order by o.pos offset long_limit limit 1),
                     (select pg_snapshot_xmax(s.taken) from snapshot s)) as pos
    ), mark as (
        select l.row_address, l.queue_id, l.priority, l.version, l.pending, l.pending_job, m.low, m.low_job,
               (m.low, m.low_job) <> (l.low, l.low_job) as moves
          from millrace.queue q
         cross join lateral (select notes union all select millrace.lanes_of(q.id)) p(priority)
         cross join lateral (
                select l.ctid as row_address, l.*
                  from millrace.lane l
                 where l.queue_id = q.id and l.priority = p.priority
                 order by l.version desc limit 1) l
         cross join cap c
         cross join lateral (
                select n.low, n.low_job
                  from (select r.pos as low, r.job_id as low_job
                          from (select r.pos, r.job_id
                                  from millrace.ready r
                                 where r.queue_id = l.queue_id and r.priority = l.priority
                                   and (r.pos, r.job_id) >= (l.low, l.low_job)
                                 order by r.pos, r.job_id limit 1) r
                        union all
                        select n.pos, n.job_id
                          from (select f.pos, f.job_id
                                  from millrace.follow_up f
                                 where l.priority = notes and f.queue_id = l.queue_id
                                   and (f.pos, f.job_id) >= (l.low, l.low_job)
                                 order by f.pos, f.job_id limit 1) n
                        union all
                        select c.pos, 0) n
                 order by n.low, n.low_job limit 1) n
         cross join lateral (
                select case when s.stays then l.low else n.low end as low,
                       case when s.stays then l.low_job else n.low_job end as low_job
                  from (select cardinality(l.pending) >= pending_limit
                               or (n.low, n.low_job) < (l.low, l.low_job) as stays) s) m
         where queues is null or q.id = any (wanted)
    ), marked as materialized (
        select m.*, l.still_pending, l.from_job
          from mark m
         cross join lateral (
                select coalesce(array_agg(e.pos order by e.pos), '{}') as still_pending,
                       coalesce(array_agg(e.job order by e.pos), '{}') as from_job
                  from (select p.pos,
                               case when p.pos in (select o.pos from open o) then p.job
                                    when m.priority = notes
                                    then (select f.job_id
                                            from millrace.follow_up f
                                           where f.queue_id = m.queue_id and f.pos = p.pos and f.job_id >= p.job
                                           order by f.job_id limit 1)
                                    else (select r.job_id
                                            from millrace.ready r
                                           where r.queue_id = m.queue_id and r.priority = m.priority
                                             and r.pos = p.pos and r.job_id >= p.job
                                           order by r.job_id limit 1) end as job
                          from (select u.pos, u.job from unnest(m.pending, m.pending_job) u(pos, job)
                                union all
                                select o.pos, 0 from open o where o.pos <> all (m.pending)) p
                         where p.pos < m.low) e
                 where e.job is not null) l
    ), delta_mark as materialized (
        select greatest(before.delta_low, least((select c.pos from cap c),
                                                (select d.pos
                                                   from millrace.queue_delta d
                                                  where d.pos >= before.delta_low
                                                  order by d.pos
                                                  limit 1))) as low
    ), remembered as (
        insert into millrace.low_water (version, seen, delta_low, delta_pending)
        select before.version + 1, array(select o.pos from open o order by o.pos), d.low,
               array(select p.pos
                       from (select unnest(before.delta_pending) union select o.pos from open o) p(pos)
                      where p.pos < d.low
                        and (p.pos in (select o.pos from open o)
                             or (select q.queue_id from millrace.queue_delta q where q.pos = p.pos limit 1) is not null)
                      order by p.pos)
          from delta_mark d
         where before.seen <> array(select o.pos from open o order by o.pos) or before.delta_low < d.low
        returning version
    ), forgotten as (
        delete from millrace.low_water w where w.version = (select r.version - 1 from remembered r)
    ), moving as materialized (
        select m.*
          from marked m
         where m.moves or m.pending <> m.still_pending or m.pending_job <> m.from_job
    ), left_behind as (
        delete from millrace.lane l where l.ctid = any (array(select m.row_address from moving m))
    )
    insert into millrace.lane (queue_id, priority, version, low, low_job, pending, pending_job)
    select m.queue_id, m.priority, m.version + 1, m.low, m.low_job, m.still_pending, m.from_job from moving m;
    get diagnostics moved = row_count;
    return moved;
end
$$;
