-- adopt.sql: queues that were restored or cloned hand out no job until somebody says that this copy shall work.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(41);
select millrace.create_queue('q') as q \gset
select millrace.enqueue('q', 'k') as job \gset

select lives_ok($$select millrace.open_session('w', '{q}')$$, 'at home a worker may begin');

-- What a restored database looks like: another database, positions of another server, marks beyond them.
select millrace.open_session('w', '{q}') as old_session \gset
update millrace.installation set database_name = 'production', database_oid = 1;
update millrace.lane set low = '999999999999', pending = '{5}', pending_job = '{0}';
update millrace.ready set pos = '888888888888';
update millrace.low_water set seen = '{1,2}', delta_low = '999999999999', delta_pending = '{5}';
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok($$select millrace.open_session('w', '{q}')$$, 'MR011',
                 format('these queues belong to database ''production'' of another place, not to %L here',
                        current_database()), 'in another database it may not');
select throws_ok(format('select * from millrace.claim(%s, ''q'')', :old_session), 'MR011', null,
                 'nor does a session get anything that was restored with the queue');
select throws_ok(format('select millrace.heartbeat(%s)', :old_session), 'MR011', null, 'or renew its lease');
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');
create function pg_temp.hint_of(call text)
returns text
language plpgsql
as $$
declare
    hint text;
begin
    execute call;
    return null;
exception when others then
    get stacked diagnostics hint = pg_exception_hint;
    return hint;
end
$$;
select matches(pg_temp.hint_of($$select millrace.open_session('w', '{q}')$$),
               'millrace adopt, or select millrace.adopt\(\)',
               'the hint says what to do');

select set_eq('select key from jsonb_object_keys(to_jsonb((select i from millrace.installation i))) key',
              $$ values ('singleton'), ('system_identifier'), ('database_name'), ('first_day'), ('last_day'),
                        ('drop_given_up_at'), ('database_oid'), ('table_oid') $$,
              'the database remembers where it lives');
set local role millrace_worker;
select throws_ok('select millrace.adopt()', '42501', 'permission denied for function adopt',
                 'no worker adopts by itself');
reset role;
set local role millrace_operator;
select lives_ok('select millrace.adopt()', 'an operator does');
reset role;
select row_eq($$ select i.database_name, i.system_identifier, i.database_oid, i.table_oid
                 from millrace.installation i $$,
              row(current_database()::text collate "default", (select system_identifier from pg_control_system()),
                  (select d.oid from pg_database d where d.datname = current_database()),
                  'millrace.installation'::regclass::oid),
              'this is its home now');
select isnt_empty('select * from millrace.home', 'and it says so');
select throws_ok(format('select millrace.heartbeat(%s)', :old_session), 'MR002', null,
                 'the sessions of the old place are over');
select is(end_reason, 'lease expired', 'and their jobs are for reap()') from millrace.worker where id = :old_session;
select is_empty($$ select * from millrace.lane where low <> '0' or pending <> '{}' $$, 'the low-water starts afresh');
select is_empty($$ select * from millrace.low_water where seen <> '{}' or delta_low <> '0' or delta_pending <> '{}' $$,
                'for the counts, too');
select is(pos < pg_snapshot_xmax(pg_current_snapshot()) or pos = pg_current_xact_id(), true,
          'a position that this server has not reached is its own now') from millrace.ready;
select is(available, 1::bigint, 'which are seen again') from millrace.queues where name = 'q';
select millrace.open_session('w', '{q}') as session \gset
select is(job_id, :job::bigint, 'and so are the jobs') from millrace.claim(:session, 'q');
select row_eq($$ select who, detail from millrace.operator_action where action = 'adopt' order by at desc limit 1 $$,
              row(session_user::text collate "default", jsonb_build_object('database', current_database())),
              'the book says who adopted it');

