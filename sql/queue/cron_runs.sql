-- next_runs: when a cron expression is due in a time zone.
--
-- Where the hour field names every hour, the schedule follows real time: it is due whenever the zone's clock shows such
-- a minute. Clocks that are set forward do not delay it, and when they are set back it goes on as ever.
--
-- Any other schedule names times of day, and each is due once a day: when the zone's clock first shows that time *or a
-- later one*. A time that clocks skip is due at the end of the gap, together with all others of that gap as one; of a
-- time that comes twice, the first is meant.
--
-- Arguments  cron, time_zone  see cron.sql; the name of a zone in pg_timezone_names, no abbreviation
--            after            exclusive, at most 10 years ahead, null: now; from 1970 on
--            n                how many, 1 … 1000
-- Locks      none.
-- Raises     MR005 bad_argument.

create or replace function millrace.next_runs(
    cron text, time_zone text default 'UTC', after timestamptz default null, n int default 5)
returns table (run_at timestamptz)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    rule constant millrace.cron := millrace.parse_cron(cron);
    since constant timestamptz := greatest(coalesce(after, millrace.now()), 'epoch');
begin
    perform millrace.check_time_zone('next_runs', time_zone);
    if since > millrace.now() + interval '10 years' then
        raise exception using errcode = 'MR005', message = 'next_runs: bad after',
            hint = 'Allowed for after: at most 10 years ahead.';
    elsif n is null or n not between 1 and 1000 then
        raise exception using errcode = 'MR005', message = 'next_runs: bad n', hint = 'Allowed for n: 1 to 1000.';
    end if;
    return query select r.run_at from millrace.cron_runs(rule, time_zone, since, n) r;
end
$$;

-- By name only: PostgreSQL also understands 'CEST', which has no winter, and 'UTC+3', which is three hours *behind*.
-- Of 'CET', 'EST' and some others, which are names as well, it takes the abbreviation, which has no summer.
create or replace function millrace.check_time_zone(caller text, time_zone text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if time_zone is null or not exists (select from pg_timezone_names z where z.name = time_zone)
       or time_zone not in ('UTC', 'GMT')
          and exists (select from pg_timezone_abbrevs a where a.abbrev = upper(time_zone)) then
        raise exception using errcode = 'MR005', message = format('%s: bad time_zone %L', caller, left(time_zone, 100)),
            hint = 'Allowed for time_zone: the names in pg_timezone_names that are no abbreviations, such as'
                   ' ''Europe/Berlin'' or ''UTC''.';
    end if;
end
$$;

create or replace function millrace.cron_runs(
    rule millrace.cron, time_zone text, after timestamptz, amount int, until timestamptz default 'infinity')
returns table (run_at timestamptz)  -- in their order, none twice
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    shown constant timestamp := after at time zone time_zone;
    last timestamptz := after;
    returned int := 0;
    day date;
    hour int;
    minute int;
begin
    if cardinality(rule.hours) = 24 then
        return query select r.run_at from millrace.cron_runs_of_every_hour(rule, time_zone, after, amount, until) r;
        return;
    end if;
    day := millrace.cron_day(rule, shown::date);
    while day is not null
    loop
        foreach hour in array rule.hours
        loop
            foreach minute in array rule.minutes
            loop
                -- A time that has been shown was due by then.
                continue when day + make_time(hour, minute, 0) <= shown;
                run_at := millrace.first_shown(day + make_time(hour, minute, 0), time_zone);
                continue when run_at <= last;
                if run_at > until or returned = amount then
                    return;
                end if;
                return next;
                last := run_at;
                returned := returned + 1;
            end loop;
        end loop;
        exit when returned = amount;
        day := millrace.cron_day(rule, day + 1);
    end loop;
end
$$;

-- Minute by minute of real time, a day at a stretch. Its minutes belong to up to four days of the zone, for clocks may
-- be set back over midnight.
create or replace function millrace.cron_runs_of_every_hour(
    rule millrace.cron, time_zone text, after timestamptz, amount int, until timestamptz)
returns table (run_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    start timestamptz := date_trunc('minute', after, 'UTC') + interval '1 minute';
    returned int := 0;
    days date[];
begin
    while start <= until and returned < amount
    loop
        days := array(select d from (select (start at time zone time_zone)::date + g as d
                                       from generate_series(-1, 2) g) g
                       where millrace.cron_day(rule, g.d) = g.d);
        if cardinality(days) = 0 then
            -- A zone's day begins at most fourteen hours before that of UTC.
            days := array[millrace.cron_day(rule, (start at time zone time_zone)::date + 3)];
            start := greatest(start + interval '24 hours', (days[1] - 1)::timestamp at time zone 'UTC');
            continue;
        end if;
        for run_at in
            select t.at
              from (select start + g * interval '1 minute' as at from generate_series(0, 1439) g) t
             where extract(minute from t.at at time zone time_zone)::int = any (rule.minutes)
               and (t.at at time zone time_zone)::date = any (days)
        loop
            if run_at > until or returned = amount then
                return;
            end if;
            return next;
            returned := returned + 1;
        end loop;
        start := start + interval '24 hours';
    end loop;
end
$$;

-- When a zone's clock first shows this time or a later one. For a time that comes twice PostgreSQL chooses the second,
-- and for one that is skipped it goes on counting by the old offset, into the new one.
create or replace function millrace.first_shown(shown timestamp, time_zone text)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    chosen constant timestamptz := shown at time zone time_zone;
    -- No clock is set by more than a day.
    before constant timestamptz := chosen - interval '25 hours';
    offset_before constant interval := (before at time zone time_zone) - (before at time zone 'UTC');
    by_offset_before constant timestamptz := (shown - offset_before) at time zone 'UTC';
    same int := 0;  -- seconds after `before`: the offset is still that, and is another
    other int := 25 * 3600;
    middle int;
begin
    if chosen at time zone time_zone = shown then
        return case when by_offset_before < chosen and by_offset_before at time zone time_zone = shown
                    then by_offset_before else chosen end;
    end if;
    while other - same > 1
    loop
        middle := (same + other) / 2;
        if ((before + middle * interval '1 second') at time zone time_zone)
           - ((before + middle * interval '1 second') at time zone 'UTC') = offset_before then
            same := middle;
        else
            other := middle;
        end if;
    end loop;
    return before + other * interval '1 second';
end
$$;
