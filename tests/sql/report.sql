-- report.sql: progress and log lines of a running attempt: bounded, fenced, and without decay.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(35);
select millrace.create_queue('q', retention => '1 day') \g /dev/null
select millrace.open_session('w', '{q}', lease => '1 h') as session \gset
select millrace.enqueue('q', 'k') as job \gset
select fence from millrace.claim(:session, 'q') \gset
select millrace.enqueue('q', 'k') as waiting \gset

-- Refused.
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok(format('select millrace.set_progress(%s, %s, %s)', :fence, :job, arguments), 'MR005',
                 'set_progress: bad ' || word, 'set_progress of ' || arguments)
  from (values ('null', 'percent'), ('-1', 'percent'), ('101', 'percent'), ('1, repeat(''m'', 1001)', 'message')
       ) bad(arguments, word);
select throws_ok(format('select millrace.log_line(%s, %s, %s)', :fence, :job, text), 'MR005', 'log_line: bad text',
                 'log_line of ' || text)
  from (values ('null'), (''''''), ('repeat(''t'', 2001)')) bad(text);
select throws_ok(format('select millrace.set_progress(%s, %s, 1)', coalesce(shown::text, 'null'),
                        coalesce(job::text, 'null')), 'MR001', null, 'progress: ' || what)
  from (values (0, :job, 'another fence'), (:fence, :waiting, 'a job that waits'), (null, :job, 'no fence'),
               (:fence, null, 'no job')) lost(shown, job, what);
select throws_ok(format('select millrace.log_line(%s, %s, ''t'')', coalesce(shown::text, 'null'),
                        coalesce(job::text, 'null')), 'MR001', null, 'a log line: ' || what)
  from (values (0, :job, 'another fence'), (:fence, :waiting, 'a job that waits'), (null, :job, 'no fence'),
               (:fence, null, 'no job')) lost(shown, job, what);
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

-- Progress: the newest word.
select is(progress, null, 'before the first report there is none') from millrace.running_jobs;
set local role millrace_worker;
select lives_ok(format('select millrace.set_progress(%s, %s, 0, repeat(''m'', 1000))', :fence, :job), 'at its bounds');
reset role;
select millrace_test.advance_clock('1 s') as later \gset
select millrace.set_progress(:fence, :job, 100) \g /dev/null
set local role millrace_viewer;
select is(progress - 'at', '{"percent": 100, "message": null, "attempt": 1}', 'the newest is shown')
  from millrace.jobs where id = :job;
select is((progress ->> 'at')::timestamptz, :'later'::timestamptz, 'with its time') from millrace.running_jobs;
reset role;
select is(count(*), 1::bigint, 'and nothing else is kept') from millrace.job_progress;

-- Log lines: the newest thousand.
set local role millrace_worker;
select is(millrace.log_line(:fence, :job, repeat('t', 2000)), 1::bigint, 'lines are counted from 1');
select is(max(millrace.log_line(:fence, :job, 'line ' || n)), 1001::bigint, 'on and on')
  from generate_series(2, 1001) n;
reset role;
set local role millrace_viewer;
select row_eq(format('select count(*), min(line), max(line), max(attempt) from millrace.job_lines where job_id = %s',
                     :job), row(1000::bigint, 2::bigint, 1001::bigint, 1::smallint), 'a thousand are kept, the newest');
select row_eq('select attempt, logged_at, text from millrace.job_lines order by line limit 1',
              row(1::smallint, :'later'::timestamptz, 'line 2'::text), 'each with its attempt and time');
reset role;

-- Another attempt goes on from there; the one before it is told that it has lost the job.
select millrace.fail(:fence, :job, 'boom', '0 s'), (millrace.promote()).promoted \g /dev/null
select fence as second from millrace.claim(:session, 'q', 10) where job_id = :job \gset
select is(millrace.log_line(:second, :job, 'again'), 1002::bigint, 'the next attempt counts on');
select millrace.set_progress(:second, :job, 3, 'again') \g /dev/null
select is(progress - 'at', '{"percent": 3, "message": "again", "attempt": 2}', 'and begins anew')
  from millrace.jobs where id = :job;
select throws_ok(format('select millrace.log_line(%s, %s, ''late'')', :fence, :job), 'MR001', null,
                 'a line of the attempt before');
select throws_ok(format('select millrace.set_progress(%s, %s, 99)', :fence, :job), 'MR001', null, 'or its progress');
select millrace.complete(:second, :job) \g /dev/null
select is(progress ->> 'percent', '3', 'they stay with the job when it is done') from millrace.jobs where id = :job;
select throws_ok(format('select millrace.set_progress(%s, %s, 99)', :second, :job), 'MR001', null,
                 'but nothing is added');

-- They go with the job.
select millrace_test.advance_clock('3 days') \g /dev/null
select is(millrace.prune(), 0, 'not before it');
delete from millrace.job where id = :job;
select is(millrace.prune(400), 400, 'then, as many as it may');
select is(millrace.prune(), 600, 'until there are no more');
select is(count(*), 0::bigint, 'the progress, too') from millrace.job_progress;
select * from finish();
rollback;
