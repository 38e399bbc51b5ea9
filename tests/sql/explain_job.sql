-- explain_job.sql: each cause, and each pair of causes that there can be, is brought about and named.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(45);
select millrace.create_queue('q', max_attempts => 2, timeout => '1 min'), millrace.create_queue('other') \g /dev/null

create function pg_temp.causes(job bigint)
returns text
language sql
as $$ select string_agg(e.cause, ', ' order by e.rank) from millrace.explain_job(job) e $$;
create function pg_temp.why(job bigint, cause text)
returns text
language sql
as $$ select e.why from millrace.explain_job(job) e where e.cause = why.cause $$;
create function pg_temp.claim(session int, amount int default 1)
returns bigint
language sql
as $$ select max(job_id) from millrace.claim(session, 'q', amount) $$;

-- One cause.
select millrace.open_session('w', '{q}', lease => '1 hour') as session \gset
select millrace.enqueue('q', 'first') as first \gset
set local role millrace_viewer;
select is(pg_temp.causes(:first), 'next', 'a job that the next claim takes');
reset role;
select millrace.enqueue('q', 'second') as second, millrace.enqueue('q', 'late', priority => 9) as late \gset
select is(pg_temp.causes(:late), 'jobs ahead', 'one behind others');
select is(pg_temp.why(:late, 'jobs ahead'), '2 jobs are claimed before it', 'how many they are');
select is(pg_temp.why(:second, 'jobs ahead'), '1 jobs are claimed before it', 'those of its own priority too');
select pg_temp.claim(:session) \g /dev/null
select is(pg_temp.causes(:first), 'running', 'one that runs');
select matches(pg_temp.why(:first, 'running'), format('^at worker w \(session %s\) since .* UTC, attempt 1 of 2$', :session),
               'where and since when');
select millrace.complete(fence, job_id) from millrace.running \g /dev/null
select is(pg_temp.causes(:first), 'completed', 'one that is done');
select is(pg_temp.why(:late, 'jobs ahead'), '1 jobs are claimed before it, about 60 s at the rate of the last minute',
          'then there is an estimate');
select millrace.enqueue('q', 'k', delay => '1 h') as scheduled \gset
select is(pg_temp.causes(:scheduled), 'scheduled', 'one before its time');
select is(pg_temp.why(:scheduled, 'scheduled'),
          format('not before %s', millrace.utc_text(millrace.now() + interval '1 h')),
          'which is named');
select pg_temp.claim(:session) \g /dev/null
select millrace.fail(fence, job_id, 'boom', '1 h') from millrace.running \g /dev/null
select is(pg_temp.causes(:second), 'retry', 'one that waits for its retry');
select matches(pg_temp.why(:second, 'retry'), '^not before .* UTC, its attempt 1 failed: boom$', 'and why');
select millrace.enqueue('q', 'k') as snoozing \gset
select pg_temp.claim(:session) \g /dev/null
select millrace.snooze(fence, job_id, '1 h') from millrace.running \g /dev/null
select is(pg_temp.causes(:snoozing), 'snooze', 'one that its handler has put off');
select is(pg_temp.why(:snoozing, 'snooze'), format('not before %s', millrace.utc_text(millrace.now() + interval '1 h')),
          'until when');
select millrace.cancel(:scheduled, 'not wanted') \g /dev/null
select is(pg_temp.causes(:scheduled), 'cancelled', 'one that was cancelled');
select matches(pg_temp.why(:scheduled, 'cancelled'), ' UTC: not wanted$', 'and why');
select pg_temp.claim(:session) \g /dev/null
select millrace.discard(fence, job_id, 'bad') from millrace.running \g /dev/null
select is(pg_temp.causes(:late), 'dead letter', 'a dead letter');
select is(remedy, format('select millrace.replay(%s)', :late), 'and how to get it back') from millrace.explain_job(:late);
select throws_ok('select * from millrace.explain_job(999999)', 'MR006', 'explain_job: unknown job 999999', 'none');

-- What a job that runs may suffer from.
select millrace.enqueue('q', 'k') as running \gset
select millrace.open_session('lost', '{q}', lease => '10 s') as lost \gset
select pg_temp.claim(:lost) \g /dev/null
select millrace.cancel(:running) \g /dev/null
select is(pg_temp.causes(:running), 'running, cancelling', 'one that was asked to stop');
select millrace_test.advance_clock('61 s') \g /dev/null
select is(pg_temp.causes(:running), 'running, worker lost, past its deadline, cancelling', 'and whose worker is gone');
select millrace.reap() \g /dev/null
select is(pg_temp.causes(:running), 'cancelled', 'until it is reaped');

-- Blocked.
select millrace.enqueue('q', 'a', concurrency_key => 'k') as held, millrace.enqueue('q', 'b', concurrency_key => 'k') as kept,
       millrace.enqueue('q', 'c', concurrency_key => 'k') as last_one \gset
