-- cron_runs.sql: when an expression is due, above all where clocks are set; what next_runs refuses.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(40);

create function pg_temp.due(cron text, time_zone text, after text, n int)
returns text[]
language sql
as $$
    select array_agg(to_char(r.run_at at time zone 'UTC', 'MM-DD HH24:MI') order by r.place)
      from millrace.cron_runs(millrace.parse_cron(cron), time_zone, (after || '+00')::timestamptz, n)
           with ordinality r(run_at, place)
$$;

set local time zone 'Pacific/Kiritimati';  -- the session's zone does not matter
select is(pg_temp.due(cron, zone, after, cardinality(meant::text[])), meant::text[], why)
  from (values
    ('0 12 * * *', 'UTC', '2026-06-01 12:00', '{06-02 12:00}', 'after is exclusive'),
    ('0 12 * * *', 'UTC', '2026-06-01 11:59:59.999999', '{06-01 12:00,06-02 12:00}', 'to the microsecond'),
    ('* * * * *', 'UTC', '2026-06-01 12:00', '{06-01 12:01,06-01 12:02}', 'every minute'),
    ('*/20 8-9 1 jan *', 'UTC', '2026-12-31 00:00',
     '{01-01 08:00,01-01 08:20,01-01 08:40,01-01 09:00,01-01 09:20,01-01 09:40,01-01 08:00}', 'into the next year'),
    ('0 9 * * *', 'America/New_York', '2026-07-01 00:00', '{07-01 13:00}', 'in the zone''s time'),
    ('0 9 * * *', 'America/New_York', '2026-12-01 00:00', '{12-01 14:00}', 'in winter too'),
    ('0 0 * * mon', 'Pacific/Auckland', '2026-06-03 00:00', '{06-07 12:00}', 'a Monday that begins on UTC''s Sunday'),
    -- Berlin: on 29 March at 01:00 UTC 02:00 becomes 03:00, on 25 October at 01:00 UTC 03:00 becomes 02:00.
    ('30 2 * * *', 'Europe/Berlin', '2026-03-28 12:00', '{03-29 01:00,03-30 00:30}', 'in the gap: at its end'),
    ('0,20,40 2 * * *', 'Europe/Berlin', '2026-03-28 12:00', '{03-29 01:00,03-30 00:00}', 'all of a gap are due once'),
    ('0 2,3 * * *', 'Europe/Berlin', '2026-03-28 12:00', '{03-29 01:00,03-30 00:00}', 'with what is due at its end'),
    ('30 2 * * sun', 'Europe/Berlin', '2026-03-28 12:00', '{03-29 01:00,04-05 00:30}', 'on one day of the week'),
    ('30 2 * * *', 'Europe/Berlin', '2026-10-24 12:00', '{10-25 00:30,10-26 01:30}', 'twice shown: the first'),
    ('30 2 * * *', 'Europe/Berlin', '2026-10-25 00:45', '{10-26 01:30}', 'and not the second, from between the two'),
    ('30 2 * * *', 'Europe/Berlin', '2026-10-25 01:15', '{10-26 01:30}', 'nor from the second hour'),
    ('*/30 1-3 * * *', 'Europe/Berlin', '2026-10-24 22:30',
     '{10-24 23:00,10-24 23:30,10-25 00:00,10-25 00:30,10-25 02:00}', 'no hour is repeated'),
    ('0 3 * * *', 'Europe/Berlin', '2026-10-25 00:30', '{10-25 02:00}', 'the end of the repeated hour comes once'),
    ('0 * * * *', 'Europe/Berlin', '2026-03-28 23:30', '{03-29 00:00,03-29 01:00,03-29 02:00}',
     'hourly: real time over a gap'),
    ('30 * * * *', 'Europe/Berlin', '2026-10-24 23:00', '{10-24 23:30,10-25 00:30,10-25 01:30,10-25 02:30}',
     'hourly: real time over an overlap'),
    ('*/30 0-23 * * *', 'Europe/Berlin', '2026-10-25 00:00', '{10-25 00:30,10-25 01:00,10-25 01:30,10-25 02:00}',
     'every hour by another spelling'),
    ('0 * 29 3 *', 'Europe/Berlin', '2026-03-29 00:30', '{03-29 01:00,03-29 02:00}', 'hourly on one day'),
    ('30 * 26 10 *', 'Europe/Berlin', '2026-10-20 00:00', '{10-25 23:30,10-26 00:30}', 'the days of the zone'),
    -- Clocks set at midnight, by half an hour, and by a day.
    ('30 0 * * *', 'Africa/Cairo', '2026-04-23 12:00', '{04-23 22:00,04-24 21:30}', 'a gap after midnight'),
    ('30 23 * * *', 'Africa/Cairo', '2026-10-29 12:00', '{10-29 20:30,10-30 21:30}', 'an overlap before midnight'),
    ('30 * 29 10 *', 'Africa/Cairo', '2026-10-29 19:00', '{10-29 19:30,10-29 20:30,10-29 21:30,10-28 22:30}',
     'the hour that is repeated belongs to its day'),
    ('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03 00:00', '{10-03 15:30,10-04 15:15}', 'half an hour is left out'),
    ('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04 00:00', '{04-04 14:45,04-05 15:15}', 'half an hour comes twice'),
    ('0 5 * * *', 'Pacific/Apia', '2011-12-29 00:00', '{12-29 15:00,12-30 10:00,12-30 15:00}', 'a day is left out'),
    ('59 23 30 12 *', 'Pacific/Apia', '2011-12-29 00:00', '{12-30 10:00,12-30 09:59}', 'nor is its last minute lost')
  ) c(cron, zone, after, meant, why);
select is(count(*), 0::bigint, 'up to a time, and no further')
  from millrace.cron_runs(millrace.parse_cron('0 12 * * *'), 'UTC', '2026-06-01 12:00+00', 9, '2026-06-02 11:59+00');

select results_eq($$ select * from millrace.next_runs('@daily', n => 2) $$,
                  $$ select (millrace.now() at time zone 'UTC')::date::timestamp at time zone 'UTC'
                              + d * interval '24 h'
                       from generate_series(1, 2) d $$, 'next_runs: from now on, in UTC');
select is(count(*), 1000::bigint, 'a thousand') from millrace.next_runs('* * * * *', n => 1000);
select is(min(run_at), 'epoch'::timestamptz + interval '1 min', 'before 1970 there is nothing')
  from millrace.next_runs('* * * * *', after => '-infinity');
select throws_ok('select millrace.next_runs(' || arguments || ')', 'MR005', complaint, arguments)
  from (values ($$'* * * * *', 'CEST'$$, 'next_runs: bad time_zone ''CEST'''),
               ($$'* * * * *', 'UTC+3'$$, 'next_runs: bad time_zone ''UTC+3'''),
               ($$'* * * * *', 'CET'$$, 'next_runs: bad time_zone ''CET'''),
               ($$'* * * * *', null$$, 'next_runs: bad time_zone NULL'),
               ($$'* * * * *', after => 'infinity'$$, 'next_runs: bad after'),
               ($$'* * * * *', n => 0$$, 'next_runs: bad n'), ($$'* * * * *', n => 1001$$, 'next_runs: bad n'),
               ($$'* * * * *', n => null$$, 'next_runs: bad n')) b(arguments, complaint);
select * from finish();
rollback;
