-- maintain_partitions: makes the coming days' partitions of job and finished, and drops those past their retention.
--
-- A day is dropped when it is older than the longest retention of any queue, so is everything that was settled of it,
-- and no job of it runs. What waits or awaits a person is given a new home first (rehome.sql).
--
-- Attaching takes a lock that blocks neither enqueue, claim nor settle. Dropping needs an exclusive one on both
-- parents, behind which everything queues, until the transaction ends: it is the last thing that a call does, one day
-- per call, and it waits 50 ms for it. Where somebody has held on to the tables for longer, nobody tries again for ten
-- minutes. While a day is examined, a SHARE lock keeps late writers out of its two partitions.
--
-- Call it again until it returns 0, each time in a transaction of its own.
--
-- Arguments  days_ahead  1 … 60
-- Locks      advisory 7709/3 for the transaction, taken or given up; the row of installation; job, then finished.
-- Raises     MR005 bad_argument, MR007 invalid_transition in a transaction that is not read committed.
-- Rows       tables, not rows, but for rehome.sql's.

create or replace function millrace.maintain_partitions(days_ahead int default 7)
returns int  -- days made, or dropped, or jobs given a new home; 0: nothing is left to do; -1: another session was at it
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
declare
    today constant date := (millrace.now() at time zone 'utc')::date;
    most_days constant int := 60;
    patience constant interval := '10 minutes';
    day date;
    kept_from date;
    known millrace.installation%rowtype;
    changed int := 0;
begin
    if days_ahead is null or days_ahead not between 1 and most_days then
        raise exception using errcode = 'MR005', message = 'maintain_partitions: bad days_ahead',
            hint = 'Allowed for days_ahead: 1 to 60.';
    end if;
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using errcode = 'MR007',
            message = 'maintain_partitions: this transaction is ' || current_setting('transaction_isolation'),
            hint = 'Its snapshot may be older than what was stored last. Call it at read committed.';
    end if;
    if not pg_try_advisory_xact_lock(7709, 3) then
        return -1;
    end if;
    select * into known from millrace.installation;
    for day in select known.last_day + n
                 from generate_series(1, today + days_ahead - known.last_day) n
                limit most_days * 2
    loop
        perform millrace.attach_day('job', day);
        perform millrace.attach_day('finished', day);
        update millrace.installation i set last_day = day;
        changed := changed + 1;
    end loop;

    select today - ceil(extract(epoch from coalesce(max(q.retention), interval '7 days')) / 86400)::int
      into kept_from
      from millrace.queue q;
    if changed > 0 or known.first_day >= kept_from or known.drop_given_up_at > millrace.now() - patience then
        return changed;
    end if;
    changed := millrace.rehome_day(known.first_day);
    if changed > 0 then
        return changed;
    end if;
    begin
        perform set_config('lock_timeout', '50ms', true);
        if millrace.drop_day(known.first_day, kept_from) then
            update millrace.installation i set first_day = known.first_day + 1;
            return 1;
        end if;
    exception when lock_not_available then
        update millrace.installation i set drop_given_up_at = millrace.now();
    end;
    return 0;
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
    if parent = 'finished' then  -- it has no primary key; what is published must be known by something
        execute format('alter table millrace.%I replica identity full', partition);
    end if;
    execute format('alter table millrace.%I attach partition millrace.%I for values from (%L) to (%L)',
                   parent, partition, day, day + 1);
end
$$;

-- True when the day is gone; false when something still needs it.
create or replace function millrace.drop_day(day date, kept_from date)
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
      using least(kept_from::timestamp at time zone 'utc', millrace.receipts_from());
    if settled_lately
       or exists (select from millrace.running r where r.stored_on = day)
       or exists (select from millrace.scheduled s where s.stored_on = day)
       or exists (select from millrace.blocked b where b.stored_on = day)
       or exists (select from millrace.dead_letter d where d.stored_on = day)
       or exists (select from millrace.ready r where r.stored_on = day) then
        return false;
    end if;
    execute format('drop table millrace.%I, millrace.%I', jobs, past);
    return true;
end
$$;
