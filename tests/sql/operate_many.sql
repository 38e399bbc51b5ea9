-- operate_many.sql: retry_many, replay_many, cancel_many and discard_many: what a filter chooses, what becomes of it,
-- what is skipped, what is refused.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(110);
select millrace.create_queue('q', max_attempts => 3, retry_base => '1 h', retry_cap => '1 h') as q,
       millrace.create_queue('other') as other \gset
select millrace.open_session('w', '{q,other}') as session \gset

-- Jobs are named by their payload. Those of state failed wait for their retry.
create function pg_temp.make(name text, state text, kind text default 'k', error text default 'boom',
                             queue text default 'q', key text default null, unique_key text default null,
                             batch bigint default null)
returns bigint
language plpgsql
as $$
declare
    fence bigint;
    job bigint;
begin
    if unique_key is not null then
        job := id from millrace.enqueue_unique(queue, kind, to_jsonb(name), unique_key, priority => 0);
    else
        job := millrace.enqueue(queue, kind, to_jsonb(name), priority => 0, concurrency_key => key, batch => batch,
                                delay => case state when 'scheduled' then interval '1 h' end);
    end if;
    if state in ('failed', 'snoozed', 'running', 'completed', 'dead') then
        select c.fence into strict fence
          from millrace.claim((select max(id) from millrace.worker), queue, 100) c
         where c.job_id = job;
        perform case state when 'failed' then millrace.fail(fence, job, error)::text
                           when 'snoozed' then millrace.snooze(fence, job, '1 h')::text
                           when 'completed' then millrace.complete(fence, job)::text
                           when 'dead' then millrace.discard(fence, job, error)::text end;
    end if;
    return job;
