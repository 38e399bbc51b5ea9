-- promote.sql: scheduled jobs become available when their time has come, no earlier, and a bounded number at a time.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(24);
select millrace.create_queue('q') as q, millrace.create_queue('other') \gset
select millrace.now() as now \gset

select row_eq('select * from millrace.promote()', row(0, null::timestamptz),
              'with nothing scheduled there is nothing to do');
select millrace.enqueue('q', 'minute', delay => '1 min') as minute_job,
       millrace.enqueue('other', 'two', delay => '2 min', priority => 1) as two,
       millrace.enqueue('q', 'three', delay => '3 min') as three \gset
set local role millrace_worker;
select row_eq('select * from millrace.promote()', row(0, :'now'::timestamptz + interval '1 min'),
              'before its time no job moves; the caller learns when the next one will');
reset role;
select millrace_test.advance_clock('1 min' - interval '1 us') \g /dev/null
select is(promoted, 0, 'not a microsecond early') from millrace.promote();
select millrace_test.advance_clock('1 us') \g /dev/null
select row_eq('select * from millrace.promote()', row(1, :'now'::timestamptz + interval '2 min'), 'on the instant');
select row_eq(format('select queue_id, priority, attempt, pos from millrace.ready where job_id = %s', :minute_job),
              row(:q, 5::smallint, 0::smallint, pg_current_xact_id()), 'the job is available, its position is new');
select is(promoted, 0, 'once') from millrace.promote();
select is(job_id, :minute_job::bigint, 'a promoted job can be claimed')
  from millrace.claim(millrace.open_session('w', '{q}', lease => '1 h'), 'q');

select millrace_test.advance_clock('1 h') \g /dev/null
select row_eq('select * from millrace.promote()', row(2, null::timestamptz), 'all that are due, of all queues');
select results_eq('select id, state, priority::int, run_at from millrace.jobs order by id',
                  format($$ values (%s::bigint, 'running', 5, null::timestamptz), (%s, 'available', 1, null),
                                   (%s, 'available', 5, null) $$, :minute_job, :two, :three), 'each in its lane');
select is_empty(format($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                            from millrace.queues
                           where name = %L except select * from millrace_test.counted(%1$L) $$, name),
                'the counts of ' || name || ' follow') from millrace.queues order by name;

-- A retry keeps the attempts it has used up, a snooze gets its own back.
select millrace.fail(fence, job_id, 'e', '1 min') from millrace.running where job_id = :minute_job \g /dev/null
select millrace_test.advance_clock('1 min'), millrace.promote() \g /dev/null
select is(attempt, 1::smallint, 'a job that failed has used up an attempt')
  from millrace.ready where job_id = :minute_job;

-- Bounded, oldest first.
select millrace.enqueue('q', 'many', delay => (1000 - g) * interval '1 s') from generate_series(1, 100) g \g /dev/null
select millrace_test.advance_clock('1 h') as later \gset
select row_eq('select * from millrace.promote(30)', row(30, :'later'::timestamptz - interval '1 h' + interval '930 s'),
              'no more than asked for; the next one is overdue');
select is(count(*), 30::bigint, 'those whose time was first')
  from (select id from millrace.jobs where kind = 'many' order by id desc limit 30) latest
  join millrace.ready r on r.job_id = latest.id;

-- since: where the scan begins.
select row_eq(format('select * from millrace.promote(1000, %L)',
                     :'later'::timestamptz - interval '1 h' + interval '990 s'),
              row(10, null::timestamptz), 'since: older times are not looked at');
select is(promoted, 60, 'without it they are') from millrace.promote(1000);
select millrace.enqueue('q', 'late', delay => '1 s'), millrace_test.advance_clock('1 h') \g /dev/null
select is(promoted, 1, 'null is the same as nothing') from millrace.promote(1000, null);
select is(promoted, 0, 'in the future there is nothing') from millrace.promote(1000, 'infinity');

select lives_ok('select millrace.promote(10000)', 'ten thousand at a time');
select millrace.enqueue('q', 'k', delay => '1 s'), millrace_test.advance_clock('1 h') \g /dev/null
select millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.promote(%s)', amount), 'MR005', 'promote: bad max_jobs', amount)
  from (values ('null'), ('0'), ('-1'), ('10001')) bad(amount);
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');
select * from finish();
rollback;
