-- configure_queue.sql: what is changed about a queue at work; pause; max_running; what is refused.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(84);
select millrace.create_queue('q') as q, millrace.create_queue('other', max_running => 3, key_limit => 4) as other \gset
select millrace.open_session('w', '{q,other}') as session \gset

create function pg_temp.claim(queue text default 'q', max_jobs int default 10)
returns text
language sql
as $$
    select coalesce(string_agg(c.kind, ' ' order by c.job_id), 'nothing')
      from millrace.claim((select max(w.id) from millrace.worker w), queue, max_jobs) c
$$;
create function pg_temp.settle(name text, outcome text default 'completed')
returns bigint[]
language sql
as $$
    select millrace.settle_many(array[r.job_id], array[r.fence], array[outcome], array['e'], array[interval '10 s'])
      from millrace.running r join millrace.job j on j.id = r.job_id where j.kind = name
$$;

-- The settings.
select row_eq($$ select max_running, key_limit, paused_at from millrace.queues where name = 'q' $$,
              row(null::int, 1, null::timestamptz), 'a new queue is not limited, its keys are to 1');
select row_eq($$ select max_running, key_limit from millrace.queues where name = 'other' $$, row(3, 4),
              'unless it was created so');
set local role millrace_operator;
select is(millrace.configure_queue('q', '{"max_attempts": 3, "timeout": "5 minutes", "retry_base": "2 s"}'),
          '{"max_attempts": {"from": 10, "to": 3}, "timeout": {"from": null, "to": "00:05:00"},
            "retry_base": {"from": "00:00:05", "to": "00:00:02"}}', 'it says what has changed');
select is(millrace.configure_queue('q', '{"max_attempts": 3, "timeout": "300 s"}'), '{}', 'and what has not');
select is(millrace.configure_queue('q', '{}'), '{}', 'nothing is nothing');
reset role;
select row_eq($$ select at, who, action, detail from millrace.operator_action where action = 'configure_queue' $$,
              row(millrace.now(), session_user::text collate "default", 'configure_queue'::text,
                  '{"queue": "q", "changed": {"max_attempts": {"from": 10, "to": 3},
                                              "timeout": {"from": null, "to": "00:05:00"},
                                              "retry_base": {"from": "00:00:05", "to": "00:00:02"}}}'::jsonb),
              'the book says it once');
select row_eq($$ select max_attempts, timeout, retry_base, retry_cap, max_payload_bytes, retention
                   from millrace.queues where name = 'q' $$,
              row(3::smallint, interval '5 min', interval '2 s', interval '1 h', 1048576, interval '7 days'),
              'what was not named stays');
select is(millrace.configure_queue('q', '{"timeout": null}') ->> 'timeout' is not null, true, 'null is a value');
select is(timeout, null, 'of those that may be without') from millrace.queues where name = 'q';
select is(millrace.configure_queue('q', '{"retry_cap": "2 h", "max_payload_bytes": 10, "retention": "1 day"}')
            - '{retry_cap,max_payload_bytes,retention}'::text[], '{}', 'the other settings');
select throws_ok($$ select millrace.enqueue('q', 'x', '"0123456789"') $$, 'MR004', null, 'hold for what comes');
select millrace.configure_queue('q', '{"max_payload_bytes": 100}') \g /dev/null
select id as job from millrace.enqueue('q', 'tried') id \gset
select is(max_attempts, 3::smallint, 'as do attempts') from millrace.jobs where id = :job;
select millrace.configure_queue('q', '{"max_attempts": 9}') \g /dev/null
select is(max_attempts, 3::smallint, 'but not for what is there') from millrace.jobs where id = :job;
select pg_temp.claim() \g /dev/null
select pg_temp.settle('tried', 'failed') \g /dev/null
select millrace.cancel(:job) \g /dev/null

