-- maintain_partitions: makes the coming days' partitions of job and finished, and drops those past their retention.
--
-- A day is dropped when it is older than the longest retention of any queue. What waits or awaits a person is given a
-- new home first (rehome.sql); the day stays while a job of it runs, and for ten leases after the last was settled.
--
-- Attaching takes a lock that blocks neither enqueue, claim nor settle. Dropping needs an exclusive one for a moment;
-- it is tried for a second, given up, and tried again by the next call. While a day is examined, a SHARE lock keeps
-- late writers out of its two partitions.
--
-- Arguments  days_ahead  1 … 60
-- Locks      advisory 7709/3 for the transaction, taken or given up; the row of installation; job, then finished.
-- Raises     MR005 bad_argument.
-- Rows       tables, not rows; prunes at most 10,000 rows per ledger of the past.

create or replace function millrace.maintain_partitions(days_ahead int default 7)
returns int  -- days made and dropped; -1: another session was at it
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
declare
    today constant date := (millrace.now() at time zone 'utc')::date;
    days_at_a_time constant int := 60;
    day date;
    kept_from date;
    first_kept date;
    changed int := 0;
    made int;
begin
    if days_ahead is null or days_ahead not between 1 and days_at_a_time then
        raise exception using errcode = 'MR005', message = 'maintain_partitions: bad days_ahead',
            hint = 'Allowed for days_ahead: 1 to 60.';
    end if;
    if not pg_try_advisory_xact_lock(7709, 3) then
        return -1;
    end if;

    for day in select d::date
                 from millrace.installation i,
                      generate_series(i.last_day + 1, today + days_ahead, interval '1 day') d
                limit days_at_a_time * 2
    loop
        perform millrace.attach_day('job', day);
        perform millrace.attach_day('finished', day);
        update millrace.installation i set last_day = day;
        changed := changed + 1;
    end loop;

    select today - ceil(extract(epoch from coalesce(max(q.retention), interval '7 days')) / 86400)::int
      into kept_from
      from millrace.queue q;
    select i.first_day into first_kept from millrace.installation i;
    made := changed;
    begin
        for day in select d::date from generate_series(first_kept, kept_from - 1, interval '1 day') d
                    limit days_at_a_time
        loop
            perform millrace.rehome_day(day);
            exit when not millrace.drop_day(day);
            update millrace.installation i set first_day = day + 1;
            changed := changed + 1;
        end loop;
    exception when lock_not_available then
        changed := made;  -- somebody reads or writes an old day: the next call tries again
    end;
    perform millrace.prune_ledgers(kept_from::timestamp at time zone 'utc');
    return changed;
end
$$;

create or replace function millrace.attach_day(parent text, day date)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    partition constant text := parent || '_' || to_char(day, 'YYYYMMDD');
begin
    if to_regclass('millrace.' || partition) is not null then
        return;
    end if;
    execute format('create table millrace.%I (like millrace.%I including defaults including constraints)',
                   partition, parent);
    execute format('alter table millrace.%I attach partition millrace.%I for values from (%L) to (%L)',
                   parent, partition, day, day + 1);
end
$$;

-- True when the day is gone; false when something still needs it.
create or replace function millrace.drop_day(day date)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    jobs constant text := 'job_' || to_char(day, 'YYYYMMDD');
    past constant text := 'finished_' || to_char(day, 'YYYYMMDD');
    settled_lately boolean;
begin
    if to_regclass('millrace.' || jobs) is null then
        return true;
    end if;
    execute format('lock table millrace.%I, millrace.%I in share mode', jobs, past);
    execute format('select exists (select from millrace.%I f where f.finished_at > $1)', past)
       into settled_lately
      using millrace.now() - 10 * (select coalesce(max(w.lease), interval '1 minute') from millrace.worker w);
    if settled_lately
       or exists (select from millrace.running r where r.stored_on = day)
       or exists (select from millrace.scheduled s where s.stored_on = day)
       or exists (select from millrace.dead_letter d where d.stored_on = day)
       or exists (select from millrace.ready r where r.stored_on = day) then
        return false;
    end if;
    execute format('drop table millrace.%I, millrace.%I', jobs, past);
    return true;
end
$$;

-- What else grows with time and is not partitioned.
create or replace function millrace.prune_ledgers(kept_from timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    at_a_time constant int := 10000;
    receipts_from constant timestamptz :=
        millrace.now() - 10 * (select coalesce(max(w.lease), interval '1 minute') from millrace.worker w);
begin
    delete from millrace.settle_receipt r
     where r.ctid = any (array(select x.ctid from millrace.settle_receipt x where x.settled_at < receipts_from
                                limit at_a_time));
    delete from millrace.attempt_failure f
     where f.ctid = any (array(select x.ctid from millrace.attempt_failure x where x.failed_at < kept_from
                                  and not exists (select from millrace.job j where j.id = x.job_id)
                                limit at_a_time));
    delete from millrace.worker w
     where w.ctid = any (array(select x.ctid from millrace.worker x where x.cleared and x.ended_at < kept_from
                                limit at_a_time));
    delete from millrace.operator_action a
     where a.ctid = any (array(select x.ctid from millrace.operator_action x
                                where x.at < kept_from - interval '365 days'
                                limit at_a_time));
end
$$;
