-- keys_held.sql: a claim that stays open keeps the keys that it looks after, and no others.
--
-- A session beside this one holds them: no transaction around this file, and a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/observe.sql
select plan(6);
select millrace.create_queue('q') \g /dev/null
select millrace.open_session('open', '{q}') as open, millrace.open_session('w', '{q}') as session \gset
select count(millrace.enqueue('q', 'k' || n, concurrency_key => 'k' || n)) from generate_series(1, 250) n \g /dev/null
create view millrace_test.locks as
select a.application_name as holder, count(*) as held
  from pg_locks l join pg_stat_activity a using (pid)
 where l.locktype = 'advisory' and a.datname = current_database()
 group by 1;

select dblink_connect('holder', millrace_test.here() || ' application_name=holder'),
       dblink_exec('holder', 'begin') \g /dev/null
select is(kind, 'k1', 'a claim that stays open')
  from dblink('holder', format('select kind from millrace.claim(%s, ''q'', 1)', :open)) d(kind text);
select is(held, 100::bigint, 'looks after a hundred keys') from millrace_test.locks where holder = 'holder';
begin;
create temp table got on commit drop as select kind from millrace.claim(:session, 'q', 1000);
select results_eq($$ select kind collate "default" from got order by substr(kind, 2)::int $$,
                  $$ select 'k' || n from generate_series(101, 200) n $$, 'another one looks after the next hundred');
select cmp_ok(max(held), '<=', 101::bigint, 'and locks no more of them than that') from millrace_test.locks;
commit;
select is(count(*), 50::bigint, 'the next one after the rest') from millrace.claim(:session, 'q', 1000);
select dblink_exec('holder', 'rollback') \g /dev/null
select is(count(*), 100::bigint, 'what was held comes when it is let go') from millrace.claim(:session, 'q', 1000);
select * from finish();