-- max_running.
select millrace.enqueue('q', 'a' || n) from generate_series(1, 6) n \g /dev/null
select millrace.configure_queue('q', '{"max_running": 2}') \g /dev/null
select is(pg_temp.claim(), 'a1 a2', 'a queue that is limited to 2 runs 2');
select is(pg_temp.claim(), 'nothing', 'not 3');
select pg_temp.settle('a1') \g /dev/null
select is(pg_temp.claim(), 'a3', 'as many as there is room for');
select pg_temp.settle('a2', 'snoozed'), pg_temp.settle('a3', 'released') \g /dev/null
select is(pg_temp.claim('q', 1), 'a3', 'a claim asks for no more than it wants');
select is(pg_temp.claim(), 'a4', 'what waits for its time has no place');
select millrace.configure_queue('q', '{"max_running": 1}') \g /dev/null
select is((select running from millrace.queues where name = 'q'), 2::bigint, 'a limit that is lowered stops nobody');
select pg_temp.settle('a3') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'nobody starts');
select pg_temp.settle('a4') \g /dev/null
select is(pg_temp.claim(), 'a5', 'until enough have ended');
select millrace.fold_counts() \g /dev/null
select is(pg_temp.claim(), 'nothing', 'folded counts count');
select millrace.enqueue('other', 'b' || n) from generate_series(1, 4) n \g /dev/null
select is(pg_temp.claim('other'), 'b1 b2 b3', 'another queue has its own limit');
select millrace_test.advance_clock('31 s') \g /dev/null
select millrace.reap() \g /dev/null
select millrace.open_session('w', '{q,other}') \g /dev/null
select is(pg_temp.claim(), 'a5', 'what was reaped makes room, and takes it');
select millrace.configure_queue('q', '{"max_running": null}') \g /dev/null
select is(pg_temp.claim(), 'a6', 'without a limit all may run');
select pg_temp.settle(n) from unnest('{a5,a6}'::text[]) n \g /dev/null

-- Pause.
select millrace.enqueue('q', 'c1') \g /dev/null
select pg_temp.claim() \g /dev/null
set local role millrace_operator;
select is(millrace.pause_queue('q'), millrace.now(), 'a queue is paused');
reset role;
select millrace_test.advance_clock('1 s') \g /dev/null
select is(millrace.pause_queue('q'), millrace.now() - interval '1 s', 'once');
select is(paused_at, millrace.now() - interval '1 s', 'the view says since when') from millrace.queues where name = 'q';
select millrace.enqueue('q', 'c' || n, concurrency_key => k) from (values (2, null), (3, 'k')) v(n, k) \g /dev/null
select is(pg_temp.claim(), 'nothing', 'nothing is claimed from it');
select is(pg_temp.settle('c1'), '{}', 'what runs is settled');
select is(available, 2::bigint, 'what comes waits, notes are read') from millrace.queues where name = 'q';
select isnt(pg_temp.claim('other'), 'nothing', 'other queues go on');
set local role millrace_operator;
select is(millrace.resume_queue('q'), true, 'resumed');
select is(millrace.resume_queue('q'), false, 'once');
reset role;
select is(pg_temp.claim(), 'c2 c3', 'it goes on');
select results_eq($$ select action, detail from millrace.operator_action where action ~ '(pause|resume)' $$,
                  $$ values ('pause_queue', '{"queue": "q"}'::jsonb), ('resume_queue', '{"queue": "q"}') $$,
                  'the book says so');

-- Limits of keys.
set local role millrace_operator;
select millrace.limit_key('q', 'k', 5) \g /dev/null
select millrace.limit_key('q', 'k', 6) \g /dev/null
reset role;
select results_eq('select key, max_held from millrace.key_limit', $$ values ('k', 6) $$, 'a key has one limit');
select is(key_limit, 6, 'which is shown') from millrace.blocked_keys;
set local role millrace_operator;
select millrace.limit_key('other', 'unused', null, '2 per second') \g /dev/null
select results_eq('select queue, key, max_held, rate, burst from millrace.key_limits order by queue desc',
                  $$ values ('q', 'k', 6, null, null), ('other', 'unused', null, '2 per second', null::int) $$,
                  'beside those of keys that are not in use');
