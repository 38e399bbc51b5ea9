-- cancel.sql: a job that is cancelled while it runs: the request, and what becomes of the job however its attempt ends.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(45);
select millrace.create_queue('q', max_attempts => 3, timeout => '1 min') \g /dev/null
select millrace.open_session('w', '{q}', lease => '10 min') as session,
       millrace.open_session('other', '{q}', lease => '10 min') as other \gset

-- One job for each end, each asked to stop; the last attempt of some.
create temp table made (ending text primary key, job bigint, fence bigint);
grant select on made to public;
insert into made (ending, job)
select e, millrace.enqueue('q', e, max_attempts => case when e like 'last%' then 1 else 3 end)
  from unnest('{completed,with a result,failed,last failed,snoozed,released,discarded,cancelled,silent,untouched}'::text[])
       e;
update made set fence = c.fence from millrace.claim(:session, 'q', 100) c where c.job_id = made.job;
select job as untouched from made where ending = 'untouched' \gset

set local role millrace_operator;
select is(millrace.cancel(job, 'not needed'), 'cancelling', 'cancel of a running job, to end: ' || ending)
  from made where ending not in ('silent', 'untouched');
select is(millrace.cancel(job), 'cancelling', 'no reason needs to be given') from made where ending = 'silent';
reset role;
select millrace_test.fingerprint() as before \gset
select is(millrace.cancel(job, 'another reason'), 'cancelling', 'cancelled again') from made where ending = 'failed';
select is(millrace_test.fingerprint(), :'before', 'which changes nothing');

set local role millrace_worker;
select results_eq(format('select job_id, fence, reason from millrace.cancel_requests(%s)', :session),
                  $$ select job, fence, case when ending <> 'silent' then 'not needed' end from made
                      where ending <> 'untouched' order by job $$, 'its worker is told which to stop');
select is_empty(format('select * from millrace.cancel_requests(%s)', :other), 'and no other worker');
select is_empty('select * from millrace.cancel_requests(null)', 'nobody has no requests');
reset role;
select results_eq('select id, cancelling ->> ''reason'', cancelling ->> ''by'' = session_user, progress from millrace.running_jobs
                where kind = ''completed''',
              'select job, ''not needed'', true, null::jsonb from made where ending = ''completed''', 'the view says that it was asked to, by whom, and why');
select is(count(*), 1::bigint, 'the others go on') from millrace.running_jobs where cancelling is null;
select is(count(*), 9::bigint, 'each request is in the book once') from millrace.operator_action
 where action = 'cancel' and affected = 1;

-- Nobody but the fence's holder may end it, and nobody as cancelled unless it was asked for.
select results_eq(format($$ select millrace.settle_many(array[job], array[%s::bigint], '{cancelled}')
                             from made where ending = 'cancelled' $$, :session),
                  'select array[job] from made where ending = ''cancelled''', 'another fence settles nothing');
select throws_ok(format('select millrace.settle_many(array[%s], array[%s], ''{cancelled}'')', job, fence), 'MR007',
                 format('settle: nobody has cancelled job %s', job), 'cancelled, by nobody''s wish')
  from made where ending = 'untouched';
select is(state, 'running', 'it goes on') from millrace.jobs where id = :untouched;

-- All of them end.
set local role millrace_worker;
create function pg_temp.end_all() returns bigint[]
language sql
as $$
    select millrace.settle_many(array_agg(job order by job), array_agg(fence order by job),
                                array_agg(case ending when 'with a result' then 'completed' when 'last failed' then 'failed'
                                                      when 'silent' then 'cancelled' else ending end order by job),
                                array_agg(case when ending like '%failed' then 'boom' when ending = 'discarded' then 'bad'
                                               when ending = 'cancelled' then 'stopped at once' end order by job),
                                array_agg(case ending when 'snoozed' then interval '1 h' end order by job),
                                array_agg(case ending when 'with a result' then '{"r": 1}'::jsonb end order by job))
      from made where ending not in ('completed', 'untouched')
$$;
select is(pg_temp.end_all(), '{}', 'whatever they end with, the settle is accepted');
select is(millrace.settle_many(array[job], array[fence]), '{}', 'a completion, too')
  from made where ending = 'completed';
