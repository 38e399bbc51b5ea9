-- set_progress, log_line: what an attempt says of itself while it runs.
--
-- Whoever reports shows the fence, as for a settle: an attempt that has lost its job is told so and leaves no trace.
-- Progress is the newest word alone. Log lines are kept by the thousand: the oldest is dropped for a new one, because
-- the last lines before a failure are those that are looked for. Both are pruned with the job.
--
-- Call them in transactions of their own: in another's they are seen only when it commits, and a second reporter of the
-- same job waits until then.
--
-- Arguments  percent  0 … 100
--            message  up to 1,000 characters, or null
--            text     1 … 2,000 characters
-- Locks      the job's row of running FOR KEY SHARE.
-- Raises     MR001 lease_lost, MR005 bad_argument.
-- Rows       2.

create or replace function millrace.set_progress(fence bigint, job_id bigint, percent int, message text default null)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
    tries constant int := 3;
    wrong text;
    running_attempt smallint;
    last_version bigint;
begin
    wrong := case
        when percent is null or percent not between 0 and 100 then 'percent: 0 to 100'
        when length(message) > 1000 then 'message: up to 1000 characters'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'set_progress: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    running_attempt := millrace.reporting_attempt(fence, job_id);
    for try in 1 .. tries
    loop
        select p.version into last_version
          from millrace.job_progress p
         where p.job_id = set_progress.job_id
         order by p.version desc
         limit 1;
        insert into millrace.job_progress (job_id, version, reported_at, attempt, percent, message)
        values (set_progress.job_id, coalesce(last_version, 0) + 1, millrace.now(), running_attempt,
                set_progress.percent, set_progress.message)
        on conflict do nothing;
        if found then
            delete from millrace.job_progress p where p.job_id = set_progress.job_id and p.version = last_version;
            return;
        end if;
    end loop;
    -- Somebody else reports for the same attempt, and was faster each time: that word is as good.
end
$$;

create or replace function millrace.log_line(fence bigint, job_id bigint, text text)
returns bigint  -- its number; null: it lost against other lines of the same moment
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
    tries constant int := 20;
    most_lines constant int := 1000;
    running_attempt smallint;
    number bigint;
begin
    if text is null or text = '' or length(text) > 2000 then
        raise exception using errcode = 'MR005', message = 'log_line: bad text',
            hint = 'Allowed for text: 1 to 2000 characters. Split a longer one.';
    end if;
    running_attempt := millrace.reporting_attempt(fence, job_id);
    for try in 1 .. tries
    loop
        number := coalesce((select l.line
                              from millrace.job_log l
                             where l.job_id = log_line.job_id
                             order by l.line desc
                             limit 1), 0) + 1;
        insert into millrace.job_log (job_id, line, logged_at, attempt, text)
        values (log_line.job_id, number, millrace.now(), running_attempt, log_line.text)
        on conflict do nothing;
        if found then
            delete from millrace.job_log l where l.job_id = log_line.job_id and l.line = number - most_lines;
            return number;
        end if;
    end loop;
    return null;
end
$$;

-- Which attempt holds the job by this fence, and goes on holding it until this transaction ends.
create or replace function millrace.reporting_attempt(fence bigint, job_id bigint)
returns smallint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    held smallint;
begin
    select r.attempt into held
      from millrace.running r
     where r.job_id = reporting_attempt.job_id and r.fence = reporting_attempt.fence
       for key share;
    if not found then
        perform millrace.raise_lease_lost(fence, job_id);
    end if;
    return held;
end
$$;
