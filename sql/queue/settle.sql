-- settle_many: the holders of fences report what became of their jobs.
--
--     running ──completed──► finished
--     running ──failed─────► scheduled, or dead_letter after the last attempt
--     running ──snoozed────► scheduled, the attempt is not counted
--     running ──discarded──► dead_letter
--     running ──released───► available, the attempt is not counted
--     running ──cancelled──► finished 'cancelled', when that was asked for: see cancel.sql
--
-- Possession of the row is the right to settle. Deleting the row of `running` that bears the caller's fence is the
-- whole proof: a job that was reaped has no such row, so that a worker which was suspended past its lease changes
-- nothing, however late it wakes. Successors are enqueued in the same statement's transaction, and only for jobs that
-- this very call settled.
--
-- Of an attempt that was asked to stop only the completion stands: whatever else is said of its job, it is cancelled.
--
-- A settle may be repeated after a lost connection: what a fence has settled is remembered (settled_as), and the same
-- fence with the same outcome counts as held.
--
-- Arguments  job_ids, fences   of equal length, at most 1,000, no job twice
--            outcomes          null: all completed
--            errors            for failed and discarded, and if wanted for cancelled; kept up to 10,000 characters
--            delays            for snoozed; for failed instead of what retry_delay() says; 0 … 10 years
--            results           jsonb for completed, up to 1 MiB as text
--            successors        [{"after": job id, "queue", "kind", "payload", "priority", "delay",
--                          "traceparent"}], at most 1,000
-- Locks      rows of running in id order.
-- Raises     MR005 bad_argument, MR007 invalid_transition for 'cancelled' where nobody has asked for it, MR010
--            too_many_jobs; for successors, what enqueue() raises.
-- Rows       2 to 4 per job, 1 per queue, 1 per concurrency key and batch.
-- Plan       running by job_id = any (ids): one index probe per id in every state of the statistics. The fence that
--            belongs to an id is found by binary search (width_bucket) in the sorted ids, not by a join, which costs
--            ten times as much when the statistics are stale.

create or replace function millrace.settle_many(
    job_ids bigint[],
    fences bigint[],
    outcomes text[] default null,
    errors text[] default null,
    delays interval[] default null,
    results jsonb[] default null,
    successors jsonb default null)
returns bigint[]  -- the ids that their fence no longer holds; empty when all is well
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
    ids bigint[];      -- sorted
    held_by bigint[];  -- the fence of each of them
    place int[];       -- where each of them stands in the arguments
    attempts millrace.running[];
    settled bigint[];
    tied millrace.ending[];  -- those with which more ends than their row
    at constant timestamptz := millrace.now();
begin
    perform millrace.check_settle(job_ids, fences, outcomes, errors, delays, results, successors);
    if cardinality(job_ids) = 0 then
        return '{}';
    end if;
    if cardinality(job_ids) = 1 then  -- what settles with its handler's effects; a sort takes longer than the rest
        ids := job_ids;
        held_by := fences;
        place := '{1}';
    else
        select array_agg(u.id order by u.id), array_agg(fences[u.n] order by u.id), array_agg(u.n::int order by u.id)
          into ids, held_by, place
          from unnest(job_ids) with ordinality u(id, n);
    end if;
    -- An asynchronously committed claim may stand in this transaction; a settle must be on disk when it is reported.
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
    end if;

    if outcomes is null then
        with gone as (
            delete from millrace.running r
             where r.job_id = any (ids) and r.fence = held_by[width_bucket(r.job_id, ids)]
            returning r.job_id, r.fence, r.claimed_at, r.stored_on, r.queue_id, r.worker, r.attempt, r.tied
        ), kept as (
            insert into millrace.finished (job_id, fence, claimed_at, finished_at, stored_on, queue_id, worker, outcome,
                                           attempt, result)
            select g.job_id, g.fence, g.claimed_at, at, g.stored_on, g.queue_id, g.worker, 'completed', g.attempt,
                   results[place[width_bucket(g.job_id, ids)]]
              from gone g
        ), counted as (
            insert into millrace.queue_delta (queue_id, running, completed)
            select g.queue_id, -count(*), count(*) from gone g group by g.queue_id
        )
        select coalesce(array_agg(g.job_id), '{}'),
               array_agg((g.job_id, g.stored_on, 'completed')::millrace.ending) filter (where g.tied)
          into settled, tied from gone g;
        if tied is not null then
            perform millrace.after_end(tied);
        end if;
    else
        with gone as (
            delete from millrace.running r
             where r.job_id = any (ids) and r.fence = held_by[width_bucket(r.job_id, ids)]
            returning r as held
        )
        select array_agg(g.held) into attempts from gone g;
        settled := millrace.settle_attempts(attempts, ids, place, outcomes, errors, delays, results);
    end if;

    if successors is not null then
        perform millrace.enqueue(s.queue, s.kind, coalesce(s.payload, '{}'), coalesce(s.priority, 5), null, s.delay,
                                 traceparent => s.traceparent)
           from jsonb_to_recordset(successors) s(after bigint, queue text, kind text, payload jsonb, priority int,
                                                 delay interval, traceparent text)
          where s.after = any (settled);
    end if;
    if cardinality(settled) = cardinality(ids) then
        return '{}';
    end if;
    return array(select u.id
                   from unnest(ids, held_by, place) u(id, fence, n)
                  where u.id <> all (settled)
                    and coalesce(outcomes[u.n], 'completed') is distinct from millrace.settled_as(u.fence, u.id));
end
$$;

