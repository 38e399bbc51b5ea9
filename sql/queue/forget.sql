-- forget_history: removes what a queue has finished when its own retention is over, or as its history says.
--
--     completed, cancelled ──► (nothing)             full, outcome: when its retention is over
--                                                    none: when its settle cannot be repeated any more
--     completed, cancelled ──► with payload 'null'   outcome: likewise
--
-- All queues share the partition of a day, which goes when the longest retention of any queue is over (partitions.sql).
-- Of a queue that keeps less the rows are deleted before: those of finished, their wide rows, and what was noted of
-- their attempts. They are looked for by the time at which they finished, ten minutes at a time, and a mark for each
-- such queue says how far that has come, so that the past is not read again and again. What was committed later than
-- that after it was settled is behind the mark already, and goes with its day.
--
-- A settle is remembered by the row of finished (settled_as), so that no mode is without one: 'none' is a matter of
-- minutes. Dead letters and what waits or runs are no history; a replay needs their payloads.
--
-- prune() calls this.
--
-- Arguments  max_rows  jobs
-- Locks      advisory 7709/4 for the transaction, taken or given up; the rows.
-- Raises     nothing.
-- Rows       2 for each job, and those of its attempts; 2 of history_mark for each queue.

create or replace function millrace.forget_history(max_rows int)
returns int  -- jobs that lost something; max_rows: there may be more at once; 0, too, when another session is at it
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    slice constant interval := '10 minutes';
    slices constant int := 20;  -- in one call
    past record;
    mark timestamptz;
    looked int := 0;
    removed int := 0;
begin
    if not pg_try_advisory_xact_lock(7709, 4) then
        return 0;
    end if;
    for past in
        select q.id, w.what, coalesce(m.version, 0) as version, e.since, e.until
          from millrace.queue q
         cross join millrace.installation i
         cross join lateral (
                select 'jobs', case q.history when 'none' then interval '0' else q.retention end
                 where q.history = 'none' or q.retention < (select max(o.retention) from millrace.queue o)
                union all
                select 'payloads', interval '0' where q.history = 'outcome') w(what, kept_for)
          left join lateral (select h.version, h.forgotten_before
                               from millrace.history_mark h
                              where h.queue_id = q.id and h.what = w.what
                              order by h.version desc
                              limit 1) m on true
         cross join lateral (
                select greatest(m.forgotten_before, q.created_at, i.first_day::timestamp at time zone 'utc') as since,
                       least(millrace.now() - w.kept_for, millrace.receipts_from()) as until) e
         where e.until >= e.since + slice
         order by e.since, w.what
    loop
        mark := past.since;
        while mark + slice <= past.until and looked < slices and removed < max_rows
        loop
            removed := removed + millrace.forget_slice(past.what, past.id, mark, mark + slice, max_rows - removed);
            looked := looked + 1;
            exit when removed >= max_rows;  -- of this slice there may be more
            mark := mark + slice;
        end loop;
        if mark > past.since then
            delete from millrace.history_mark h
             where h.queue_id = past.id and h.what = past.what and h.version = past.version;
            insert into millrace.history_mark (queue_id, what, version, forgotten_before)
            values (past.id, past.what, past.version + 1, mark);
        end if;
        exit when looked >= slices or removed >= max_rows;
    end loop;
    return case when looked >= slices and removed > 0 then max_rows else removed end;
end
$$;

-- Of one queue, what finished from `since` on and before `until`, whatever day it is stored under: the jobs, or their
-- payloads.
create or replace function millrace.forget_slice(
    what text, of_queue int, since timestamptz, until timestamptz, max_rows int)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    jobs constant text :=
        'with gone as (delete from millrace.%1$I f'
        '               where f.ctid = any (array(select x.ctid from millrace.%1$I x'
        '                                          where x.queue_id = $1 and x.finished_at >= $2'
        '                                            and x.finished_at < $3 limit $4))'
        '              returning f.job_id),'
        '     wide as (delete from millrace.%2$I j using gone g where j.id = g.job_id),'
        '     tries as (delete from millrace.attempt_failure a using gone g where a.job_id = g.job_id),'
        '     steps as (delete from millrace.job_progress p using gone g where p.job_id = g.job_id),'
        '     lines as (delete from millrace.job_log l using gone g where l.job_id = g.job_id)'
        'select count(*) from gone';
    payloads constant text :=
        'with full_ones as (select j.ctid as place from millrace.%1$I f'
        '                     join millrace.%2$I j on j.id = f.job_id'
        '                    where f.queue_id = $1 and f.finished_at >= $2 and f.finished_at < $3'
        '                      and j.payload <> ''null'' limit $4),'
        '     emptied as (update millrace.%2$I j set payload = ''null'''
        '                  where j.ctid = any (array(select o.place from full_ones o)))'
        'select count(*) from full_ones';
    day text;
    gone int;
    removed int := 0;
begin
    -- a job finishes on the day that it is stored under, or later
    for day in
        select to_char(i.first_day + n, 'YYYYMMDD')
          from millrace.installation i
         cross join generate_series(0, least(i.last_day, (until at time zone 'utc')::date) - i.first_day) n
         order by n
    loop
        begin
            execute format(case what when 'jobs' then jobs else payloads end, 'finished_' || day, 'job_' || day)
               into gone
              using of_queue, since, until, max_rows - removed;
            removed := removed + gone;
        exception when undefined_table then
            null;  -- the day was dropped meanwhile
        end;
        exit when removed >= max_rows;
    end loop;
    return removed;
end
$$;
