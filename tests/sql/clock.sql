-- clock.sql: one source of time, and the day under which a job is stored.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(11);

select ok(millrace.now() between clock_timestamp() - interval '1 s' and clock_timestamp(),
          'now() is the server''s clock');
select millrace.now() as earlier \gset
select pg_sleep(0.002) \g /dev/null
select cmp_ok(millrace.now(), '>', :'earlier'::timestamptz, 'it moves within a transaction');
select is(millrace.storage_day(), (clock_timestamp() at time zone 'utc')::date, 'the storage day is today in UTC');

\ir ../support/sql/fake_clock.sql
select first_day, last_day from millrace.installation \gset

select is(millrace.now(), (:'first_day'::date + time '12:00') at time zone 'utc',
          'a test''s clock begins at noon (UTC)');
select is(millrace_test.advance_clock('90 minutes'), millrace.now(), 'and is moved by hand');

set local time zone 'Pacific/Kiritimati';  -- fourteen hours ahead of UTC: tomorrow already
select is(millrace.storage_day(), :'first_day'::date, 'the session''s time zone does not change the storage day');

select millrace_test.set_clock((:'first_day'::date + 1)::timestamp at time zone 'utc' - interval '1 us') \g /dev/null
select is(millrace.storage_day(), :'first_day'::date, 'a day lasts to its last microsecond');
select millrace_test.advance_clock('1 us') \g /dev/null
select is(millrace.storage_day(), :'first_day'::date + 1, 'and ends at midnight UTC');

select millrace_test.set_clock((:'last_day'::date + 30)::timestamp at time zone 'utc') \g /dev/null
select is(millrace.storage_day(), :'last_day'::date, 'after the newest partition, its day is used');
select millrace_test.set_clock((:'first_day'::date - 30)::timestamp at time zone 'utc') \g /dev/null
select is(millrace.storage_day(), :'first_day'::date, 'before the oldest partition, its day is used');

set local role millrace_viewer;
select lives_ok('select millrace.now()', 'whoever looks may ask for the time');

reset role;
select * from finish();
rollback;
