-- claim: hands the next jobs of a queue to a worker.
--
--     available ──claim──► running
--     blocked ──claim──► available      what the queue's notes ask for, see follow_up.sql
--     available ──claim──► available    set aside: of a paused kind, or of one that this session does not handle, see
--                                       kinds.sql
--     available ──claim──► finished 'cancelled'      whose expires_at has come: no job is started late
--
-- Lanes are read in the order of their priorities, each from its low-water on; one claim in ten begins with the lane
-- whose first job has waited longest, so that low priorities are late but never starve. What another claim holds is
-- skipped. All jobs of one claim share a fence: the session's id, durable since open_session, and 32 random bits. A
-- sequence would not do: its values are handed out again when the server stops before they are on disk, and a
-- claim may be asynchronous.
--
-- In a restored or cloned database nothing is handed out, see adopt.sql. The numbers of database and table are looked
-- at here (open_worker); the server's identifier, which is read from a file, by open_session and each heartbeat.
--
-- Large asynchronous claims of a queue take turns: of several at once each would walk over all the rows that the others
-- hold, see docs/decisions/0007. Nobody waits longer than 100 ms for a turn; then it claims beside the others.
--
-- async => true commits the claim without waiting for the disk. Lost in a crash, it is a job that is ready again; the
-- settle that follows is synchronous and makes it durable first. The setting lasts for the caller's transaction: one
-- that has already written, a settle for instance, is left as it is.
--
-- Arguments  max_jobs  1 … 10,000: as many as the worker has free hands
-- Locks      the session's row of worker FOR KEY SHARE: waits only for the end of a session that is being ended. For a
--            queue with max_running or a rate advisory 7710/queue, tried; of 100 jobs and more, when asynchronous and
--            the first in its transaction, advisory 7712/queue, for 100 ms at most; then rows of ready, SKIP LOCKED.
-- Rows       3 per job; of jobs that are set aside at most max_jobs in each of 10 rounds, and 3 for each.
-- Raises     MR002 session_ended, MR003 unknown_queue, MR005 bad_argument, MR011 foreign_database.
-- Plan       ready by its primary key within each lane, delete by row address, job by primary key; the settings below
--            keep it so in every state of the statistics (tests/sql/claim_plan.sql, docs/decisions/0001).

create or replace function millrace.claim(
    session int, queue text, max_jobs int default 1, async boolean default false)
returns table (job_id bigint, fence bigint, kind text, priority smallint, attempt smallint, max_attempts smallint,
               payload jsonb, timeout interval, deadline timestamptz, traceparent text, enqueued_at timestamptz)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    claimed_queue int;
    room int := max_jobs;
    limited boolean;
    rated boolean;
    handled text[];  -- kinds; null: whatever comes
    paused text[];
    sorted boolean;  -- whether jobs of this queue have been set aside
    lanes smallint[] := '{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}';
    claimed_at timestamptz := millrace.now();
    new_fence constant bigint := (session::bigint << 32) | floor(random() * 4294967296)::bigint;
    oldest_first constant boolean := random() < 0.1;
    own constant xid8 := pg_current_xact_id_if_assigned();
    amount int;
