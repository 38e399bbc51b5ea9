-- horizon_holders.sql: whoever keeps vacuum from removing a dead row is named, and nobody else. Vacuum itself is asked:
-- a table whose only row is dead is empty afterwards, or is not. Wants a server of its own: any open transaction counts.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/observe.sql
select plan(35);
set client_min_messages = error;
revoke pg_read_all_stats from millrace_owner;  -- what an interrupted run has left
set client_min_messages = warning;
create table victim (x int) with (autovacuum_enabled = off);
\set delete_and_vacuum 'call pg_temp.wait_for_autovacuum(); insert into victim values (1); delete from victim; vacuum victim;'
-- The server may begin to analyze a table at any time. It holds the horizon then, too, but not for long.
create procedure pg_temp.wait_for_autovacuum()
language plpgsql
as $$
begin
    for i in 1 .. 1000 loop
        exit when not exists (select from pg_stat_activity where backend_type = 'autovacuum worker');
        perform pg_sleep(0.01);
        commit;
    end loop;
end
$$;
create view pg_temp.holders as
select (row_number() over (order by h.rank))::int as rank, h.holder, h.name, h.pid, h.database, h.role_name,
       h.application, h.state, h.since, h.query_start, h.xid, h.transactions, h.holds, h.wrote, h.inherited, h.hidden,
       h.remedy
  from millrace.horizon_holders h
 where h.holder <> 'session' or h.role_name is not null;
grant select on pg_temp.holders to millrace_viewer;
create function pg_temp.removed()
returns boolean
language sql
as $$ select pg_relation_size('victim') = 0 $$;
create function pg_temp.open(name text, dbname text default current_database())
returns int  -- the pid of a session beside this one
language sql
as $$
    select dblink_connect(name, format('%s dbname=%s application_name=%s', millrace_test.here(), dbname, name));
    select pid from dblink(name, 'select pg_backend_pid()') d(pid int);
$$;
create function pg_temp.run(name text, statement text)
returns text
language sql
as $$ select dblink_exec(name, statement) $$;
create function pg_temp.snapshot(name text)
returns int
language sql
as $$ select x from dblink(name, 'select 1') d(x int) $$;
create function pg_temp.write(name text)
returns bigint
language sql
as $$ select x from dblink(name, 'select pg_current_xact_id()::text::bigint') d(x bigint) $$;

-- Nobody.
:delete_and_vacuum
select ok(pg_temp.removed(), 'nobody holds the horizon: vacuum removes what is dead');
select is_empty('select * from pg_temp.holders', 'and nobody is named');

-- A session that looks.
select pg_temp.open('reader') as reader \gset
select pg_temp.run('reader', 'begin isolation level repeatable read'), pg_temp.snapshot('reader') \g /dev/null
:delete_and_vacuum
select ok(not pg_temp.removed(), 'an old snapshot: what is dead stays');
set role millrace_viewer;
select results_eq('select rank, holder, name, pid, database, role_name, application, holds, wrote, inherited, remedy
                     from pg_temp.holders',
                  $$ select 1, 'session', pid::text, pid, datname::text collate "default",
                            usename::text collate "default", 'reader', 'tables', false, false,
                            format('select pg_terminate_backend(%s)', pid)
                       from pg_stat_activity where application_name = 'reader' $$, 'its session is named');
reset role;
select is(pid, :reader, 'by its pid') from pg_temp.holders;
select row_eq('select state, since, query_start, hidden from pg_temp.holders',
              row(null::text, null::timestamptz, null::timestamptz, true), 'its state is hidden from the owner');
begin;
grant pg_read_all_stats to millrace_owner;
select results_eq('select state, since, query_start, hidden from pg_temp.holders',
                  $$ select state, xact_start, query_start, false
                       from pg_stat_activity where application_name = 'reader' $$, 'unless it may read all statistics');
