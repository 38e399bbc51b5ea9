-- settle.sql: what becomes of running jobs, once, and only by the fence that holds them.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(43);
select millrace.create_queue('q', max_attempts => 2, retry_base => '10 s'), millrace.create_queue('next') \g /dev/null
select millrace.open_session('w', '{q}') as session \gset
select millrace.enqueue_many('q', 'k', array(select to_jsonb(g) from generate_series(1, 8) g)) \g /dev/null

-- Mixed outcomes in one call. Job 3 is in its last attempt.
update millrace.ready set attempt = 1 where job_id = 3;
create temp table held as select row_number() over () as n, c.* from millrace.claim(:session, 'q', 8) c;
grant select on held to millrace_worker;
select millrace_test.advance_clock('3 s') as at \gset
create temp view mixed as
select array_agg(job_id order by n) as jobs, array_agg(fence order by n) as fences,
       '{completed,failed,failed,snoozed,discarded,released,failed}'::text[] as outcomes,
       '{null,boom,bang,null,bad,null,slow}'::text[] as errors,
       '{null,null,null,1 h,null,null,5 min}'::interval[] as delays,
       array['{"sent": 1}', null, null, null, null, null, null]::jsonb[] as results
  from held where n <= 7;
grant select on mixed to millrace_worker;
set local role millrace_worker;
select is(millrace.settle_many(jobs, fences, outcomes, errors, delays, results), '{}', 'seven jobs, each its own way')
  from mixed;
reset role;

select results_eq('select id::int, state, attempt::int, error from millrace.jobs order by id',
                  $$ values (1, 'completed', 1, null), (2, 'scheduled', 1, 'boom'), (3, 'discarded', 2, 'bang'),
                            (4, 'scheduled', 0, null), (5, 'discarded', 1, 'bad'), (6, 'available', 0, null),
                            (7, 'scheduled', 1, 'slow'), (8, 'running', 1, null) $$,
                  'is in the state it was settled to');
select row_eq('select outcome::text, result, attempt, worker, fence, finished_at, claimed_at from millrace.finished',
              (select row('completed'::text, '{"sent": 1}'::jsonb, 1::smallint, :session, fence, :'at'::timestamptz,
                          :'at'::timestamptz - interval '3 s') from held where n = 1), 'completed: with its result');
select ok(run_at - :'at'::timestamptz between interval '8 s' and interval '12 s', 'failed: after the queue''s backoff')
  from millrace.scheduled where job_id = 2;
select results_eq($$ select job_id::int, run_at, waits_for from millrace.scheduled where job_id <> 2 order by 1 $$,
                  format($$ values (4, %L::timestamptz, 'snooze'), (7, %L, 'retry') $$,
                         :'at'::timestamptz + interval '1 h',
                         :'at'::timestamptz + interval '5 min'), 'snoozed, or failed with a delay: after that');
select results_eq('select job_id::int, attempt::int, discarded_at, worker from millrace.dead_letter order by 1',
                  format('values (3, 2, %1$L::timestamptz, %2$s), (5, 1, %1$L, %2$s)', :'at', :session),
                  'discarded, or failed for the last time: a dead letter');
select results_eq('select job_id::int, attempt::int, outcome, error, failed_at, next_run_at is null
                     from millrace.attempt_failure order by 1',
                  format($$ values (2, 1, 'failed', 'boom', %1$L::timestamptz, false),
                                   (3, 2, 'failed', 'bang', %1$L, true),
                                   (5, 1, 'discarded', 'bad', %1$L, true),
                                   (7, 1, 'failed', 'slow', %1$L, false) $$, :'at'),
                  'each failure is kept');
select results_eq('select job_id::int, outcome from millrace.settle_receipt order by 1',
                  $$ values (4, 'snoozed'), (6, 'released') $$, 'what leaves no other trace leaves a receipt');
select set_eq('select distinct fence from (select job_id, fence from millrace.finished union all
                 select job_id, fence from millrace.scheduled union all select job_id, fence from millrace.dead_letter
                 union all select job_id, fence from millrace.settle_receipt) settled',
              'select distinct fence from held', 'every row bears the fence that wrote it');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                    where name = 'q' except select * from millrace_test.counted('q') $$, 'the counts follow');
