-- reap: takes jobs back from workers that are gone, and from attempts that overran.
--
--     running ──reap──► available, while attempts are left; the one that was lost counts
--     running ──reap──► dead_letter, after the last
--     running ──reap──► finished 'cancelled', when the attempt was asked to stop
--     session: open ──reap──► ended 'lease expired'
--
-- Bounded and SKIP LOCKED, so that every worker runs it: there is no leader to lose. A session whose lease has run out
-- is ended first, under a lock that excludes its heartbeat and its claims; from then on its jobs are taken back, some
-- per call, until none is left. One of which somebody holds a row comes after those that are new. An attempt that is
-- past its deadline by ten seconds, or was asked to stop six minutes ago, is taken back from a worker that lives: the
-- worker has had its chance to stop it (stop_grace is at most five).
--
-- What a zombie settles in the same moment is decided by the row: whoever deletes it first.
--
-- `since` is where the scan of the deadlines begins: under a pinned vacuum horizon the entries of attempts that ended
-- long ago stay in the index, and a scan from the start would pass them all every time. An attempt whose claim was
-- committed only after its deadline had passed `since` is found by the next call without it, which workers make every
-- five minutes.
--
-- Arguments  max_jobs  1 … 10,000
--            since     a deadline; -infinity and null: all of them
-- Locks      rows of worker, then rows of running, all SKIP LOCKED.
-- Raises     MR005 bad_argument, MR007 invalid_transition in a transaction that is not read committed.
-- Rows       3 per job, 1 per session and queue.
-- Plan       running is scanned by worker, and only when a session has expired; cancel_request, of which there are few.

set local client_min_messages = warning;
drop function if exists millrace.reap(int);
reset client_min_messages;

create or replace function millrace.reap(max_jobs int default 500, since timestamptz default '-infinity')
returns int  -- jobs taken back
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
    at constant timestamptz := millrace.now();
    from_time constant timestamptz := coalesce(since, '-infinity');
    grace constant interval := '10 seconds';
    patience constant interval := '6 minutes';
    sessions_at_a_time constant int := 10;
    lost record;
    found_rows tid[];
    taken int := 0;
begin
    if max_jobs is null or max_jobs not between 1 and 10000 then
        raise exception using errcode = 'MR005', message = 'reap: bad max_jobs',
            hint = 'Allowed for max_jobs: 1 to 10000.';
    end if;
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using errcode = 'MR007',
            message = 'reap: this transaction is ' || current_setting('transaction_isolation'),
            hint = 'Its snapshot may be older than the last claims. Call it at read committed.';
    end if;
    for lost in
        select w.id, w.name, w.ended_at
          from millrace.worker w
         where not w.cleared and (w.ended_at is not null or w.lease_expires_at < at)
         -- those that are new before those of which a row was locked, and these by turns: ten such hold nobody up
         order by w.ended_at is not null, random()
         limit sessions_at_a_time
           for update skip locked
    loop
        if lost.ended_at is null then
            update millrace.worker w set ended_at = at, end_reason = 'lease expired' where w.id = lost.id;
        end if;
        found_rows := array(select r.ctid
                              from millrace.running r
                             where r.worker = lost.id
                             order by r.job_id
                             limit max_jobs - taken
                               for update skip locked);
        taken := taken + millrace.take_back(found_rows, format('lease expired: worker %s (session %s) is gone',
                                                               lost.name, lost.id));
        if not exists (select from millrace.running r where r.worker = lost.id) then
            update millrace.worker w set cleared = true where w.id = lost.id;
        end if;
        exit when taken >= max_jobs;
    end loop;

    if taken < max_jobs then
        found_rows := array(select r.ctid
                              from millrace.running r
                             where r.deadline >= from_time and r.deadline < at - grace
                             order by r.deadline
                             limit max_jobs - taken
                               for update skip locked);
        taken := taken + millrace.take_back(found_rows, 'timed out: the worker did not stop it in time');
    end if;
    if taken < max_jobs then
        found_rows := array(select r.ctid
                              from millrace.running r
                             where (r.job_id, r.fence) in (select c.job_id, c.fence
                                                             from millrace.cancel_request c
                                                            where c.requested_at < at - patience)
                             order by r.job_id
                             limit max_jobs - taken
                               for update of r skip locked);
        taken := taken + millrace.take_back(found_rows, 'cancelled: the worker did not stop it in time');
    end if;
    return taken;
end
$$;

-- Ends the attempts in these rows of `running`, which the caller has locked.
create or replace function millrace.take_back(rows tid[], reason text)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    at constant timestamptz := millrace.now();
    taken int;
    woken int[];
    tied millrace.ending[];
begin
    if cardinality(rows) = 0 then
        return 0;
    end if;
    with gone as (
        delete from millrace.running r where r.ctid = any (rows) returning r.*
    ), judged as materialized (
        select g.*, c.job_id is not null as is_cancelled, c.reason as wish,
               g.attempt < j.max_attempts and c.job_id is null as again
          from gone g
          left join millrace.cancel_request c on c.job_id = g.job_id and c.fence = g.fence
          left join millrace.job j on j.id = g.job_id and j.stored_on = g.stored_on
    ), available as (
        insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
        select j.job_id, j.stored_on, j.queue_id, j.priority, j.attempt from judged j where j.again order by j.job_id
    ), buried as (
        insert into millrace.dead_letter (job_id, fence, discarded_at, stored_on, queue_id, worker, priority, attempt,
                                          error)
        select j.job_id, j.fence, at, j.stored_on, j.queue_id, j.worker, j.priority, j.attempt, reason
          from judged j
         where j.again is not true and not j.is_cancelled
    ), ended as (
        -- without the fence: it is not its holder who has settled it
        insert into millrace.finished (job_id, claimed_at, finished_at, stored_on, queue_id, worker, outcome, attempt,
                                       note)
        select j.job_id, j.claimed_at, at, j.stored_on, j.queue_id, j.worker, 'cancelled', j.attempt, j.wish
          from judged j
         where j.is_cancelled
    ), answered as (
        delete from millrace.cancel_request c using judged j
         where j.is_cancelled and c.job_id = j.job_id and c.fence = j.fence
    ), noted as (
        insert into millrace.attempt_failure (job_id, fence, failed_at, next_run_at, worker, attempt, outcome, error)
        select j.job_id, j.fence, at, case when j.again then at end, j.worker, j.attempt, 'reaped', reason from judged j
    ), counted as (
        insert into millrace.queue_delta (queue_id, available, running, dead, cancelled, failed)
        select j.queue_id, count(*) filter (where j.again), -count(*),
               count(*) filter (where j.again is not true and not j.is_cancelled),
               count(*) filter (where j.is_cancelled), count(*)
          from judged j
         group by j.queue_id
    )
    select count(*), array_agg(distinct j.queue_id) filter (where j.again),
           array_agg((j.job_id, j.stored_on,
                      case when j.is_cancelled then 'cancelled' else 'discarded' end)::millrace.ending)
               filter (where j.tied and j.again is not true)
      into taken, woken, tied
      from judged j;
    perform millrace.wake(q) from unnest(woken) q;
    perform millrace.after_end(tied) where tied is not null;
    return taken;
end
$$;