select is(state, 'idle in transaction', 'it is idle') from pg_temp.holders;
select pg_temp.run('reader', 'rollback') \g /dev/null
select is_empty('select * from pg_temp.holders', 'the end of its transaction is seen in the same transaction');
rollback;
:delete_and_vacuum
select ok(pg_temp.removed(), 'when it has ended, what is dead goes');

-- A session that has written, and one that looked meanwhile.
select pg_temp.open('writer') as writer \gset
select pg_temp.run('writer', 'begin'), pg_temp.write('writer') as written \gset
:delete_and_vacuum
select ok(not pg_temp.removed(), 'a transaction that has written: what is dead stays');
select results_eq('select pid, xid, wrote, inherited from pg_temp.holders',
                  format('values (%s, %L, true, false)', :writer, :written), 'it is named');
select pg_temp.run('reader', 'begin isolation level repeatable read'), pg_temp.snapshot('reader') \g /dev/null
select results_eq('select rank, pid, xid, wrote, inherited from pg_temp.holders',
                  format('values (1, %s, %L, true, false), (2, %s, %2$L, false, true)', :writer, :written, :reader),
                  'whoever looked meanwhile comes after it, and has inherited the age');
select cmp_ok(transactions, '>', 2::bigint, 'which is counted in transactions') from pg_temp.holders where rank = 1;
select pg_temp.run('writer', 'rollback') \g /dev/null
:delete_and_vacuum
select ok(not pg_temp.removed(), 'when the first has ended, the second holds it by itself');
select results_eq('select rank, pid, inherited from pg_temp.holders', format('values (1, %s, false)', :reader),
                  'and says so');
select pg_temp.run('reader', 'rollback') \g /dev/null