select is(pg_temp.causes(:held), 'key', 'one whose turn for its key has come');
select is(remedy, 'a slot is free: the next claim from the queue gives it out', 'is taken by the next claim')
  from millrace.explain_job(:held);
select pg_temp.claim(:session, 1) \g /dev/null
select is(pg_temp.why(:last_one, 'key'),
          format('key k has a limit of 1, and 1 jobs hold it: %s; 1 wait before this one', :held), 'one whose key is held');
select is(remedy, 'select millrace.limit_key(''q'', ''k'', n) raises the limit', 'and what may help')
  from millrace.explain_job(:last_one);
select millrace.fail(fence, job_id, 'again', '1 h') from millrace.running \g /dev/null
select is(pg_temp.why(:kept, 'key'),
          format('key k has a limit of 1, and 1 jobs hold it: %s; 0 wait before this one', :held), 'also by one that retries');
select millrace.create_batch('q', 'done') as batch \gset
select millrace.enqueue('q', 'm', batch => :batch) as member, millrace.enqueue('q', 'w', after_batch => :batch) as waiting \gset
select is(pg_temp.why(:waiting, 'batch'), format('batch %s is open: 0 of 1 members have ended', :batch), 'one behind a batch');
select is(remedy, format('select millrace.close_batch(%s) when all members are in it', :batch), 'that nobody has closed')
  from millrace.explain_job(:waiting);
select millrace.close_batch(:batch) \g /dev/null
select is(pg_temp.why(:waiting, 'batch'), format('batch %s is closed: 0 of 1 members have ended', :batch), 'or that goes on');

-- Pairs: whatever a waiting job waits for, each thing that may stop its queue is named beside it.
select millrace.enqueue('q', 'k', delay => '2 h') as scheduled, millrace.enqueue('q', 'k', priority => 0) as next \gset
create temp table waits as
select * from (values ('scheduled', :scheduled::bigint), ('retry', :held), ('snooze', :snoozing), ('key', :kept),
                      ('batch', :waiting), ('next', :next)) w(cause, job);
create function pg_temp.all_wait_also_for(stop text)
returns setof text
language sql
as $$
    select is_empty(format($q$ select w.cause, pg_temp.causes(w.job) from waits w
                                where pg_temp.causes(w.job) <> case w.cause when 'next' then %1$L || ', next'
                                                                            else w.cause || ', ' || %1$L end $q$, stop),
                    'beside each of them: ' || stop)
$$;
select pg_temp.all_wait_also_for('queue paused') from millrace.pause_queue('q');
select pg_temp.all_wait_also_for('kind paused, queue paused')
  from (select count(millrace.pause_kind(v.kind)) from millrace.jobs v join waits w on w.job = v.id) paused;
select millrace.resume_queue('q') \g /dev/null
select pg_temp.all_wait_also_for('kind paused');
update millrace.worker set kinds = '{another}';
select pg_temp.all_wait_also_for('kind paused, no worker for its kind');
select count(millrace.resume_kind(k.name)) from millrace.kind k \g /dev/null
select pg_temp.all_wait_also_for('no worker for its kind');
select millrace.pause_queue('q') \g /dev/null
select pg_temp.all_wait_also_for('no worker for its kind, queue paused');
update millrace.worker set kinds = null;
select millrace.resume_queue('q') \g /dev/null
select millrace.claim(:session, 'q', 1) from millrace.configure_queue('q', '{"max_running": 1}') \g /dev/null
select millrace.enqueue('q', 'k', priority => 0) as next \gset
update waits set job = :next where cause = 'next';
select pg_temp.all_wait_also_for('queue limit');
select is(why, '1 jobs of the queue run, and max_running is 1', 'how many run')
  from millrace.explain_job(:next) where cause = 'queue limit';
select millrace.pause_queue('q') \g /dev/null
select pg_temp.all_wait_also_for('queue paused, queue limit');
select millrace.resume_queue('q') \g /dev/null
select millrace_test.advance_clock('1 h') \g /dev/null
select is(pg_temp.causes(:held), 'due, no worker, queue limit', 'a retry whose time has come is made available by a worker');
select millrace.promote() \g /dev/null
delete from waits where cause in ('retry', 'snooze');
select pg_temp.all_wait_also_for('no worker, queue limit');
select millrace.pause_queue('q') \g /dev/null
select pg_temp.all_wait_also_for('queue paused, no worker, queue limit');
select millrace.configure_queue('q', '{"max_running": null}') \g /dev/null
select pg_temp.all_wait_also_for('queue paused, no worker');
select millrace.resume_queue('q') \g /dev/null
select pg_temp.all_wait_also_for('no worker');
update millrace.installation set system_identifier = system_identifier + 1;
select pg_temp.all_wait_also_for('foreign database, no worker');
select * from finish();
rollback;