end
$$;
create function pg_temp.names(state text, queue text default 'q')
returns text
language sql
as $$
    select coalesce(string_agg(j.payload #>> '{}', ' ' order by j.id), '') from millrace.jobs j
     where j.state = names.state and j.queue = names.queue
$$;
create function pg_temp.job(name text)
returns bigint
language sql
as $$ select j.id from millrace.job j where j.payload = to_jsonb(name) order by j.id desc limit 1 $$;
create function pg_temp.dry(filter text, action text default 'replay_many')
returns text
language plpgsql
as $$
declare
    answer record;
begin
    execute format('select * from millrace.%I(''q'', %L)', action, filter) into answer;
    return format('%s %s %s %s', answer.matched, answer.changed, answer.skipped, answer.more);
end
$$;

-- Replay: dry run, filters, one after the other.
select pg_temp.make(n, 'dead', kind => k, error => e)
  from (values ('d1', 'mail', '421 try later'), ('d2', 'mail', '550 unknown user'), ('d3', 'report', '421 busy')) d(n, k, e)
 \g /dev/null
select pg_temp.make('o1', 'dead', queue => 'other') \g /dev/null
select millrace_test.advance_clock('1 day') \g /dev/null
select millrace.open_session('w', '{q,other}') \g /dev/null
select pg_temp.make('d4', 'dead', kind => 'report', error => '421 late') \g /dev/null
select pg_temp.make(s, s) from unnest('{scheduled,failed,snoozed,running,completed,available}'::text[]) s \g /dev/null
select millrace_test.fingerprint() as before \gset
set local role millrace_operator;
select is(pg_temp.dry(filter), answer, 'replay_many: ' || filter)
  from (values ('{"all": true}', '4 0 0 f'), ('{"kind": "mail"}', '2 0 0 f'), ('{"kind": "nail"}', '0 0 0 f'),
               ('{"error": "421%"}', '3 0 0 f'), ('{"error": "421%", "kind": "report"}', '2 0 0 f'),
               ('{"error": "421"}', '0 0 0 f'), ('{"error": "4_1 busy"}', '1 0 0 f'), ('{"error": "%" }', '4 0 0 f'),
               ('{"older_than": "1 hour"}', '3 0 0 f'), ('{"newer_than": "1 hour"}', '1 0 0 f'),
               ('{"older_than": "1 day"}', '3 0 0 f'), ('{"newer_than": "1 day"}', '1 0 0 f'),
               ('{"older_than": "1 hour", "newer_than": "2 days"}', '3 0 0 f'), ('{"older_than": "2 days"}', '0 0 0 f'),
               ('{"jobs": [1, 3, 77777]}', '2 0 0 f'), ('{"jobs": [4]}', '0 0 0 f'),
               ('{"error": "back\\slash\\"}', '0 0 0 f')) f(filter, answer);
select is(pg_temp.dry(filter, 'retry_many'), answer, 'retry_many: ' || filter)
  from (values ('{"all": true}', '1 0 0 f'), ('{"error": "boom"}', '1 0 0 f'), ('{"error": "421%"}', '0 0 0 f'),
               ('{"older_than": "1 s"}', '0 0 0 f'), ('{"older_than": "0"}', '1 0 0 f')) f(filter, answer);
select is(pg_temp.dry(filter, 'cancel_many'), answer, 'cancel_many: ' || filter)
  from (values ('{"all": true}', '5 0 0 f'), ('{"state": "available"}', '1 0 0 f'),
               ('{"state": "scheduled"}', '3 0 0 f'), ('{"state": "blocked"}', '0 0 0 f'),
               ('{"state": "running"}', '1 0 0 f'), ('{"error": "boom"}', '1 0 0 f')) f(filter, answer);
select is(pg_temp.dry('{"kind": "mail"}', 'discard_many'), '2 0 0 f', 'discard_many looks for dead letters, too');
select row_eq($$ select * from millrace.replay_many('q', '{"all": true}', 2) $$, row(2, 0, 0, true),
              'no more than so many, and it says that there are more');
select row_eq($$ select * from millrace.replay_many('q', '{"all": true}', 4) $$, row(4, 0, 0, false),
              'or that there are not');
select row_eq($$ select * from millrace.replay_many('q', '{"all": true}', 4, null) $$, row(4, 0, 0, false),
              'what is not a no is a dry run');
reset role;
select is(millrace_test.fingerprint(), :'before'::text, 'a dry run changes nothing');

set local role millrace_operator;
select row_eq($$ select * from millrace.replay_many('q', '{"kind": "mail"}', dry_run => false) $$, row(2, 2, 0, false),
              'replayed');
select row_eq($$ select * from millrace.replay_many('q', '{"kind": "mail"}', dry_run => false) $$, row(0, 0, 0, false),
              'once');
reset role;
select is(pg_temp.names('available'), 'd1 d2 available', 'they are available');
select is(pg_temp.names('discarded'), 'd3 d4', 'the others are where they were');
select is(pg_temp.names('discarded', 'other'), 'o1', 'as are those of other queues');
select is_empty('select from millrace.ready where attempt > 0', 'with all their attempts again');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues where name = 'q'
                   except select * from millrace_test.counted('q') $$, 'the counts follow');
select row_eq($$ select at, who, action, detail, affected from millrace.operator_action where action ~ 'repl' $$,
              row(millrace.now(), session_user::text collate "default", 'replay_many'::text,
                  jsonb_build_object('queue', 'q', 'filter', '{"kind": "mail"}'::jsonb,
                                     'jobs', array[pg_temp.job('d1'), pg_temp.job('d2')]), 2::bigint),
              'one line in the book says who, which and how many');

-- Retry.
select row_eq($$ select * from millrace.retry_many('q', '{"error": "b%"}', dry_run => false) $$, row(1, 1, 0, false),
              'what waits for its retry is made available');
select is(pg_temp.names('scheduled'), 'scheduled snoozed', 'what was scheduled or snoozes is not');
select is(attempt, 1::smallint, 'its attempt counts') from millrace.ready where job_id = pg_temp.job('failed');

-- Cancel.
select millrace.enqueue('q', 'keyed', to_jsonb('k' || n), concurrency_key => 'ann') from generate_series(1, 3) n
 \g /dev/null
select from millrace.follow_up_all() \g /dev/null
select is(pg_temp.dry('{"kind": "keyed", "state": "blocked"}', 'cancel_many'), '2 0 0 f', 'what is blocked is found');
select row_eq($$ select * from millrace.cancel_many('q', '{"kind": "keyed"}', 2, false, 'not wanted') $$,
              row(2, 2, 0, true), 'cancelled, as many as were to be');
select row_eq($$ select * from millrace.cancel_many('q', '{"kind": "keyed"}', 2, false, 'not wanted') $$,
              row(1, 1, 0, false), 'the rest');
select results_eq($$ select distinct state, error from millrace.jobs where kind = 'keyed' $$,
                  $$ values ('cancelled', 'not wanted') $$, 'with the reason');
select from millrace.follow_up_all() \g /dev/null
select is(held, 0, 'their slots are free') from millrace.concurrency_key where key = 'ann' order by version desc limit 1;
select row_eq($$ select * from millrace.cancel_many('q', '{"all": true}', dry_run => false) $$, row(7, 7, 0, false),
              'all that waits or runs');
select is(pg_temp.names('cancelled'), 'd1 d2 scheduled failed snoozed available k1 k2 k3', 'what waits has ended');
select is(requested_by, session_user::text, 'what runs is asked to stop') from millrace.cancel_request
 where job_id = pg_temp.job('running');
select row_eq($$ select * from millrace.cancel_many('q', '{"all": true}', dry_run => false) $$, row(0, 0, 0, false),
              'once');
select is(detail ->> 'reason', 'not wanted', 'the book has the reason') from millrace.operator_action
 where action = 'cancel_many' and affected = 1;

-- Unique jobs and batches.
select pg_temp.make('u1', 'dead', unique_key => 'u') \g /dev/null
select pg_temp.make('u2', 'dead', unique_key => 'u') \g /dev/null
select pg_temp.make('u3', 'dead') \g /dev/null
select row_eq($$ select * from millrace.replay_many('q', '{"jobs": [1, 2]}', dry_run => false) $$, row(0, 0, 0, false),
              'what is no dead letter is not looked at');
select row_eq(format($$ select * from millrace.replay_many('q', '{"jobs": [%s, %s]}', dry_run => false) $$,
                     pg_temp.job('u1'), pg_temp.job('u2')), row(2, 1, 1, false),
              'of two dead letters with the same unique key one comes back');
select is(pg_temp.names('available'), 'u1', 'the other stays');
select is(pg_temp.names('discarded'), 'd3 d4 u2 u3', 'where it was');
select row_eq($$ select * from millrace.replay_many('q', '{"kind": "k"}', 1, false) $$,
              row(1, 1, 0, true), 'and is in no other''s way');
select is(pg_temp.names('available'), 'u1 u3', 'which comes back');
select row_eq($$ select * from millrace.replay_many('q', '{"kind": "k"}', 1) $$, row(1, 0, 0, false),
              'it is there still');
select millrace.cancel(pg_temp.job('u3')) \g /dev/null
select is(millrace.cancel(pg_temp.job('u1')), 'cancelled', 'until the key is free');
select row_eq($$ select * from millrace.replay_many('q', '{"kind": "k"}', dry_run => false) $$, row(1, 1, 0, false),
              'then it comes back, too');
select millrace.cancel(pg_temp.job('u2')) \g /dev/null
select millrace.create_batch('q', kind => 'callback') as batch \gset
select pg_temp.make('b1', 'dead', kind => 'member', batch => :batch) \g /dev/null
select millrace.close_batch(:batch) \g /dev/null
select row_eq($$ select * from millrace.replay_many('q', '{"kind": "member"}', dry_run => false) $$,
              row(1, 1, 0, false), 'a member of a batch is replayed');
select from millrace.follow_up_all() \g /dev/null
select is(state, 'closed', 'and waited for again') from millrace.batches where id = :batch;
select row_eq($$ select * from millrace.cancel_many('q', '{"kind": "member"}', dry_run => false) $$,
              row(1, 1, 0, false), 'cancelled');
select from millrace.follow_up_all() \g /dev/null
select is(state, 'finished', 'it finishes the batch') from millrace.batches where id = :batch;

-- Discard.
select row_eq($$ select * from millrace.discard_many('q', '{"error": "421 late"}', 10, false, 'ticket 7') $$,
              row(1, 1, 0, false), 'a dead letter is thrown away');
select row_eq($$ select state, error, fence, attempt, worker from millrace.jobs where payload = '"d4"' $$,
              row('cancelled'::text, 'ticket 7: 421 late'::text, null::bigint, 1::smallint, 'w'::text),
              'it has ended, and says why it was one');
select millrace.discard_many('q', '{"all": true}', dry_run => false) \g /dev/null
select is(error, 'thrown away: 421 busy', 'a reason need not be given') from millrace.jobs where payload = '"d3"';
select is(dead, 0::bigint, 'none is left') from millrace.queues where name = 'q';
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues where name = 'q'
                   except select * from millrace_test.counted('q') $$, 'the counts follow');
