-- pause_kind, resume_kind, set_aside: jobs of a kind that nobody may or can run now.
--
--     available ──set_aside──► available     in the lanes of its kind, which only those read who may run it
--     available ──set_aside──► finished 'cancelled', if its expires_at has come
--
-- A claim that meets a job of a paused kind, or of one that its session does not handle, puts it into the lanes of
-- that kind, and no claim meets it again that could not run it: it stays available, it is counted and shown so, it is
-- never failed, and it costs the other kinds nothing more. Whoever handles the kind reads its lanes before the others
-- of the same priority, because what is there has waited longer. Nothing has to be moved back: a worker that knows
-- the kind, or resume_kind(), is enough.
--
-- A queue has room for 3,200 such kinds. A job of one more is put off for ten seconds, and so is one that is met for
-- the first time while another transaction gives a kind its lanes.
--
-- Arguments  kind  1 to 100 characters: it may not have been used yet
-- Locks      pause_kind, resume_kind: the row of kind. set_aside: advisory 7711/queue, tried and not waited for.
-- Raises     MR005 bad_argument.
-- Rows       pause_kind, resume_kind: 1, and one of operator_action. set_aside: two per job; 11 for a new kind.

create or replace function millrace.pause_kind(kind text)
returns timestamptz  -- since when it is paused
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    since timestamptz;
begin
    perform millrace.check_kind('pause_kind', kind);
    insert into millrace.kind as k (name, paused_at, created_at)
    values (pause_kind.kind, millrace.now(), millrace.now())
    on conflict on constraint kind_name_key do update set paused_at = millrace.now() where k.paused_at is null
    returning k.paused_at into since;
    if found then
        perform millrace.audit('pause_kind', jsonb_build_object('kind', pause_kind.kind), 1);
        return since;
    end if;
    return (select k.paused_at from millrace.kind k where k.name = pause_kind.kind);
end
$$;

create or replace function millrace.resume_kind(kind text)
returns boolean  -- whether it was paused
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform millrace.check_kind('resume_kind', kind);
    update millrace.kind k set paused_at = null where k.name = resume_kind.kind and k.paused_at is not null;
    if not found then
        return false;
    end if;
    perform millrace.wake(l.queue_id) from millrace.kind_lane l where l.kind = resume_kind.kind;
    perform millrace.audit('resume_kind', jsonb_build_object('kind', resume_kind.kind), 1);
    return true;
end
$$;