-- What becomes of these attempts, whose rows of `running` the caller has deleted. In a statement of its own: whoever
-- asks an attempt to stop holds its row until the request is committed, and the delete, which has waited for that, does
-- not see what was committed meanwhile.
create or replace function millrace.settle_attempts(
    attempts millrace.running[], ids bigint[], place int[], outcomes text[], errors text[], delays interval[],
    results jsonb[])
returns bigint[]  -- all their jobs
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    settled bigint[];
    woken int[];             -- with jobs that are available again, or a place of max_running
    tied millrace.ending[];  -- those with which more ends than their row
    asked bigint[];
    unasked bigint;
    at constant timestamptz := millrace.now();
begin
    with judged as materialized (
        select g.*, outcomes[g.n] as said, e.outcome, left(errors[g.n], 10000) as error, c.reason,
               c.job_id as asked,
               case when e.outcome in ('completed', 'cancelled', 'discarded') then e.outcome
                    when e.outcome = 'failed' and (g.attempt < j.max_attempts) is not true then 'discarded'
               end as ended,
               case when outcomes[g.n] in ('snoozed', 'released') then g.attempt - 1 else g.attempt end as used,
               case e.outcome
                    when 'snoozed' then at + delays[g.n]
                    when 'failed' then
                        case when g.attempt < j.max_attempts then
                            at + coalesce(delays[g.n], millrace.retry_delay(g.attempt, j.retry_delays, k, q)) end
               end as next_run_at
          from (select h.*, place[width_bucket(h.job_id, ids)] as n from unnest(attempts) h) g
          left join millrace.cancel_request c on c.job_id = g.job_id and c.fence = g.fence
         cross join lateral (select case when c.job_id is null or outcomes[g.n] = 'completed' then outcomes[g.n]
                                         else 'cancelled' end as outcome) e
          left join millrace.job j on j.id = g.job_id and j.stored_on = g.stored_on
          left join millrace.kind k on k.name = j.kind
          left join millrace.queue q on q.id = g.queue_id
    ), kept as (
        insert into millrace.finished (job_id, fence, claimed_at, finished_at, stored_on, queue_id, worker, outcome,
                                       attempt, note, result)
        select j.job_id, j.fence, j.claimed_at, at, j.stored_on, j.queue_id, j.worker,
               j.outcome::millrace.outcome, j.attempt,
               case when j.said = 'cancelled' then nullif(concat_ws('; ', j.reason, nullif(j.error, '')), '')
                    when j.outcome = 'cancelled' then j.reason end,
               case when j.outcome = 'completed' then results[j.n] end
          from judged j
         where j.outcome in ('completed', 'cancelled')
    ), waiting as (
        insert into millrace.scheduled (run_at, job_id, stored_on, queue_id, priority, attempt, waits_for, fence)
        select j.next_run_at, j.job_id, j.stored_on, j.queue_id, j.priority, j.used,
               case j.outcome when 'snoozed' then 'snooze' else 'retry' end, j.fence
          from judged j
         where j.next_run_at is not null
    ), back as (
        insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)
        select j.job_id, j.stored_on, j.queue_id, j.priority, j.used
          from judged j
         where j.outcome = 'released'
    ), buried as (
        insert into millrace.dead_letter (job_id, fence, discarded_at, stored_on, queue_id, worker, priority,
                                          attempt, error)
        select j.job_id, j.fence, at, j.stored_on, j.queue_id, j.worker, j.priority, j.attempt, j.error
          from judged j
         where j.ended = 'discarded'
    ), noted as (
        insert into millrace.attempt_failure (job_id, fence, failed_at, next_run_at, worker, attempt, outcome,
                                              error)
        select j.job_id, j.fence, at, j.next_run_at, j.worker, j.attempt, j.said, j.error
          from judged j
         where j.said in ('failed', 'discarded')
    ), receipted as (
        insert into millrace.settle_receipt (job_id, fence, settled_at, outcome)
        select j.job_id, j.fence, at, j.said
          from judged j
         where j.said in ('snoozed', 'released')
    ), counted as (
        insert into millrace.queue_delta (queue_id, available, scheduled, running, dead, completed, cancelled,
                                          failed)
        select j.queue_id,
               count(*) filter (where j.outcome = 'released'),
               count(*) filter (where j.next_run_at is not null),
               -count(*),
               count(*) filter (where j.ended = 'discarded'),
               count(*) filter (where j.outcome = 'completed'),
               count(*) filter (where j.outcome = 'cancelled'),
               count(*) filter (where j.said in ('failed', 'discarded'))
          from judged j
         group by j.queue_id
    )
    select coalesce(array_agg(j.job_id), '{}'),
           array_agg(distinct j.queue_id) filter (where j.outcome = 'released' or j.tied and j.ended is null),
           array_agg((j.job_id, j.stored_on, j.ended)::millrace.ending) filter (where j.tied and j.ended is not null),
           array_agg(j.asked) filter (where j.asked is not null),
           min(j.job_id) filter (where j.said = 'cancelled' and j.asked is null)
      into settled, woken, tied, asked, unasked
      from judged j;
    if unasked is not null then
        raise exception using errcode = 'MR007', message = format('settle: nobody has cancelled job %s', unasked),
            hint = 'An attempt ends as cancelled when it was asked to: see millrace.cancel_requests(session).';
    end if;
    if asked is not null then
        delete from millrace.cancel_request c where c.job_id = any (asked);
    end if;
    perform millrace.wake(q) from unnest(woken) q;
    perform millrace.after_end(tied) where tied is not null;
    return settled;
end
$$;
