-- prune: removes what grows with time and is not partitioned: receipts, failures, progress and log lines of jobs that
-- are gone, requests to stop what has ended, sessions, the book of actions.
--
-- Every worker calls it once a minute, and again at once while it finds as much as it may take.
--
-- Arguments  max_rows  of each table, 1 … 100,000
-- Locks      the rows.
-- Raises     MR005 bad_argument.
-- Rows       max_rows of each of seven tables.

create or replace function millrace.prune(max_rows int default 10000)
returns int  -- the most that was removed from one table: as much as max_rows means that there may be more
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    receipts_from constant timestamptz := millrace.receipts_from();
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
    delete from millrace.operator_action a
     where a.ctid = any (array(select x.ctid from millrace.operator_action x
                                where x.at < kept_from - interval '365 days'
                                limit max_rows for update skip locked));
    get diagnostics removed = row_count;
    return greatest(most, removed);
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