create or replace function millrace.check_kind(caller text, kind text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if kind is null or kind = '' or length(kind) > 100 then
        raise exception using errcode = 'MR005', message = caller || ': bad kind',
            hint = 'Allowed for kind: 1 to 100 characters.';
    end if;
end
$$;

-- The lanes that a claim reads, those of kinds it may hand out among the others, first in their priority.
create or replace function millrace.with_kind_lanes(lanes smallint[], of_queue int, handled text[], paused text[])
returns smallint[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select array_agg(l.lane order by l.lane % 10, l.rank, l.lane)
      from (select u.lane, u.rank from unnest(lanes) with ordinality u(lane, rank)
            union all
            select (100 + 10 * k.number + p)::smallint, 0
              from millrace.kind_lane k
             cross join generate_series(0, 9) p
             where k.queue_id = of_queue and (handled is null or k.kind = any (handled))
               and (paused is null or k.kind <> all (paused))) l
$$;

-- All lanes of `ready` that a queue may have.
create or replace function millrace.lanes_of(of_queue int)
returns setof smallint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select generate_series(0, 19)::smallint
    union all
    select (100 + 10 * k.number + p)::smallint
      from millrace.kind_lane k
     cross join generate_series(0, 9) p
     where k.queue_id = of_queue
$$;

-- Sorts what this transaction has just found and may not start: what is late ends, the rest goes into the lanes of its
-- kind. All of it lies in lane 100 at this transaction's position, and nothing is left there.
create or replace function millrace.set_aside(of_queue int, at timestamptz)
returns boolean  -- whether it is worth while to look for more
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
    postponed_until constant timestamptz := millrace.now() + interval '10 seconds';
    found_kinds text[];
    late millrace.ready[];
    sorted int;
    postponed int;
begin
    if own is null or not exists (select from millrace.ready r
                                   where r.queue_id = of_queue and r.priority = 100 and r.pos = own) then
        return false;
    end if;
    select array_agg(distinct j.kind) filter (where not e.is_late),
           array_agg(r order by r.job_id) filter (where e.is_late)
      into found_kinds, late
      from millrace.ready r
      join millrace.job j on j.id = r.job_id and j.stored_on = r.stored_on
     cross join lateral (select coalesce(j.expires_at <= at, false) as is_late) e
     where r.queue_id = of_queue and r.priority = 100 and r.pos = own;
    perform millrace.expire(of_queue, late) where late is not null;
    perform millrace.ensure_kind_lanes(of_queue, found_kinds);
    with gone as (
        delete from millrace.ready r
         where r.queue_id = of_queue and r.priority = 100 and r.pos = own
        returning r.job_id, r.stored_on, r.attempt
    ), placed as materialized (
        select g.job_id, g.stored_on, g.attempt, j.priority, k.number
          from gone g
          join millrace.job j on j.id = g.job_id and j.stored_on = g.stored_on
          left join millrace.kind_lane k on k.queue_id = of_queue and k.kind = j.kind
    ), aside as (
        insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
        select p.job_id, p.stored_on, of_queue, 100 + 10 * p.number + p.priority, p.attempt
          from placed p
         where p.number is not null
         order by p.job_id
    ), later as (
        insert into millrace.scheduled (run_at, job_id, stored_on, queue_id, priority, attempt, waits_for)
        select postponed_until, p.job_id, p.stored_on, of_queue, p.priority, p.attempt, 'snooze'
          from placed p
         where p.number is null
    )
    select count(p.number), count(*) - count(p.number) into sorted, postponed from placed p;
    if postponed > 0 then
        insert into millrace.queue_delta (queue_id, available, scheduled) values (of_queue, -postponed, postponed);
    end if;
    if sorted > 0 then
        perform millrace.wake(of_queue);  -- somebody else may handle them
    end if;
    return sorted > 0 or late is not null;
end
$$;

-- Ends jobs that a claim has found too late.
create or replace function millrace.expire(of_queue int, late millrace.ready[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    delete from millrace.ready r
     using unnest(late) l
     where r.queue_id = of_queue and r.priority = l.priority and r.pos = l.pos and r.job_id = l.job_id;
    insert into millrace.finished (job_id, finished_at, stored_on, queue_id, outcome, attempt, note)
    select l.job_id, millrace.now(), l.stored_on, of_queue, 'cancelled', l.attempt, 'expired' from unnest(late) l;
    insert into millrace.queue_delta (queue_id, available, cancelled)
    values (of_queue, -cardinality(late), cardinality(late));
    perform millrace.after_end(array(select (l.job_id, l.stored_on, 'cancelled')::millrace.ending from unnest(late) l));
end
$$;

-- Gives lanes to those of the kinds that have none, unless another transaction is at it, or the numbers are used up.
create or replace function millrace.ensure_kind_lanes(of_queue int, kinds text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    most constant int := 3200;
begin
    if not exists (select from unnest(kinds) u(kind)
                    where not exists (select from millrace.kind_lane k where k.queue_id = of_queue and k.kind = u.kind))
       or current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')
       or not pg_try_advisory_xact_lock(7711, of_queue) then
        return;
    end if;
    with given as (
        insert into millrace.kind_lane (queue_id, kind, number)
        select of_queue, n.kind, n.number
          from (select u.kind, (select coalesce(max(k.number), 0) from millrace.kind_lane k where k.queue_id = of_queue)
                               + row_number() over (order by u.kind) as number
                  from unnest(kinds) u(kind)
                 where not exists (select from millrace.kind_lane k
                                    where k.queue_id = of_queue and k.kind = u.kind)) n
         where n.number <= most
        returning number
    )
    insert into millrace.lane (queue_id, priority)
    select of_queue, 100 + 10 * g.number + p from given g cross join generate_series(0, 9) p;
end
$$;
