-- stuck_jobs.sql: attempts that will not end by themselves, each for its reason and not a second before its time.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(23);
select millrace.create_queue('q', timeout => '10 min'), millrace.create_queue('endless') \g /dev/null
select millrace.open_session('w', '{q,endless}', lease => '1 min') as session \gset

create function pg_temp.claim(queue text)
returns bigint
language sql
as $$ select job_id from millrace.claim((select max(id) from millrace.worker), queue, 1) $$;
create view pg_temp.stuck as
select string_agg(id || ' ' || cause, ', ' order by id) as jobs from millrace.stuck_jobs;
create function pg_temp.pass(by interval)  -- time passes, and the worker lives
returns timestamptz
language sql
as $$
    select millrace_test.advance_clock(by);
    select millrace.heartbeat(w.id) from millrace.worker w where w.ended_at is null;
$$;

-- Past its deadline.
select millrace.enqueue('q', 'slow') as slow, pg_temp.claim('q') \gset
select is(jobs, null, 'a job that has just begun') from pg_temp.stuck;
select pg_temp.pass('10 min 10 s') \g /dev/null
select is(jobs, null, 'at its deadline its worker has ten seconds to stop it') from pg_temp.stuck;
select pg_temp.pass('1 s') \g /dev/null
set local role millrace_viewer;
select row_eq('select id, queue, kind, cause, attempt, max_attempts, worker, session, remedy from millrace.stuck_jobs',
              row(:slow::bigint, 'q'::text, 'slow'::text, 'past its deadline'::text, 1::smallint, 10::smallint, 'w'::text,
                  :session::int, 'select millrace.reap()'::text), 'then it is stuck');
select is(since, deadline, 'since its deadline') from millrace.stuck_jobs;
reset role;
select millrace.reap() \g /dev/null
select is(jobs, null, 'until it is taken back') from pg_temp.stuck;
select millrace.cancel(:slow) \g /dev/null

-- No sign of life: ten leases.
select millrace.enqueue('endless', 'k') as silent, pg_temp.claim('endless'), millrace.now() as began \gset
select pg_temp.pass('10 min') \g /dev/null
select is(jobs, null, 'a job without a deadline may be silent for ten leases') from pg_temp.stuck;
select pg_temp.pass('1 s') \g /dev/null
select is(jobs, :silent || ' no sign of life', 'no longer') from pg_temp.stuck;
select row_eq('select since, last_sign, claimed_at, deadline, remedy from millrace.stuck_jobs',
              row(:'began'::timestamptz, :'began'::timestamptz, :'began'::timestamptz, null::timestamptz,
                  format('select millrace.cancel(%s), or configure_queue with a timeout', :silent)), 'since it began');
select millrace.set_progress(fence, job_id, 10) from millrace.running \g /dev/null
select is(jobs, null, 'progress is a sign') from pg_temp.stuck;
select pg_temp.pass('10 min 1 s') \g /dev/null
select is(jobs, :silent || ' no sign of life', 'for ten leases') from pg_temp.stuck;
select millrace.log_line(fence, job_id, 'alive') from millrace.running \g /dev/null
select is(jobs, null, 'so is a log line') from pg_temp.stuck;
select is(last_sign, null, 'it is not shown') from (select max(last_sign) as last_sign from millrace.stuck_jobs) s;
select millrace.enqueue('q', 'k') as timed, pg_temp.claim('q') \gset
select pg_temp.pass('9 min'), millrace.log_line(fence, job_id, 'alive') from millrace.running where deadline is null \g /dev/null
select is(jobs, null, 'a job with a deadline may be silent up to then') from pg_temp.stuck;
select millrace.complete(fence, job_id) from millrace.running where job_id = :timed \g /dev/null

-- Does not stop.
select millrace.cancel(:silent) \g /dev/null
select pg_temp.pass('1 min') \g /dev/null
select is(jobs, null, 'asked to stop it has a minute') from pg_temp.stuck;
select pg_temp.pass('1 s') \g /dev/null
select row_eq('select id, cause, remedy from millrace.stuck_jobs',
              row(:silent::bigint, 'does not stop'::text, format('end its worker: session %s', :session)), 'and no more');
select is(since, millrace.now() - interval '61 s', 'since it was asked') from millrace.stuck_jobs;

-- Worker lost.
select millrace_test.advance_clock('2 min') \g /dev/null
select is(jobs, :silent || ' does not stop', 'a lease that has run out lately is not yet a lost worker') from pg_temp.stuck;
delete from millrace.cancel_request;
select is(jobs, null, 'a reap is at hand') from pg_temp.stuck;
select millrace_test.advance_clock('1 s') \g /dev/null
select is(jobs, :silent || ' worker lost', 'but for another lease') from pg_temp.stuck;
select is(since, lease_expires_at, 'since the lease ran out') from millrace.stuck_jobs, millrace.worker;
update millrace.worker set ended_at = lease_expires_at, end_reason = 'lease expired';
select is(jobs, :silent || ' worker lost', 'ended, and its job not taken back') from pg_temp.stuck;
update millrace.running set deadline = millrace.now() - interval '11 s';
select is(jobs, :silent || ' past its deadline', 'a job is shown once') from pg_temp.stuck;
select millrace.reap() \g /dev/null
select is(jobs, null, 'and when it is taken back not at all') from pg_temp.stuck;
select * from finish();
rollback;