-- A key that was last used under a number of the old server; a position whose transaction has not ended here, as a
-- later one has.
select millrace.enqueue('q', 'k') as waiting \gset
insert into millrace.concurrency_key (queue_id, key, version, held, low_job)
select id, 'ada', 999999999999, 0, 9223372036854775807 from millrace.queue where name = 'q';
select dblink_connect('other', millrace_test.here());
select dblink_exec('other', 'begin');
select x::bigint as going_on from dblink('other', 'select pg_current_xact_id()::text') o(x text) \gset
select x from dblink(millrace_test.here(), 'select pg_current_xact_id()::text') o(x text) \g /dev/null
update millrace.ready set pos = :'going_on'::xid8 where job_id = :waiting;
select last_value as last_job from millrace.job_id \gset

update millrace.installation set system_identifier = system_identifier + 1;
select throws_ok($$select millrace.open_session('w', '{q}')$$, 'MR011', null, 'on another server it may not, either');
select lives_ok($$select millrace.enqueue('q', 'k')$$, 'though it takes new jobs');
select lives_ok('select millrace.adopt()', 'adopt');
select isnt(pos, :'going_on'::xid8, 'no job waits where a transaction may still insert')
  from millrace.ready where job_id = :waiting;
select is(version, pg_current_xact_id()::text::bigint, 'keys are forgotten in their time')
  from millrace.concurrency_key where key = 'ada';
select cmp_ok(millrace.enqueue('q', 'k'), '>', :last_job::bigint + 1000000000,
              'no job gets an id that the old server may have given to another');
select cmp_ok(millrace.open_session('w', '{q}'), '>', :session + 1000000, 'and no session');
select dblink_disconnect('other');
select max(id) as session from millrace.worker \gset
select lives_ok('select millrace.adopt()', 'it may be repeated');
select lives_ok(format('select millrace.heartbeat(%s)', :session), 'which ends no session');

-- What logical replication brings: rows, and sequences that have given out nothing.
select millrace.create_batch('q', 'k') as batch \g /dev/null
select millrace.create_schedule('s', '@daily', 'q', 'k') \g /dev/null
select setval(c.oid::regclass, 1, false) from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'S' and n.nspname in ('millrace', 'notify') \g /dev/null
insert into notify.digest (id, username, job_id) values (5, 'ada', 1);
select max(id) as last_job from millrace.job \gset
select max(id) as session from millrace.worker \gset
update millrace.installation set system_identifier = system_identifier + 1;
select lives_ok('select millrace.adopt()', 'adopt');
select lives_ok(format('select %s', call), call)
  from unnest(array['millrace.create_queue(''r'')', 'millrace.create_schedule(''t'', ''@daily'', ''q'', ''k'')',
                    'millrace.create_batch(''q'', ''k'')']) call;
select cmp_ok(millrace.enqueue('q', 'new kind'), '>', :last_job::bigint, 'no id of a job is given out twice');
select cmp_ok(millrace.open_session('w', '{q}'), '>', :session::int, 'nor one of a session');
select is(nextval('notify.digest_id'), 6::bigint, 'nor the number of a digest');

-- Where nobody may read the server's identifier.
revoke execute on function pg_control_system() from public;
select throws_ok($$select millrace.open_session('w', '{q}')$$, 'MR011', null, 'home is not known by it any more');
select lives_ok('select millrace.adopt()', 'adopt');
select lives_ok($$select millrace.open_session('w', '{q}')$$, 'nor needed');

-- pg_restore --clean, in the same database
update millrace.installation set table_oid = table_oid::bigint + 1;
select throws_ok($$select millrace.open_session('w', '{q}')$$, 'MR011', null, 'nor with other tables');
select last_value as last_job from millrace.job_id \gset
select lives_ok('select millrace.adopt()', 'adopt');
select cmp_ok(millrace.enqueue('q', 'k'), '>', :last_job::bigint + 1000000000,
              'no job gets an id that was given to another between the copy and its return');
select * from finish();
rollback;