begin
    perform millrace.raise_bad_max_jobs() where max_jobs is null or max_jobs not between 1 and 10000;
    select q.id, q.max_running is not null, q.token_micros is not null,
           case when q.paused_at is null then max_jobs else 0 end,
           (select array_agg(k.name) from millrace.kind k where k.paused_at is not null),
           exists (select from millrace.kind_lane k where k.queue_id = q.id)
      into claimed_queue, limited, rated, room, paused, sorted
      from millrace.queue q where q.name = queue;
    perform millrace.queue_id(queue) where not found;  -- raises MR003
    select w.kinds into handled from millrace.open_worker w where w.id = session for key share;
    perform millrace.raise_session_ended(session) where not found;
    perform set_config('synchronous_commit', 'off', true) where async and own is null;
    if (select l.version from millrace.lane l where l.queue_id = claimed_queue and l.priority = 20
         order by l.version desc limit 1) is not null then  -- has_ties(), without the cost of a call
        perform millrace.wake(claimed_queue) where millrace.follow_up(claimed_queue) > room;
        lanes := '{10, 0, 11, 1, 12, 2, 13, 3, 14, 4, 15, 5, 16, 6, 17, 7, 18, 8, 19, 9}';
    end if;
    if (limited or rated) and room > 0 then
        select s.room, s.at into room, claimed_at from millrace.may_start(claimed_queue, room, limited, rated) s;
    end if;
    lanes := case when sorted then millrace.with_kind_lanes(lanes, claimed_queue, handled, paused) else lanes end;
    perform millrace.await_turn(claimed_queue) where async and own is null and max_jobs >= 100;
    for round in 1 .. case when room > 0 then 10 else 0 end loop
        return query
        with chosen as materialized (
            select next.ctid
              from (select l.priority, l.low, l.low_job, l.pending, l.pending_job
                      from unnest(lanes) with ordinality p(priority, rank)
                     cross join lateral (select l.*
                                           from millrace.lane l
                                          where l.queue_id = claimed_queue and l.priority = p.priority
                                          order by l.version desc
                                          limit 1) l
                     order by case when oldest_first then (select r.pos
                                                             from millrace.ready r
                                                            where r.queue_id = l.queue_id and r.priority = l.priority
                                                              and (r.pos, r.job_id) >= (l.low, l.low_job)
                                                            order by r.pos, r.job_id
                                                            limit 1) end,
                              p.rank) lane
             cross join lateral (
                    -- long-running transactions that the low-water has passed, one by one; of one that has not ended
                    -- nothing can be seen but by itself, and it may have written a million rows
                    select early.ctid
                      from (select r.ctid
                              from unnest(lane.pending, lane.pending_job) p(pos, job)
                             cross join lateral (select f.ctid
                                                   from millrace.ready f
                                                  where f.queue_id = claimed_queue and f.priority = lane.priority
                                                    and f.pos = p.pos and f.job_id >= p.job
                                                  order by f.job_id
                                                  limit room
                                                    for update skip locked) r
                             where pg_visible_in_snapshot(p.pos, pg_current_snapshot()) or p.pos = own) early
                    union all
                    select late.ctid
                      from (select r.ctid
                              from millrace.ready r
                             where r.queue_id = claimed_queue and r.priority = lane.priority
                               and (r.pos, r.job_id) >= (lane.low, lane.low_job)
                             order by r.pos, r.job_id
                             limit room
                               for update skip locked) late) next
             limit room
        ), taken as (
            delete from millrace.ready r
             where r.ctid = any (array(select c.ctid from chosen c))
            returning r.job_id, r.stored_on, r.queue_id, r.priority, r.pos, r.attempt
        ), work as materialized (
            -- a left join: should the wide row be missing, the job must be seen to fail, not vanish
            select t.job_id, t.stored_on, t.queue_id, (t.priority % 10)::smallint as priority, t.pos,
                   (t.attempt + 1)::smallint as attempt, j.kind, j.max_attempts, j.payload, j.timeout,
                   claimed_at + j.timeout as deadline, j.traceparent, j.enqueued_at,
                   nullif(limited or j.concurrency_key is not null or j.batch_id is not null
                          or j.unique_until = 'finished', false) as tied,
                   case j.unique_until when 'started' then j.unique_key end as started_key,
                   coalesce((handled is null or j.kind = any (handled)) and (paused is null or j.kind <> all (paused))
                            and (j.expires_at is null or j.expires_at > claimed_at), true) as fits
              from taken t
              left join millrace.job j on j.id = t.job_id and j.stored_on = t.stored_on
        ), started as (
            insert into millrace.running (job_id, fence, claimed_at, deadline, stored_on, queue_id, worker, priority,
                                          attempt, tied)
            select w.job_id, new_fence, claimed_at, w.deadline, w.stored_on, w.queue_id, session, w.priority, w.attempt,
                   w.tied
              from work w
             where w.fits
        ), others as (
            insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
            select w.job_id, w.stored_on, w.queue_id, 100, w.attempt - 1 from work w where not w.fits order by w.job_id
        ), started_uniquely as (
            delete from millrace.unique_job u
             using work w
             where u.queue_id = claimed_queue and u.unique_key = w.started_key and u.job_id = w.job_id and w.fits
        )
        select w.job_id, new_fence, w.kind, w.priority, w.attempt, w.max_attempts, w.payload, w.timeout, w.deadline,
               w.traceparent, w.enqueued_at
          from work w
         where w.fits
         order by w.priority, w.pos, w.job_id;
        get diagnostics amount = row_count;
        insert into millrace.queue_delta (queue_id, available, running)
        select claimed_queue, -amount, amount where amount > 0;
        perform millrace.spend(claimed_queue, amount, claimed_at) where rated;
        room := room - amount;
        exit when room = 0 or not millrace.set_aside(claimed_queue, claimed_at);
    end loop;
end
$$;

create or replace function millrace.raise_bad_max_jobs()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'MR005', message = 'claim: bad max_jobs',
        hint = 'Allowed for max_jobs: 1 to 10000.';
end
$$;

-- Until the transaction's end no other claims many jobs of this queue, or 100 ms have passed in vain: whoever holds the
-- turn may have been suspended, and rows are skipped where they are locked all the same.
create or replace function millrace.await_turn(of_queue int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
begin
    if not pg_try_advisory_xact_lock(7712, of_queue) then
        perform pg_advisory_xact_lock(7712, of_queue);
    end if;
exception
    when lock_not_available then
        null;
end
$$;

-- How many of so many jobs of a queue that is limited, or has a rate, may be started; and the time it is.
create or replace function millrace.may_start(
    of_queue int, inout room int, limited boolean, rated boolean, out at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if limited then
        room := least(room, millrace.free_places(of_queue));
    end if;
    at := millrace.now();
    if rated and room > 0 then
        select least(room, t.amount), t.at into room, at from millrace.tokens(of_queue) t;
    end if;
end
$$;

-- How many more jobs of a limited queue may run; 0 while another claims from it. The counts are exact (counts.sql), and
-- what is not committed yet of them can only be settles: they make room later.
create or replace function millrace.free_places(of_queue int)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')
       or not pg_try_advisory_xact_lock(7710, of_queue) then
        return 0;
    end if;
    return (select q.max_running - coalesce(sum(c.running), 0)
              from millrace.queue q
              left join (select c.running
                           from (select c.running
                                   from millrace.queue_count c
                                  where c.queue_id = of_queue
                                  order by c.version desc
                                  limit 1) c
                          union all
                         select d.running from millrace.live_deltas() d where d.queue_id = of_queue) c on true
             where q.id = of_queue
             group by q.id);
end
$$;