select millrace.limit_key('other', 'unused', null), millrace.limit_key('q', 'k', null) \g /dev/null
reset role;
select is_empty('select from millrace.key_limits', 'or none of its own');
select is(count(*), 3::bigint, 'in the book, too') from millrace.operator_action
 where action = 'limit_key' and detail @> '{"queue": "q", "key": "k"}';

-- Refusals.
select pg_temp.settle(n) from unnest('{c2,c3}'::text[]) n \g /dev/null
select millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.configure_queue(''q'', %s)', changes), 'MR005',
                 'configure_queue: bad ' || named,
                 changes)
  from (values ('null', 'changes'), ($$'[]'$$, 'changes'), ($$'"x"'$$, 'changes'), ($$'3'$$, 'changes'),
               ($$'{"name": "x"}'$$, 'changes: no setting ''name'''), ($$'{"id": 3}'$$, 'changes: no setting ''id'''),
               ($$'{"max_running": 1, "no_such": 3}'$$, 'changes: no setting ''no_such'''),
               ($$'{"paused_at": null}'$$, 'changes: no setting ''paused_at'''),
               ($$'{"max_running": "many"}'$$, 'changes: invalid input syntax for type integer: "many"'),
               ($$'{"max_running": 1.5}'$$, 'changes: invalid input syntax for type integer: "1.5"'),
               ($$'{"max_attempts": 99999}'$$, 'changes: value "99999" is out of range for type smallint'),
               ($$'{"timeout": "soon"}'$$, 'changes: invalid input syntax for type interval: "soon"'),
               ($$'{"max_attempts": null}'$$, 'max_attempts'), ($$'{"max_attempts": 0}'$$, 'max_attempts'),
               ($$'{"timeout": "0"}'$$, 'timeout'), ($$'{"timeout": "31 days"}'$$, 'timeout'),
               ($$'{"timeout": "71582788 months -2147483640 days 1 s"}'$$, 'timeout'),
               ($$'{"retry_base": "2 days"}'$$, 'retry_base'), ($$'{"retry_cap": "1 s"}'$$, 'retry_cap'),
               ($$'{"max_payload_bytes": 1}'$$, 'max_payload_bytes'), ($$'{"retention": "1 h"}'$$, 'retention'),
               ($$'{"max_running": 0}'$$, 'max_running'), ($$'{"max_running": -1}'$$, 'max_running'),
               ($$'{"max_running": 1000001}'$$, 'max_running'), ($$'{"key_limit": 0}'$$, 'key_limit'),
               ($$'{"key_limit": null}'$$, 'key_limit'), ($$'{"key_limit": 1000001}'$$, 'key_limit')) bad
       (changes, named);
select throws_ok(format('select millrace.limit_key(''q'', %s)', arguments), 'MR005', 'limit_key: bad ' || named,
                 arguments)
  from (values ('null, 1', 'key'), ($$'', 1$$, 'key'), ($$repeat('k', 201), 1$$, 'key'), ($$'k', 0$$, 'max_held'),
               ($$'k', -1$$, 'max_held'), ($$'k', 1000001$$, 'max_held')) bad(arguments, named);
select throws_ok(call, 'MR003', 'unknown queue ''nowhere''', call)
  from (values ($$ select millrace.configure_queue('nowhere', '{}') $$), ($$ select millrace.pause_queue('nowhere') $$),
               ($$ select millrace.resume_queue('nowhere') $$),
               ($$ select millrace.limit_key('nowhere', 'k', 1) $$)) c(call);
select throws_ok(format('select millrace.create_queue(''x'', %s)', arguments), 'MR005', 'create_queue: bad ' || named,
                 arguments)
  from (values ('max_running => 0', 'max_running'), ('max_running => 1000001', 'max_running'),
               ('key_limit => 0', 'key_limit'), ('key_limit => null', 'key_limit')) bad(arguments, named);
select is(millrace_test.fingerprint(), :'before'::text, 'nothing is left of any of them');
select lives_ok($$ select millrace.configure_queue('q', '{"max_running": 1000000, "key_limit": 1000000}') $$,
                'the most');

select * from finish();
rollback;