select is(failed, 4::bigint, 'failures are counted') from millrace.queues where name = 'q';

-- Repeated, late, foreign.
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select is(millrace.settle_many(jobs, fences, outcomes, errors, delays, results), '{}', 'a repeated settle is accepted')
  from mixed;
select is(millrace.settle_many(jobs[n:n], fences[n:n], outcomes[n:n], errors[n:n], delays[n:n]), '{}',
          'also one by one: ' || outcomes[n]) from mixed, generate_series(1, 7) n;
select results_eq($$ select n::int, millrace.settled_as(fence, job_id) from held order by n $$,
                  $$ values (1, 'completed'), (2, 'failed'), (3, 'failed'), (4, 'snoozed'), (5, 'discarded'),
                            (6, 'released'), (7, 'failed'), (8, null) $$, 'settled_as says what each was settled as');
select is(millrace.settled_as(fence + 1, job_id), null, 'and nothing to another fence') from held where n = 1;
select is(millrace.settle_many(jobs, fences, array_fill(other, '{7}'), array_fill('e'::text, '{7}'),
                               array_fill(interval '1 h', '{7}')),
          (select array_agg(job_id order by n) from held where n <= 7 and other <> outcomes[n]),
          'the same fence with another outcome holds nothing: ' || other)
  from mixed, unnest('{completed,failed,snoozed,discarded,released}'::text[]) other;
select is(millrace.settle_many(array_agg(job_id order by n), array_agg(fence + 1 order by n)),
          array_agg(job_id order by n),
          'nor does another fence, even of a running job') from held;
select is(millrace.settle_many('{77777}', '{1}'), '{77777}', 'nobody holds a job that there is not');
reset role;
select is(millrace_test.fingerprint(), :'before', 'and nothing of it changes anything');

-- Partly held: the others are settled.
select is(millrace.settle_many(array[8, 5, 77777], array[fence, fence, fence]), '{5,77777}',
          'the ids not held come back in their order, the held one is settled') from held where n = 8;
select is(state, 'completed', 'outcomes null: completed') from millrace.jobs where id = 8;

-- A job that was given to another.
select job_id as job, fence as stale from millrace.claim(:session, 'q') \gset
select millrace_test.advance_clock('1 minute'), millrace.reap() \g /dev/null
select is(millrace.settle_many(array[:job], array[:stale]), array[:job]::bigint[], 'a reaped attempt is not settled');
select is(millrace.settled_as(:stale, :job), null, 'being reaped is no settle');
select millrace.open_session('w2', '{q}') as session \gset
select fence from millrace.claim(:session, 'q') \gset
select is(millrace.settle_many(array[:job], array[:stale]), array[:job]::bigint[], 'nor once another runs the job');
select is(millrace.settle_many(array[:job], array[:stale], '{released}'), array[:job]::bigint[],
          'whatever the outcome');
select is(state, 'running', 'which runs on') from millrace.jobs where id = :job;
select is(millrace.settle_many(array[:job], array[:fence]), '{}', 'until the fence that holds it settles it');

-- Results and errors of any size, and many at once.
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[1000])) \g /dev/null
create temp table many as select job_id, fence from millrace.claim(:session, 'q', 1000);
select is(millrace.settle_many(array_agg(job_id order by job_id desc), array_agg(fence order by job_id desc),
                               array_fill('failed'::text, '{1000}'), array_fill(repeat('ä', 10001), '{1000}'),
                               array_fill(interval '0', '{1000}'), null), '{}', 'a thousand at once, in any order')
  from many;
select is(array_agg(distinct length(error)), '{10000}', 'of an error 10,000 characters are kept')
  from millrace.attempt_failure where length(error) > 100;
select is(promoted, 1000, 'a retry without delay is due at once') from millrace.promote();
select is(millrace.settle_many(array[job_id], array[fence], results => array[to_jsonb(repeat('r', 1048574))]), '{}',
          'a result of 1 MiB') from millrace.claim(:session, 'q');
select is(millrace.settle_many('{}', '{}'), '{}', 'nothing to settle');
select is(millrace.settle_many('{}', '{}', '{}', '{}', '{}', '{}', '[]'), '{}', 'with all arguments');

select * from finish();
rollback;