reset role;
select results_eq('select ending, j.state, j.error, j.result, j.attempt::int from made
                     join millrace.jobs j on j.id = job where ending <> ''untouched'' order by ending collate "C"',
                  $$ values ('cancelled', 'cancelled', 'not needed; stopped at once', null::jsonb, 1),
                            ('completed', 'completed', null, null, 1),
                            ('discarded', 'cancelled', 'not needed', null, 1),
                            ('failed', 'cancelled', 'not needed', null, 1),
                            ('last failed', 'cancelled', 'not needed', null, 1),
                            ('released', 'cancelled', 'not needed', null, 1),
                            ('silent', 'cancelled', null, null, 1),
                            ('snoozed', 'cancelled', 'not needed', null, 1),
                            ('with a result', 'completed', null, '{"r": 1}', 1) $$,
                  'completed stands, everything else is cancelled, with the reason');
select is(count(*), 0::bigint, 'nothing of them waits') from (
    select job_id from millrace.ready union all select job_id from millrace.scheduled
    union all select job_id from millrace.dead_letter) waiting;
select results_eq('select outcome, error, next_run_at, count(*)::int from millrace.attempt_failure group by 1, 2, 3
                    order by 1, 2',
                  $$ values ('discarded', 'bad', null::timestamptz, 1), ('failed', 'boom', null, 2) $$,
                  'what failed is on record, and will not be tried again');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled from millrace.queues
                    where name = 'q' except select * from millrace_test.counted('q') $$, 'the counts follow');
select is(failed, 3::bigint, 'failures are counted') from millrace.queues where name = 'q';
select is(count(*), 1::bigint, 'the requests are gone but that of the completion') from millrace.cancel_request;
select is_empty(format('select * from millrace.cancel_requests(%s)', :session), 'of which nobody is told');
select is(pg_temp.end_all(), '{}', 'the same settles, repeated, count as held');
select is(millrace.fail(fence, job, 'boom'), 'cancelled', 'fail says what became of it') from made
 where ending = 'last failed';
select is(millrace.snooze(fence, job, '1 h'), null, 'a snooze has no end then') from made where ending = 'snoozed';
select is(millrace.cancel(job), 'cancelled', 'cancelled again, it is cancelled') from made where ending = 'failed';
select is(cardinality(millrace.settle_many(array[job], array[fence], '{completed}')), 1,
          'another outcome of the same fence is refused') from made where ending = 'failed';
select is(millrace.prune(), 1, 'a request for what has ended is pruned');
select is_empty('select * from millrace.cancel_request', 'and gone');

-- An attempt that is asked and then given back, reaped or overrun does not run again.
select array_agg(millrace.enqueue('q', 'k', max_attempts => m)) as jobs from unnest('{1,3}'::int[]) m \gset
select count(*), max(fence) as fence from millrace.claim(:other, 'q', 2) \gset
select millrace.cancel(j, 'too late') from unnest(:'jobs'::bigint[]) j \g /dev/null
select millrace_test.advance_clock('70 s 1 us') \g /dev/null
select is(millrace.reap(), 3, 'past their deadline they are taken back, and one more');
select results_eq(format('select state, error, worker from millrace.jobs where id = any (%L)', :'jobs'),
                  $$ values ('cancelled', 'too late', 'other'), ('cancelled', 'too late', 'other') $$,
                  'and cancelled, were it the last attempt or not');
select is(state, 'available', 'what nobody has cancelled is tried again') from millrace.jobs where id = :untouched;
select is(count(*), 2::bigint, 'the lost attempts are on record, without a next') from millrace.attempt_failure
 where outcome = 'reaped' and next_run_at is null;
select is(count(*), 0::bigint, 'no request is left') from millrace.cancel_request;
select is(cardinality(millrace.settle_many(:'jobs', array[:fence, :fence]::bigint[], '{cancelled,cancelled}')), 2,
          'their holder comes too late, whatever it says');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled from millrace.queues
                    where name = 'q' except select * from millrace_test.counted('q') $$, 'the counts follow');

select fence as closing_fence from millrace.claim(:other, 'q') where job_id = :untouched \gset
select millrace.cancel(:untouched) \g /dev/null
select is(millrace.close_session(:other), 1, 'a session is closed that holds a cancelled job');
select is(state, 'cancelled', 'which is not available again') from millrace.jobs where id = :untouched;
select * from finish();
rollback;
