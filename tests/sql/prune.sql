-- prune.sql: ledgers of the past are bounded in their growth; what may still be asked for stays.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(26);
select millrace.create_queue('q', retention => '1 day') \g /dev/null
select millrace.open_session('w', '{q}', lease => '1 min') \g /dev/null
insert into millrace.settle_receipt (job_id, fence, settled_at, outcome)
select g, g, millrace.now(), 'snoozed' from generate_series(1, 25) g;
set local role millrace_worker;
select is(millrace.prune(), 0, 'nothing is old yet');
select throws_ok(format('select millrace.prune(%s)', wrong), 'MR005', 'prune: bad max_rows', wrong)
  from unnest('{"null",0,100001}'::text[]) wrong;
reset role;
select millrace_test.advance_clock('10 min') \g /dev/null
select is(millrace.prune(), 0, 'nor is what may still be settled again, for ten leases');
select millrace_test.advance_clock('1 us') \g /dev/null
select is(millrace.prune(10), 10, 'as many as it may: there may be more');
select is(millrace.prune(10) + millrace.prune(10), 15, 'until there are no more');
select is_empty('select * from millrace.settle_receipt', 'all that were older than ten leases are gone');

-- A key that nobody has used for 100,000 transactions.
select millrace.enqueue('q', 'k', concurrency_key => key) from unnest('{idle,lately,held}'::text[]) key \g /dev/null
select millrace.follow_up_all() \g /dev/null
select millrace.cancel(id) from millrace.jobs where concurrency_key <> 'held' \g /dev/null
select millrace.follow_up_all() \g /dev/null
select is(array_agg(key order by key), '{held,idle,lately}', 'keys are remembered') from millrace.concurrency_key;
update millrace.concurrency_key set version = pg_current_xact_id()::text::bigint - 200000 where key <> 'lately';
select is(millrace.prune(), 1, 'until nobody has used them for long');
select is(array_agg(key order by key), '{held,lately}', 'one that is held stays') from millrace.concurrency_key;

-- Dead letters of a queue that keeps them for a time.
select millrace.create_queue('brief', retention => '10 years', dead_letter_retention => '2 days'),
       millrace.create_queue('kept', retention => '10 years') \g /dev/null
select millrace.open_session('w', '{brief,kept}', lease => '1 h') as session \gset
select millrace.enqueue(queue, 'k') from unnest('{brief,brief,brief,kept}'::text[]) queue \g /dev/null
select millrace.discard(c.fence, c.job_id, 'broken ' || c.job_id)
  from unnest('{brief,kept}'::text[]) queue, millrace.claim(:session, queue, 10) c \g /dev/null
create temp table letters as select job_id, queue from millrace.dead_letters;
select millrace_test.advance_clock('2 days') \g /dev/null
select millrace.prune() \g /dev/null
select is(count(*), 4::bigint, 'dead letters stay for as long as their queue says') from millrace.dead_letters;
select millrace_test.advance_clock('1 us') \g /dev/null
set local role millrace_worker;
select is(millrace.prune(2), 2, 'then as many go as may');
select is(millrace.prune(2), 1, 'until there are no more');
reset role;
select is(queue, 'kept', 'a queue that says nothing keeps them for ever') from millrace.dead_letters;
select results_eq($$ select state, error, finished_at, worker from millrace.jobs where queue = 'brief' order by id $$,
                  $$ select 'cancelled', 'kept for 2 days as a dead letter: broken ' || job_id, millrace.now(), 'w'
                       from letters where queue = 'brief' order by job_id $$, 'the jobs have ended, and say why');
select results_eq($$ select who, detail, affected from millrace.operator_action
                      where action = 'dead_letter_retention' order by affected desc $$,
                  format($$ values (%L collate "default", '{"queue": "brief", "kept_for": "2 days"}'::jsonb, 2::bigint),
                                   (%L, '{"queue": "brief", "kept_for": "2 days"}', 1) $$, session_user, session_user),
                  'the book says how many');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues where name = 'brief'
                   except select * from millrace_test.counted('brief') $$, 'the counts follow');
select is(millrace.configure_queue('kept', '{"dead_letter_retention": "1 day"}'),
          '{"dead_letter_retention": {"from": null, "to": "1 day"}}', 'a queue may come to keep them for a time');
select is(dead_letter_retention, '1 day', 'which the view shows') from millrace.queues where name = 'kept';
select millrace.prune() \g /dev/null
select is_empty('select from millrace.dead_letter', 'which holds for those that are there');
select throws_ok(format('select millrace.configure_queue(''kept'', ''{"dead_letter_retention": "%s"}'')', bad), 'MR005',
                 'configure_queue: bad dead_letter_retention', 'not ' || bad)
  from unnest('{23 h,11 years,71582788 months -2147483640 days}'::text[]) bad;

-- A batch that has finished long ago, but for the job that follows.
insert into millrace.batch (queue_id, payload, priority, created_at, finished_at, callback_job)
select q.id, '{}', 5, millrace.now(), millrace.now() - interval '20 years', v.job
  from millrace.queue q, (values (4711), (4712), (4713), (null)) v(job) where q.name = 'q';
insert into millrace.scheduled (run_at, job_id, stored_on, queue_id, priority, waits_for)
select millrace.now(), 4711, current_date, q.id, 5, 'retry' from millrace.queue q where q.name = 'q';
insert into millrace.dead_letter (job_id, discarded_at, stored_on, queue_id, priority, attempt, error)
select 4712, millrace.now(), current_date, q.id, 5, 1, 'broken' from millrace.queue q where q.name = 'q';
select millrace.prune() \g /dev/null
select is(array_agg(callback_job order by callback_job), '{4711,4712}', 'stays while that may still be run') from millrace.batch;
delete from millrace.scheduled;
delete from millrace.dead_letter where job_id = 4712;
select millrace.prune() \g /dev/null
select is_empty('select from millrace.batch', 'and goes with it');

select * from finish();
rollback;
