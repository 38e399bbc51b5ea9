-- prune: removes what grows with time and is not partitioned: receipts, failures, progress and log lines of jobs that
-- are gone, dead letters of queues that keep them for a time, requests to stop what has ended, sessions, the book of
-- actions, unique keys whose time is over, concurrency keys that nobody has used for 100,000 transactions, batches that
-- have finished and whose callback is no dead letter, the runs of schedules; and the history of queues whose retention
-- is shorter than another's (forget.sql).
--
-- Every worker calls it once a minute, and again at once while it finds as much as it may take.
--
-- Arguments  max_rows  of each table, 1 … 100,000
-- Locks      the rows; those of forget.sql.
-- Raises     MR005 bad_argument.
-- Rows       max_rows of each of thirteen tables, and twice as many of history; one of operator_action for each queue
--            whose dead letters went.

create or replace function millrace.prune(max_rows int default 10000)
returns int  -- the most that was removed from one table: as much as max_rows means that there may be more
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    receipts_from constant timestamptz := millrace.receipts_from();
    -- not sooner: a key that is used again after its row has gone passes the dead versions of the row once
    idle_since constant bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 100000;
    kept_from timestamptz;
    removed int;
    most int := 0;
begin
    if max_rows is null or max_rows not between 1 and 100000 then
        raise exception using errcode = 'MR005', message = 'prune: bad max_rows',
            hint = 'Allowed for max_rows: 1 to 100000.';
    end if;
    select millrace.now() - coalesce(max(q.retention), interval '7 days') into kept_from from millrace.queue q;

    delete from millrace.settle_receipt r
     where r.ctid = any (array(select x.ctid from millrace.settle_receipt x where x.settled_at < receipts_from
                                limit max_rows for update skip locked));
    get diagnostics most = row_count;
    delete from millrace.attempt_failure f
     where f.ctid = any (array(select x.ctid from millrace.attempt_failure x
                                where x.failed_at < least(kept_from, receipts_from)
                                  and not exists (select from millrace.job j where j.id = x.job_id)
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.job_progress p
     where p.ctid = any (array(select x.ctid from millrace.job_progress x
                                where x.reported_at < least(kept_from, receipts_from)
                                  and not exists (select from millrace.job j where j.id = x.job_id)
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.job_log l
     where l.ctid = any (array(select x.ctid from millrace.job_log x
                                where x.logged_at < least(kept_from, receipts_from)
                                  and not exists (select from millrace.job j where j.id = x.job_id)
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.cancel_request c
     where c.ctid = any (array(select x.ctid from millrace.cancel_request x
                                where not exists (select from millrace.running r
                                                   where r.job_id = x.job_id and r.fence = x.fence)
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.worker w
     where w.ctid = any (array(select x.ctid from millrace.worker x where x.cleared and x.ended_at < kept_from
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.unique_job u
     where u.ctid = any (array(select x.ctid from millrace.unique_job x where x.expires_at <= millrace.now()
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.concurrency_key k
     where k.ctid = any (array(select x.ctid from millrace.concurrency_key x
                                where x.held = 0 and x.low_job = 9223372036854775807 and x.version < idle_since
                                  and not millrace.is_filling(x.queue_id, x.key, x.spent_until)
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    with gone as (
        delete from millrace.batch b
         where b.ctid = any (array(select x.ctid from millrace.batch x
                                    where x.finished_at < kept_from
                                      -- A callback that may be replayed still asks for it, and one that is put off.
                                      and not exists (select from millrace.dead_letter d
                                                       where d.job_id = x.callback_job)
                                      and not exists (select from millrace.scheduled s
                                                       where s.job_id = x.callback_job)
                                    limit max_rows for update skip locked))
        returning b.id
    )
    delete from millrace.batch_count c using gone g where c.batch_id = g.id;
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.schedule_run s
     where s.ctid = any (array(select x.ctid from millrace.schedule_run x where x.fired_at < kept_from
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from millrace.operator_action a
     where a.ctid = any (array(select x.ctid from millrace.operator_action x
                                where x.at < kept_from - interval '365 days'
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    return greatest(most, millrace.prune_dead_letters(max_rows), millrace.forget_history(max_rows));
end
$$;

-- Dead letters whose queue keeps them for dead_letter_retention, the oldest first.
create or replace function millrace.prune_dead_letters(max_rows int)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
set enable_seqscan = off
as $$
declare
    keeper record;
    gone bigint;
    total int := 0;
begin
    for keeper in
        select q.id, q.name, q.dead_letter_retention as kept_for
          from millrace.queue q
         where q.dead_letter_retention is not null
         order by q.id
    loop
        gone := cardinality(millrace.throw_away(
                    array(select d.job_id
                            from millrace.dead_letter d
                           where d.queue_id = keeper.id and d.discarded_at < millrace.now() - keeper.kept_for
                           order by d.discarded_at
                           limit max_rows - total
                             for update skip locked),
                    format('kept for %s as a dead letter', keeper.kept_for)));
        if gone > 0 then
            perform millrace.audit('dead_letter_retention', jsonb_build_object('queue', keeper.name, 'kept_for',
                                                                               keeper.kept_for), gone);
        end if;
        total := total + gone;
        exit when total >= max_rows;
    end loop;
    return total;
end
$$;

-- A settle may be repeated for ten lease times: until here, what remembers it is kept.
create or replace function millrace.receipts_from()
returns timestamptz
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select millrace.now() - 10 * coalesce((select max(w.lease) from millrace.worker w), interval '1 minute')
$$;