select throws_ok(format('select millrace.replay(%s)', pg_temp.job('d3')), 'MR007', null, 'it cannot be replayed');
select results_eq($$ select detail -> 'filter', detail -> 'jobs', affected from millrace.operator_action
                      where action = 'discard_many' order by 1 $$,
                  format($$ values ('{"all": true}'::jsonb, '[%s]'::jsonb, 1::bigint),
                                   ('{"error": "421 late"}', '[%s]', 1) $$, pg_temp.job('d3'), pg_temp.job('d4')),
                  'the book remembers who did it to which');
select cause, why from millrace.explain_job(pg_temp.job('d3')) \gset
select is(:'cause' || :'why' ~ 'thrown away: 421 busy', true, 'explain_job says what became of it');

-- Refusals.
select millrace_test.fingerprint() as before \gset
set local role millrace_operator;
select throws_ok(format('select millrace.%I(''q'', %s, dry_run => false)', action, filter), 'MR005',
                 action || ': bad filter', filter)
  from (values ('replay_many', 'null'), ('retry_many', $$'[]'$$), ('cancel_many', $$'"x"'$$),
               ('discard_many', $$'{}'$$), ('cancel_many', $$'{}'$$), ('replay_many', $$'{"all": false}'$$),
               ('replay_many', $$'{"all": true, "kind": "k"}'$$), ('replay_many', $$'{"queue": "q"}'$$),
               ('replay_many', $$'{"state": "discarded"}'$$), ('cancel_many', $$'{"state": "completed"}'$$),
               ('cancel_many', $$'{"state": ["running"]}'$$), ('replay_many', $$'{"kind": ""}'$$),
               ('replay_many', $$'{"kind": null}'$$), ('replay_many', $$'{"kind": 5}'$$),
               ('replay_many', $$'{"error": ""}'$$), ('replay_many', $$'{"error": ["x"]}'$$),
               ('replay_many', $$'{"older_than": "soon"}'$$), ('replay_many', $$'{"older_than": "-1 s"}'$$),
               ('replay_many', $$'{"older_than": null}'$$), ('replay_many', $$'{"newer_than": "11 years"}'$$),
               ('replay_many', $$'{"newer_than": "71582788 months -2147483640 days"}'$$),
               ('replay_many', $$'{"jobs": []}'$$), ('replay_many', $$'{"jobs": 5}'$$),
               ('replay_many', $$'{"jobs": [null]}'$$), ('replay_many', $$'{"jobs": ["x"]}'$$),
               ('replay_many', $$'{"jobs": [1.5]}'$$)) bad(action, filter);
select throws_ok(format('select millrace.replay_many(''q'', ''{"all": true}'', %L)', n), 'MR005',
                 'replay_many: bad max_jobs', 'max_jobs ' || n) from unnest('{0,-1,10001,null}'::text[]) u(n);
select throws_ok(format('select millrace.%I(''q'', ''{"all": true}'', reason => repeat(''r'', 1001))', action),
                 'MR005', action || ': bad reason', 'a reason of 1001 characters')
  from unnest('{cancel_many,discard_many}'::text[]) action;
select throws_ok($$ select millrace.retry_many('nowhere', '{"all": true}') $$, 'MR003', null, 'an unknown queue');
reset role;
select is(millrace_test.fingerprint(), :'before'::text, 'nothing is left of any of them');
select lives_ok($$ select millrace.cancel_many('q', jsonb_build_object('jobs', array(select generate_series(1, 10000)),
                                                                       'kind', repeat('k', 100), 'older_than', '10 years',
                                                                       'error', repeat('e', 1000)), 10000, false,
                                               repeat('r', 1000)) $$, 'the most');

select * from finish();
rollback;
