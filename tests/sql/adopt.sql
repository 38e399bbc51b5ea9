-- adopt.sql: queues that were restored or cloned hand out no job until somebody says that this copy shall work.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(19);
select millrace.create_queue('q') as q \gset
select millrace.enqueue('q', 'k') as job \gset

select lives_ok($$select millrace.open_session('w', '{q}')$$, 'at home a worker may begin');

-- What a restored database looks like: another name, another server, positions of that server, marks beyond them.
update millrace.installation set database_name = 'production';
update millrace.lane set low = '999999999999', pending = '{5}', pending_job = '{0}';
update millrace.ready set pos = '888888888888';
update millrace.low_water set seen = '{1,2}', delta_low = '999999999999', delta_pending = '{5}';
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok($$select millrace.open_session('w', '{q}')$$, 'MR011',
                 format('these queues belong to database ''production'' of another place, not to %L here',
                        current_database()), 'under another name it may not');
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
                        ('drop_given_up_at') $$,
              'the database remembers where it lives');
set local role millrace_worker;
select throws_ok('select millrace.adopt()', '42501', 'permission denied for function adopt',
                 'no worker adopts by itself');
reset role;
set local role millrace_operator;
select lives_ok('select millrace.adopt()', 'an operator does');
reset role;
select row_eq('select database_name, system_identifier from millrace.installation',
              row(current_database()::text collate "default", (select system_identifier from pg_control_system())),
              'this is its home now');
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

update millrace.installation set system_identifier = system_identifier + 1;
select throws_ok($$select millrace.open_session('w', '{q}')$$, 'MR011', null, 'on another server it may not, either');
select lives_ok($$select millrace.enqueue('q', 'k')$$, 'though it takes new jobs');
select lives_ok(format('select millrace.heartbeat(%s)', :session), 'and a session that is open goes on');
select lives_ok('select millrace.adopt()', 'adopt');
select lives_ok('select millrace.adopt()', 'may be repeated');
select * from finish();
rollback;
