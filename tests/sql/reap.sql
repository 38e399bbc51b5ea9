-- reap.sql: jobs come back from workers that are gone and from attempts that overran, and from nobody else.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(42);
select millrace.create_queue('q', max_attempts => 2), millrace.create_queue('timed', timeout => '1 min') \g /dev/null
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[6])) \g /dev/null
update millrace.ready set attempt = 1 where job_id = 3;
set local role millrace_worker;
select millrace.open_session('dead', '{q}', lease => '10 s') as dead,
       millrace.open_session('alive', '{q}', lease => '10 s') as alive \gset
select max(fence) as lost_fence, count(*) from millrace.claim(:dead, 'q', 5) \gset
select job_id as kept from millrace.claim(:alive, 'q') \gset
reset role;

select millrace_test.advance_clock('10 s') \g /dev/null
select is(millrace.reap(), 0, 'at its last microsecond a lease holds');
select millrace.heartbeat(:alive) \g /dev/null
select millrace_test.advance_clock('1 us') as at \gset
set local role millrace_worker;
select is(millrace.reap(2), 2, 'then its jobs are taken back, no more than asked for');
reset role;
select row_eq(format('select ended_at, end_reason, cleared from millrace.worker where id = %s', :dead),
              row(:'at'::timestamptz, 'lease expired'::text, false), 'the session has ended, with jobs left');
select throws_ok(format('select millrace.heartbeat(%s)', :dead), 'MR002', format('session %s has ended', :dead),
                 'from the first job on its worker cannot go on');
select throws_ok(format('select millrace.claim(%s, ''q'')', :dead), 'MR002', format('session %s has ended', :dead),
                 'nor claim');
select millrace_test.advance_clock('1 s') \g /dev/null
select is(millrace.reap(2), 2, 'the next call goes on');
select is(cleared, false, 'until none is left') from millrace.worker where id = :dead;
select is(millrace.reap(2), 1, 'the last one');
select row_eq(format('select ended_at, cleared from millrace.worker where id = %s', :dead),
              row(:'at'::timestamptz, true), 'that is all of them');
select is(millrace.reap(), 0, 'it is reaped once');

select results_eq('select id::int, state, attempt::int from millrace.jobs order by id',
                  $$ values (1, 'available', 1), (2, 'available', 1), (3, 'discarded', 2), (4, 'available', 1),
                            (5, 'available', 1), (6, 'running', 1) $$,
                  'the lost attempt counts; after the last one the job is a dead letter; the living keep theirs');
select is(state, 'alive', 'whose session goes on') from millrace.workers where id = :alive;
select row_eq('select fence, worker, error from millrace.dead_letter',
              row(:lost_fence::bigint, :dead, format('lease expired: worker dead (session %s) is gone', :dead)),
              'the dead letter says what happened');
select results_eq('select outcome, error, count(*)::int, count(next_run_at)::int from millrace.attempt_failure
                    group by 1, 2',
                  format($$ values ('reaped', 'lease expired: worker dead (session %s) is gone', 5, 4) $$, :dead),
                  'and so does each attempt');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                    where name = 'q' except select * from millrace_test.counted('q') $$, 'the counts follow');
select is(failed, 5::bigint, 'failures are counted') from millrace.queues where name = 'q';
select is(array_agg(distinct pos), array[pg_current_xact_id()], 'positions are new') from millrace.ready;
select is(count(*), 4::bigint, 'what was taken back can be claimed') from millrace.claim(:alive, 'q', 10);

-- Attempts that overran, of a worker that lives.
select millrace.enqueue_many('timed', 'k', array_fill('{}'::jsonb, array[3]), max_attempts => 1) as timed \gset
select (:'timed'::bigint[])[1] as slow, (:'timed'::bigint[])[3] as unlimited \gset
update millrace.job set timeout = null where id = :unlimited;
select count(*) as claimed from millrace.claim(:alive, 'timed', 3) \gset
select millrace_test.advance_clock('70 s'), millrace.heartbeat(:alive) \g /dev/null
select is(millrace.reap(), 0, 'ten seconds past its deadline an attempt is still the worker''s to stop');
select millrace_test.advance_clock('1 us') \g /dev/null
select is(millrace.reap(1), 1, 'then it is taken back, no more than asked for');
select is(millrace.reap(), 1, 'and the next');
select is(millrace.reap(), 0, 'each once');
select is(state, 'running', 'an attempt without a deadline may last') from millrace.jobs where id = :unlimited;
select row_eq(format('select state, error from millrace.jobs where id = %s', :slow),
              row('discarded'::text, 'timed out: the worker did not stop it in time'::text), 'the error says why');
select is(state, 'alive', 'its worker goes on') from millrace.workers where id = :alive;

-- Attempts that were asked to stop and do not.
select millrace.enqueue_many('timed', 'deaf', array_fill('{}'::jsonb, array[2])) as deaf \gset
select (:'deaf'::bigint[])[1] as deaf, (:'deaf'::bigint[])[2] as hears \gset
update millrace.job set timeout = null where kind = 'deaf';
select count(*) from millrace.claim(:alive, 'timed', 2) \g /dev/null
select millrace.cancel(:deaf, 'not needed') \g /dev/null
select millrace_test.advance_clock('6 min'), millrace.heartbeat(:alive) \g /dev/null
select is(millrace.reap(), 0, 'six minutes after it was asked to stop an attempt is still the worker''s');
select millrace_test.advance_clock('1 us') \g /dev/null
select is(millrace.reap(), 1, 'then it is taken back');
select row_eq(format('select state, error from millrace.jobs where id = %s', :deaf),
              row('cancelled'::text, 'not needed'::text), 'and cancelled');
select is(error, 'cancelled: the worker did not stop it in time', 'the attempt says why')
  from millrace.attempt_failure where job_id = :deaf;
select is(state, 'running', 'one that nobody has asked goes on') from millrace.jobs where id = :hears;
select millrace.complete(fence, job_id) from millrace.running where job_id = :hears \g /dev/null

-- A job whose wide row is missing cannot be tried again.
select millrace.enqueue('timed', 'k') as orphan \gset
select count(*) as claimed from millrace.claim(:alive, 'timed') \gset
delete from millrace.job where id = :orphan;
select millrace_test.advance_clock('10 min') \g /dev/null
select cmp_ok(millrace.reap(), '>', 0, 'a job without its wide row is taken back');
select is(count(*), 1::bigint, 'and buried') from millrace.dead_letter where job_id = :orphan;
select is(count(*), 0::bigint, 'nothing runs any more') from millrace.running;

-- Many sessions: ten at a time.
select millrace.open_session('w', '{q}', lease => '1 s') from generate_series(1, 12) \g /dev/null
select millrace_test.advance_clock('1 h') \g /dev/null
select is(millrace.reap(), 0, 'sessions without jobs give nothing back');
select is(count(*), 2::bigint, 'ten of twelve are ended in one call') from millrace.workers where state = 'overdue';
select lives_ok('select millrace.reap(10000)', 'ten thousand jobs at a time');
select is(count(*), 0::bigint, 'two calls end twelve') from millrace.workers where state = 'overdue';

select millrace.open_session('w', '{q}', lease => '1 s'), millrace_test.advance_clock('1 h') \g /dev/null
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok(format('select millrace.reap(%s)', amount), 'MR005', 'reap: bad max_jobs', amount)
  from (values ('null'), ('0'), ('-1'), ('10001')) bad(amount);
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');
select * from finish();
rollback;