-- A prepared transaction.
select pg_temp.run('writer', 'begin'), pg_temp.write('writer') as written \gset
select pg_temp.run('writer', $$prepare transaction 'order''s 1'$$) \g /dev/null
:delete_and_vacuum
select ok(not pg_temp.removed(), 'a prepared transaction: what is dead stays');
select results_eq('select rank, holder, name, pid, database, role_name, state, xid, wrote, inherited, hidden, remedy
                     from pg_temp.holders',
                  $$ select 1, 'prepared transaction', gid, null::int, database::text collate "default",
                            owner::text collate "default", 'prepared', transaction::text, true, false, false,
                            format('rollback prepared ''order''''s 1'' in database %s, or commit prepared', database)
                                collate "default"
                       from pg_prepared_xacts $$, 'it is named, with the place from which it can be ended');
select is(since, (select prepared from pg_prepared_xacts), 'and since when') from pg_temp.holders;
select pg_temp.run('reader', 'begin isolation level repeatable read'), pg_temp.snapshot('reader') \g /dev/null
select results_eq('select rank, holder, inherited from pg_temp.holders',
                  $$ values (1, 'prepared transaction', false), (2, 'session', true) $$, 'its age is inherited, too');
select pg_temp.run('reader', 'rollback'), pg_temp.run('writer', $$rollback prepared 'order''s 1'$$) \g /dev/null
:delete_and_vacuum
select ok(pg_temp.removed(), 'when it is rolled back, what is dead goes');

-- Another database.
drop database if exists millrace_test_elsewhere;
create database millrace_test_elsewhere;
select pg_temp.open('elsewhere', 'millrace_test_elsewhere') as elsewhere \gset
select pg_temp.run('elsewhere', 'begin isolation level repeatable read'), pg_temp.snapshot('elsewhere') \g /dev/null
:delete_and_vacuum
select ok(pg_temp.removed(), 'a snapshot in another database holds nothing here');
select is_empty('select * from pg_temp.holders', 'and is not named');
select pg_temp.write('elsewhere') as written \gset
select pg_temp.run('reader', 'begin isolation level repeatable read'), pg_temp.snapshot('reader') \g /dev/null
:delete_and_vacuum
select ok(not pg_temp.removed(), 'a transaction that has written elsewhere is in every snapshot here');
select results_eq('select rank, pid, database, xid, inherited from pg_temp.holders',
                  format('values (1, %s, %L, %L, false), (2, %s, %L, %3$L, true)', :elsewhere,
                         'millrace_test_elsewhere', :written, :reader, current_database()), 'and is named as the cause');
select pg_temp.run('reader', 'rollback'), pg_temp.run('elsewhere', 'rollback'), dblink_disconnect('elsewhere') \g /dev/null

-- Vacuum.
create table long (x int) with (autovacuum_enabled = off);
insert into long select generate_series(1, 200000);
delete from long;
select pg_temp.open('vacuum') as vacuum \gset
select pg_temp.run('vacuum', 'set vacuum_cost_delay = 100; set vacuum_cost_limit = 1'),
       dblink_send_query('vacuum', 'vacuum long') \g /dev/null
create procedure pg_temp.wait_for_vacuum()
language plpgsql
as $$
begin
    for i in 1 .. 1000 loop
        exit when exists (select from pg_stat_progress_vacuum v join pg_stat_activity a using (pid)
                           where v.phase = 'scanning heap' and a.backend_xmin is not null);
        perform pg_sleep(0.01);
        commit;
    end loop;
end
$$;
call pg_temp.wait_for_vacuum();
select isnt(backend_xmin, null, 'vacuum has a snapshot of its own') from pg_stat_activity where pid = :vacuum;
:delete_and_vacuum
select ok(pg_temp.removed(), 'which holds nothing');
select is_empty('select * from pg_temp.holders', 'and it is not named');
select pg_cancel_backend(:vacuum), dblink_disconnect('vacuum') \g /dev/null

-- All that is said of the view in the doctor.
\ir ../support/sql/fake_clock.sql
select millrace_test.set_clock(clock_timestamp()) \g /dev/null
grant pg_read_all_stats to millrace_owner;
create view pg_temp.pinned as
select about, detail, remedy from millrace.doctor() where finding in ('horizon pinned', 'low-water held');
select pg_temp.run('reader', 'begin isolation level repeatable read'), pg_temp.snapshot('reader') \g /dev/null
select is_empty('select * from pg_temp.pinned', 'the doctor has patience');
select millrace_test.advance_clock('1 hour') \g /dev/null
select is(about, 'session ' || :reader, 'for five minutes') from pg_temp.pinned;
select matches(detail, '^idle in transaction, since .* UTC, role \w+, application reader, database \w+: no row that died in the last \d+ '
                       'transactions can be removed$', 'it says who that is') from pg_temp.pinned;
revoke pg_read_all_stats from millrace_owner;
select is_empty('select * from pg_temp.pinned', 'hidden, it is judged by transactions');
create procedure pg_temp.spend(transactions int)
language plpgsql
as $$
begin
    create temp table spent (x int);
    for i in 1 .. transactions loop
        begin
            insert into spent values (i);
        exception when others then
            raise;
        end;
        if i % 100000 = 0 then
            commit;
            truncate spent;
        end if;
    end loop;
end
$$;
\timing off
call pg_temp.spend(1010000);
select results_eq('select about, detail like ''%; to see its state: grant pg_read_all_stats to millrace_owner'' from pg_temp.pinned',
                  format('values (%L, true)', 'session ' || :reader), 'a million of them');
select pg_temp.run('reader', 'rollback') \g /dev/null
grant pg_read_all_stats to millrace_owner;
select pg_temp.open('writer' || n) from generate_series(2, 9) n \g /dev/null
select pg_temp.run('writer' || n, 'begin'), pg_temp.write('writer' || n) from generate_series(2, 9) n \g /dev/null
select is(count(*), 0::bigint, 'eight transactions hold no low-water') from pg_temp.pinned where detail ~ 'marks';
select pg_temp.run('writer', 'begin'), pg_temp.write('writer') \g /dev/null
select is(about, '9', 'nine do') from pg_temp.pinned where detail ~ 'marks';
revoke pg_read_all_stats from millrace_owner;
select dblink_disconnect(c) from unnest(dblink_get_connections()) c \g /dev/null
drop database millrace_test_elsewhere;
select * from finish();
