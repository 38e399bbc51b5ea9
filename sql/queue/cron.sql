-- cron: what a cron expression means.
--
--     minute  hour  day-of-month  month  day-of-week        0-59  0-23  1-31  1-12 or jan-dec  0-7 or sun-sat
--
-- A field is a list of values, ranges a-b, and steps a-b/n or */n. Sunday is 0 and 7. Where both fields of days begin
-- otherwise than with "*", a day that suits either of them will do; else it has to suit both (Vixie cron's rule). A
-- range does not run backwards, a step belongs to a range and stays below its field's size ("*/90" is no hour and a
-- half), and a day that never comes, as the 30th of February, is refused.
--
-- Arguments  cron  up to 200 characters: five fields, or @hourly @daily @midnight @weekly @monthly @yearly @annually
-- Locks      none.
-- Raises     MR005 bad_argument.

create or replace function millrace.parse_cron(cron text)
returns millrace.cron
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    longest constant int[] := '{31,29,31,30,31,30,31,31,30,31,30,31}';
    said constant text := lower(btrim(cron, ' ' || chr(9)));
    fields constant text[] := regexp_split_to_array(
        case said when '@hourly' then '0 * * * *'
                  when '@daily' then '0 0 * * *'
                  when '@midnight' then '0 0 * * *'
                  when '@weekly' then '0 0 * * 0'
                  when '@monthly' then '0 0 1 * *'
                  when '@yearly' then '0 0 1 1 *'
                  when '@annually' then '0 0 1 1 *'
                  else said end, '[[:blank:]]+');
    parsed millrace.cron;
begin
    if cron is null or length(cron) > 200 or cardinality(fields) <> 5 then
        raise exception using errcode = 'MR005',
            message = case when cron is null or length(cron) > 200 then 'schedule: bad cron'
                           when said ~ '^@' then format('schedule: bad cron: there is no %L', said)
                           else format('schedule: bad cron: %s fields in %L', cardinality(fields), cron) end,
            hint = 'Allowed for cron: minute, hour, day of month, month, day of week, as in ''30 6 * * mon-fri''; or'
                   ' @hourly, @daily, @weekly, @monthly, @yearly.';
    end if;
    parsed.minutes := millrace.cron_field('minute', fields[1], 0, 59);
    parsed.hours := millrace.cron_field('hour', fields[2], 0, 23);
    parsed.days := millrace.cron_field('day of month', fields[3], 1, 31);
    parsed.months := millrace.cron_field('month', fields[4], 1, 12,
                                         '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
    parsed.weekdays := millrace.cron_field('day of week', fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
    parsed.weekdays := array(select distinct w % 7 from unnest(parsed.weekdays) w order by 1);
    parsed.either_day := fields[3] !~ '^[*]' and fields[5] !~ '^[*]';
    if not parsed.either_day and parsed.days[1] > (select max(longest[m]) from unnest(parsed.months) m) then
        raise exception using errcode = 'MR005',
            message = format('schedule: bad cron: day of month %L never comes in month %L', fields[3], fields[4]),
            hint = 'Name a day that one of the months has; for the last day of a month run on the 1st, and look back.';
    end if;
    return parsed;
end
$$;

create or replace function millrace.cron_field(field text, said text, low int, high int, names text[] default '{}')
returns int[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    item text;
    part text[];
    first int;
    last int;
    step int;
    listed int[] := '{}';
begin
    foreach item in array string_to_array(said, ',')
    loop
        part := regexp_match(item, '^(?:([*])|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,2}))?$');
        first := case when part[1] = '*' then low
                      when part[2] ~ '^[0-9]' then part[2]::int
                      else array_position(names, part[2]) - 1 + low end;
        last := case when part[1] = '*' then high
                     when part[3] is null then first
                     when part[3] ~ '^[0-9]' then part[3]::int
                     when part[3] = 'sun' then 7  -- the end of a week: fri-sun
                     else array_position(names, part[3]) - 1 + low end;
        step := coalesce(part[4]::int, 1);
        if part is null or first is null or last is null or first < low or last > high or first > last
           or step not between 1 and high - low or part[4] is not null and part[2] is not null and part[3] is null then
            raise exception using errcode = 'MR005', message = format('schedule: bad cron: %s %L', field, item),
                hint = format('Allowed for %s: %s to %s%s, ranges a-b that do not run backwards, steps */n and a-b/n'
                              ' with n from 1 to %s, and lists of these.', field, low, high,
                              ' or ' || names[1] || ' to ' || names[cardinality(names)], high - low);
        end if;
        listed := listed || array(select generate_series(first, last, step));
    end loop;
    return array(select distinct f from unnest(listed) f order by 1);
end
$$;

-- The first day from this one on that an expression means, the clock apart. Forty years hold every day of the week that
-- a 29th of February can be: the search ends.
create or replace function millrace.cron_day(rule millrace.cron, from_day date)
returns date
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    most_months constant int := 41 * 12;
    month date := date_trunc('month', from_day::timestamp);
    suits date;
begin
    for n in 1 .. most_months
    loop
        if extract(month from month)::int = any (rule.months) then
            select d.day into suits
              from (select greatest(month, from_day) + g as day
                      from generate_series(0, (month + interval '1 month')::date - greatest(month, from_day) - 1) g) d
             where case when rule.either_day
                        then extract(day from d.day)::int = any (rule.days)
                             or extract(dow from d.day)::int = any (rule.weekdays)
                        else extract(day from d.day)::int = any (rule.days)
                             and extract(dow from d.day)::int = any (rule.weekdays) end
             order by d.day
             limit 1;
            if suits is not null then
                return suits;
            end if;
        end if;
        month := month + interval '1 month';
    end loop;
    return null;
end
$$;
