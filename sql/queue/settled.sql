-- settled_as: what a fence has settled a job as, for settles that are repeated and commits that are in doubt.
--
-- Any of finished, attempt_failure and settle_receipt may remember it: each row bears the fence that wrote it. They
-- are kept for ten lease times at least, whatever the retention.
--
-- Locks   none.
-- Raises  nothing.
-- Plan    finished through its BRIN index on job_id, in the partition of the job's day: a slow path, taken only after
--         a miss in `running`.

create or replace function millrace.settled_as(fence bigint, job_id bigint)
returns text  -- completed, cancelled, failed, discarded, snoozed, released; null: this fence has not settled that job
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
as $$
declare
    remembered text;
    ended_as text;
begin
    select f.outcome::text into ended_as
      from millrace.finished f
     where f.stored_on = any (array(select j.stored_on from millrace.job j where j.id = settled_as.job_id))
       and f.job_id = settled_as.job_id and f.fence = settled_as.fence
     limit 1;
    if ended_as = 'completed' then
        return ended_as;
    end if;
    -- A cancelled job's attempt may have said otherwise of itself: that is what would be repeated.
    select f.outcome into remembered
      from millrace.attempt_failure f
     where f.job_id = settled_as.job_id and f.fence = settled_as.fence and f.outcome <> 'reaped'
     limit 1;
    if found then
        return remembered;
    end if;
    select r.outcome into remembered
      from millrace.settle_receipt r
     where r.job_id = settled_as.job_id and r.fence = settled_as.fence
     limit 1;
    return coalesce(remembered, ended_as);
end
$$;

-- Whether the job ended as cancelled with this attempt.
create or replace function millrace.is_cancelled(fence bigint, job_id bigint)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
as $$
    select exists (select from millrace.finished f
                    where f.stored_on = any (array(select j.stored_on from millrace.job j where j.id = $2))
                      and f.job_id = $2 and f.fence = $1 and f.outcome = 'cancelled')
$$;

-- The arguments of settle_many, or an error that names what is wrong with them; nothing has been touched yet.
create or replace function millrace.check_settle(
    job_ids bigint[], fences bigint[], outcomes text[], errors text[], delays interval[], results jsonb[],
    successors jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    amount constant int := coalesce(cardinality(job_ids), -1);
    shape constant text := '[1:' || amount || ']';  -- an array of another could have the length, and no element n
    wrong text;
begin
    if amount > 1000 then
        raise exception using errcode = 'MR010', message = format('settle: %s jobs in one call', amount),
            hint = 'At most 1,000 at a time.';
    end if;
    wrong := case
        when job_ids is null then 'job_ids: no null'
        when amount = 0 then null
        when array_dims(job_ids) <> shape then 'job_ids: one dimension, from 1'
        when array_position(job_ids, null) is not null then 'job_ids: no null'
        when fences is null or array_dims(fences) is distinct from shape or array_position(fences, null) is not null
            then 'fences: one for each job'
        when outcomes is not null and array_dims(outcomes) is distinct from shape
            then 'outcomes: one for each job, or null for completed'
        when errors is not null and array_dims(errors) is distinct from shape
            then 'errors: one for each job, or null for none'
        when delays is not null and array_dims(delays) is distinct from shape
            then 'delays: one for each job, or null for none'
        when results is not null and array_dims(results) is distinct from shape
            then 'results: one for each job, or null for none'
    end;
    if wrong is null and amount > 1 then
        wrong := (select 'job_ids: no job twice' from unnest(job_ids) u(id) having count(distinct u.id) <> amount);
    end if;
    if wrong is null and outcomes is not null then
        select case
                when u.outcome is null
                  or u.outcome not in ('completed', 'failed', 'snoozed', 'discarded', 'released', 'cancelled')
                    then 'outcomes: completed, failed, snoozed, discarded, released, cancelled'
                when u.outcome in ('failed', 'discarded') and coalesce(errors[u.n], '') = ''
                    then 'errors: a text for each job that failed or is discarded'
                when u.outcome = 'snoozed' and delays[u.n] is null then 'delays: one for each job that is snoozed'
                when delays[u.n] not between interval '0' and interval '10 years'
                  or to_char(delays[u.n], 'YYYYMMDDHH24MISSUS') ~ '-'  -- create_queue.sql
                    then 'delays: 0 to 10 years, no part negative'
               end as complaint
          into wrong
          from unnest(outcomes) with ordinality u(outcome, n)
         order by complaint limit 1;  -- nulls last
    end if;
    if wrong is null and results is not null
       and exists (select from unnest(results) r where octet_length(r::text) > 1048576) then
        wrong := 'results: up to 1048576 bytes each';
    end if;
    if wrong is null and successors is not null then
        wrong := case
            when jsonb_typeof(successors) <> 'array' or jsonb_array_length(successors) > 1000
                then 'successors: a JSON array of at most 1000 objects'
            when exists (select from jsonb_array_elements(successors) s
                          where jsonb_typeof(s) <> 'object' or jsonb_typeof(s -> 'after') is distinct from 'number'
                             or not s ->> 'after' = any (job_ids::text[]))
                then 'successors: objects whose "after" is one of job_ids'
            when exists (select from jsonb_array_elements(successors) s where s ->> 'priority' !~ '^-?[0-9]{1,9}$')
                then 'successors: a "priority" that is a number from 0 to 9'
            when exists (select from jsonb_array_elements(successors) s, jsonb_object_keys(s) k
                          where k not in ('after', 'queue', 'kind', 'payload', 'priority', 'delay', 'traceparent'))
                then 'successors: the keys after, queue, kind, payload, priority, delay, traceparent'
        end;
    end if;
    if wrong is null and successors is not null then
        begin
            perform (s ->> 'delay')::interval from jsonb_array_elements(successors) s;
        exception when invalid_datetime_format or datetime_field_overflow or interval_field_overflow then
            wrong := 'successors: a "delay" that is an interval';
        end;
    end if;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'settle: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
end
$$;
