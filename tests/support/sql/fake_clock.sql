-- fake_clock: time stands still until a test moves it.
--
--     \ir ../support/sql/fake_clock.sql          run as a superuser; within the test's transaction it goes with it
--
-- millrace.now() is replaced by one that reads a table, so that every session of the database sees the same time, and
-- sees it move at the commit of whoever moved it. It begins at noon (UTC) of the first day that has partitions.
--
-- A test runs on a clone of a template database, which has to be told that it is at home.

create schema if not exists millrace_test;
grant usage on schema millrace_test to public;

create table millrace_test.clock (
    singleton boolean primary key default true check (singleton),
    at        timestamptz not null
);
grant select on millrace_test.clock to public;
insert into millrace_test.clock (at)
select (i.first_day + time '12:00') at time zone 'utc' from millrace.installation i;

create or replace function millrace.now()
returns timestamptz
language sql volatile
as $$ select c.at from millrace_test.clock c $$;

create function millrace_test.advance_clock(by interval)
returns timestamptz  -- the time it is now
language sql
as $$ update millrace_test.clock set at = at + by returning at $$;

create function millrace_test.set_clock(at timestamptz)
returns timestamptz
language sql
as $$ update millrace_test.clock set at = $1 returning at $$;

select millrace.adopt() \g /dev/null
