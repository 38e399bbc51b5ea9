-- settle_one.sql: one job is settled, or the handler's transaction goes no further.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(72);
select millrace.create_queue('q', max_attempts => 2, retry_base => '10 s') \g /dev/null
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[10])) \g /dev/null
set local role millrace_worker;
select millrace.open_session('w', '{q}') as session \gset
select fence from millrace.claim(:session, 'q', 10) limit 1 \gset

-- Each outcome, twice: a repeated call says the same and changes nothing more.
select is(millrace.complete(:fence, 1, '{"sent": 1}')::text, null, 'complete');
select is(millrace.fail(:fence, 2, 'boom'), 'scheduled', 'fail says that the job will be tried again');
select is(millrace.fail(:fence, 3, 'boom', '7 s'), 'scheduled', 'after a time of the handler''s choice');
select is(millrace.snooze(:fence, 4, '1 h'), millrace.now() + interval '1 h', 'snooze says when it is available again');
select is(millrace.discard(:fence, 5, 'bad')::text, null, 'discard');
reset role;
select results_eq('select id::int, state, attempt::int, result, error from millrace.jobs where id <= 5 order by id',
                  $$ values (1, 'completed', 1, '{"sent": 1}'::jsonb, null), (2, 'scheduled', 1, null, 'boom'),
                            (3, 'scheduled', 1, null, 'boom'), (4, 'scheduled', 0, null, null),
                            (5, 'discarded', 1, null, 'bad') $$, 'the jobs are where they were settled to');
select is(run_at, millrace.now() + interval '7 s', 'the time chosen') from millrace.scheduled where job_id = 3;
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select is(millrace.complete(:fence, 1, '{"sent": 1}')::text, null, 'complete, repeated');
select is(millrace.fail(:fence, 2, 'boom'), 'scheduled', 'fail, repeated');
select is(millrace.snooze(:fence, 4, '1 h'), millrace.now() + interval '1 h', 'snooze, repeated');
select is(millrace.discard(:fence, 5, 'bad')::text, null, 'discard, repeated');
reset role;
select is(millrace_test.fingerprint(), :'before', 'nothing more has changed');

-- The last attempt.
select millrace_test.advance_clock('20 s'), millrace.promote() \g /dev/null
select fence as second from millrace.claim(:session, 'q', 10) where job_id = 3 \gset
set local role millrace_worker;
select is(millrace.fail(:second, 3, 'bang'), 'discarded', 'fail says that it was the last attempt');
select is(millrace.fail(:second, 3, 'bang'), 'discarded', 'twice');
select is(millrace.fail(:fence, 3, 'boom'), 'scheduled', 'while the first attempt is remembered as it was');

-- Lease lost: no such fence, another's, an earlier one's, another outcome, no job.
select millrace.heartbeat(:session) \g /dev/null
reset role;
create temp table lost (fence text, job text, but_for text);
grant select on lost to public;
insert into lost values ('1', '6', ''), (:'second', '6', ''), (:'fence', '1', 'complete'), (:'fence', '2', 'fail'),
                        (:'fence', '4', 'snooze'), (:'fence', '5', 'discard'), (:'fence', '77777', '');
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok(format(call, fence, job), 'MR001', format('lease lost: fence %s does not hold job %s', fence, job),
                 format('%s of job %s', verb, job))
  from lost, (values ('complete', 'select millrace.complete(%s, %s)'), ('fail', 'select millrace.fail(%s, %s, ''e'')'),
                     ('snooze', 'select millrace.snooze(%s, %s, ''1 s'')'),
                     ('discard', 'select millrace.discard(%s, %s, ''e'')'),
                     ('assert_lease', 'select millrace.assert_lease(%s, %s)')) verbs(verb, call)
 where verb <> but_for;
select throws_ok('select millrace.assert_lease(' || arguments || ')', 'MR001',
                 format('lease lost: fence %s does not hold job %s', variadic string_to_array(arguments, ', ')),
                 'assert_lease ' || arguments)
  from (values ('null, 6'), ('1, null'), ('null, null')) bad(arguments);
select throws_ok('select millrace.' || replace(call, 'f,', :'fence' || ','), 'MR005', 'settle: bad ' || named, call)
  from (values ('complete(null, 6)', 'fences'), ('complete(f, null)', 'job_ids'),
               ($$complete(f, 6, to_jsonb(repeat('r', 1048575)))$$, 'results'),
               ($$fail(null, 6, 'e')$$, 'fences'), ($$fail(f, null, 'e')$$, 'job_ids'), ('fail(f, 6, null)', 'errors'),
               ($$fail(f, 6, '')$$, 'errors'), ($$fail(f, 6, 'e', '-1 s')$$, 'delays'),
               ($$fail(f, 6, 'e', '11 years')$$, 'delays'),
               ($$snooze(null, 6, '1 s')$$, 'fences'), ($$snooze(f, null, '1 s')$$, 'job_ids'),
               ('snooze(f, 6, null)', 'delays'), ($$snooze(f, 6, '-1 s')$$, 'delays'),
               ($$snooze(f, 6, '11 years')$$, 'delays'),
               ($$discard(null, 6, 'e')$$, 'fences'), ($$discard(f, null, 'e')$$, 'job_ids'),
               ('discard(f, 6, null)', 'errors'), ($$discard(f, 6, '')$$, 'errors')) bad(call, named);
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

-- A zombie's effects go with its settle.
create temp table effect (job bigint);
select millrace_test.advance_clock('1 minute'), millrace.reap() \g /dev/null
select throws_ok(format('with written as (insert into effect values (6)) select millrace.complete(%s, 6)', :fence),
                 'MR001', format('lease lost: fence %s does not hold job 6', :fence), 'a settle that comes too late');
select is_empty('table effect', 'takes the effects back with it');

-- assert_lease holds the row for its transaction.
select millrace.open_session('w2', '{q}') as session \gset
select job_id as job, fence from millrace.claim(:session, 'q') \gset
set local role millrace_worker;
select lives_ok(format('select millrace.assert_lease(%s, %s)', :fence, :job), 'assert_lease of a job that is held');
reset role;
select isnt((select xmax from millrace.running where job_id = :job), '0', 'locks its row');

select * from finish();
rollback;
