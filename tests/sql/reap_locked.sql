-- reap.sql: sessions of which somebody holds a row do not keep others from being reaped.
--
-- Sessions beside this one hold the rows: no transaction around this file, and a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(4);
select millrace.create_queue('q') \g /dev/null

create procedure millrace_test.start(sessions int)
language plpgsql
as $$
begin
    for n in 1 .. sessions loop
        perform millrace.enqueue('q', 'k');
        perform millrace.claim(millrace.open_session('w' || n, '{q}', lease => '1 s'), 'q', 1);
    end loop;
end
$$;
call millrace_test.start(10);
select dblink_connect('holder', millrace_test.here()), dblink_exec('holder', 'begin') \g /dev/null
select count(*) from dblink('holder', 'select job_id from millrace.running for share') d(id bigint) \g /dev/null
select millrace_test.advance_clock('1 h') \g /dev/null
select is(millrace.reap(), 0, 'what is held is not taken');
call millrace_test.start(1);
select millrace_test.advance_clock('1 h') \g /dev/null
select is(millrace.reap(), 1, 'what is lost after it is');
select dblink_exec('holder', 'rollback') \g /dev/null
select is(millrace.reap(), 10, 'and the others, when they are let go');
select is(count(*), 0::bigint, 'all are looked after') from millrace.worker where not cleared;
select * from finish();
