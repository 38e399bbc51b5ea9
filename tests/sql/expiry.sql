-- claim.sql, enqueue.sql: jobs that may not begin late: what a claim does with them, and what ends with them.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(49);
select millrace.create_queue('q', retry_base => '1 h', retry_cap => '1 h') as q \gset
select millrace.open_session('w', '{q}', lease => '1 h') as session \gset

create function pg_temp.claim(max_jobs int default 10)
returns text
language sql
as $$
    select coalesce(string_agg(c.kind, ' ' order by c.job_id), 'nothing')
      from millrace.claim((select max(w.id) from millrace.worker w), 'q', max_jobs) c
$$;
create function pg_temp.in_time(longer interval)
returns timestamptz
language sql
as $$ select millrace.now() + longer $$;
create function pg_temp.states(of_kind text)
returns text
language sql
as $$
    select string_agg(concat_ws(' ', j.state, j.attempt, j.error), ', ' order by j.id) from millrace.jobs j
     where j.kind = of_kind
$$;

-- Started in time, or not at all.
select millrace.enqueue('q', 'brief', expires_at => pg_temp.in_time('10 s')) as brief,
       millrace.enqueue('q', 'long', expires_at => pg_temp.in_time('1 h')) as long,
       millrace.enqueue('q', 'ever') as ever \gset
select row_eq(format('select expires_at - enqueued_at from millrace.jobs where id = %s', :brief),
              row(interval '10 s'), 'the view says until when');
select is(pg_temp.claim(1), 'brief', 'a job that comes in time runs');
select millrace.settle_many(array[:brief], array(select fence from millrace.running), '{released}') \g /dev/null
select millrace_test.advance_clock('9.999999 s') \g /dev/null
select is(pg_temp.claim(3), 'brief long ever', 'until the last moment');
select millrace.settle_many(array_agg(job_id), array_agg(fence), array_fill('released'::text, array[3]))
  from millrace.running \g /dev/null
select results_eq(format('select cause from millrace.explain_job(%s)', :brief), $$ values ('next') $$,
                  'nothing keeps it');
select millrace_test.advance_clock('1 us') \g /dev/null
select results_eq(format('select cause, why from millrace.explain_job(%s) order by rank limit 1', :brief),
                  format($$ select 'expired', format('it was to begin before %%s: '
                                                     'the next claim that comes to it cancels it',
                                                     millrace.utc_text(%L)) $$, millrace.now()),
                  'explain_job says that its time is over');
select is(pg_temp.claim(3), 'long ever', 'at its time it does not begin any more');
select row_eq(format('select state, error, attempt, finished_at, fence, worker from millrace.jobs where id = %s',
                     :brief),
              row('cancelled'::text, 'expired'::text, 0::smallint, millrace.now(), null::bigint, null::text),
              'it is cancelled, and says why');
select results_eq(format('select cause, why ~ ''expired'' from millrace.explain_job(%s)', :brief),
                  $$ values ('cancelled', true) $$, 'so does explain_job');
select is(count(*), 1::bigint, 'there is no trace of it among what runs') from millrace.running where job_id = :long;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'the counts follow');
select millrace_test.advance_clock('2 h') \g /dev/null
select is(state, 'running', 'what has begun is left alone') from millrace.jobs where id = :long;
select millrace.settle_many(array_agg(job_id), array_agg(fence)) from millrace.running \g /dev/null

-- Retries, snoozes, promotions: no attempt begins late.
select millrace.enqueue('q', 'tried', expires_at => pg_temp.in_time('30 min')) as tried \gset
select pg_temp.claim() \g /dev/null
select millrace.fail(fence, job_id, 'boom') from millrace.running \g /dev/null
select millrace_test.advance_clock('2 h') \g /dev/null
select millrace.promote() \g /dev/null
select is(pg_temp.claim(), 'nothing', 'a retry that comes too late is none');
select is(pg_temp.states('tried'), 'cancelled 1 expired', 'its attempts are remembered');
select is(error, 'boom', 'and what was wrong with them') from millrace.attempt_failure where job_id = :tried;

-- All forms of enqueue.
select millrace.enqueue_many('q', 'many', '{1,2}', expires_at => pg_temp.in_time('1 s')) \g /dev/null
select millrace.enqueue_unique('q', 'unique', '{}', 'u', expires_at => pg_temp.in_time('1 s')) \g /dev/null
select millrace.enqueue_unique('q', 'first', '{}', 's', unique_until => 'started', expires_at => pg_temp.in_time('1 s'))
 \g /dev/null
select millrace.enqueue_unique('q', 'timed', '{}', 't', unique_for => '1 day', expires_at => pg_temp.in_time('1 s'))
 \g /dev/null
select millrace.enqueue('q', 'planned', delay => '1 s', expires_at => pg_temp.in_time('2 s')) \g /dev/null
select millrace.create_batch('q', kind => 'callback') as batch \gset
select millrace.enqueue('q', 'member', batch => :batch, expires_at => pg_temp.in_time('1 s')) \g /dev/null
select millrace.close_batch(:batch) \g /dev/null
select millrace.enqueue('q', 'keyed', concurrency_key => 'k', expires_at => pg_temp.in_time('1 s')) \g /dev/null
select millrace.enqueue('q', 'next', concurrency_key => 'k') \g /dev/null
select millrace.follow_up_all() \g /dev/null
select is(pg_temp.states('keyed') || ', ' || pg_temp.states('next'), 'available 0, blocked 0',
          'a job that has a slot and one that waits for it');
select millrace_test.advance_clock('2 s') \g /dev/null
select millrace.promote() \g /dev/null
select is(pg_temp.claim(100), 'nothing', 'a claim that finds only such as are late gets none');
select is(pg_temp.states(kind), states, 'expired: ' || kind)
  from (values ('many', 'cancelled 0 expired, cancelled 0 expired'), ('unique', 'cancelled 0 expired'),
               ('first', 'cancelled 0 expired'), ('timed', 'cancelled 0 expired'), ('planned', 'cancelled 0 expired'),
               ('member', 'cancelled 0 expired'), ('keyed', 'cancelled 0 expired')) e(kind, states);
select is(array_agg(unique_key), '{t}', 'unique keys are free, but for that which is for a time')
  from millrace.unique_job;
select is(pg_temp.claim(100), 'next callback', 'the next claim takes what has waited for them');
select row_eq('select state, cancelled from millrace.batches', row('finished'::text, 1::bigint),
              'the batch has finished');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'the counts follow');

-- A job that is given a new home takes its time with it.
select millrace.enqueue('q', 'moved', expires_at => pg_temp.in_time('1 h')) as moved \gset
select millrace.copy_jobs(array[:moved], stored_on, stored_on + 1) from millrace.job where id = :moved \g /dev/null
select is(count(distinct expires_at), 1::bigint, 'the same') from millrace.job where id = :moved
having count(*) = 2 and bool_and(expires_at is not null);

-- One that is put off has the new call's time, too; without run_at it keeps its own.
select pg_temp.claim(100) \g /dev/null
select millrace.enqueue_unique('q', 'late', '{}', 'late', delay => '10 min', expires_at => pg_temp.in_time('15 min'),
                               replaces => '{run_at}') \g /dev/null
select millrace_test.advance_clock('9 min') \g /dev/null
select is((millrace.enqueue_unique('q', 'late', '{}', 'late', delay => '10 min', replaces => '{run_at}',
                                   expires_at => pg_temp.in_time('15 min'))).replaced, true, 'a job that waits is put off');
select is((millrace.enqueue_unique('q', 'late', '{"v": 2}', 'late', replaces => '{payload}')).replaced, true,
          'and has other data');
select millrace_test.advance_clock('10 min') \g /dev/null
select millrace.promote() \g /dev/null
select is(pg_temp.claim(100), 'late', 'it begins in its new time');

-- A dead letter that may not begin any more stays one.
select millrace.enqueue('q', 'dead', expires_at => pg_temp.in_time('10 min')) as dead \gset
select pg_temp.claim(100) \g /dev/null
select millrace.discard(fence, job_id, 'e') from millrace.running where job_id = :dead \g /dev/null
select millrace_test.advance_clock('10 min') \g /dev/null
select throws_ok(format('select millrace.replay(%s)', :dead), 'MR007', null, 'its time is over: it is not replayed');
select row_eq($$ select changed, skipped from millrace.replay_many('q', '{"kind": "dead"}', dry_run => false) $$, row(0, 1),
              'nor with others');
select is(pg_temp.states('dead'), 'discarded 1 e', 'it is still there');

-- Refusals.
select millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.%s, expires_at => %s)', call, at), 'MR005', 'enqueue: bad expires_at',
                 call || at)
  from unnest(array['enqueue(''q'', ''k''', 'enqueue_many(''q'', ''k'', ''{1}''',
                    'enqueue_unique(''q'', ''k'', ''{}'', ''x''']) call,
       unnest(array['millrace.now()', $$'-infinity'$$, $$'infinity'$$,
                    $$millrace.now() + interval '20 years 1 s'$$]) at;
select throws_ok($$ select millrace.enqueue('q', 'k', delay => '1 h', expires_at => millrace.now() + interval '1 h') $$,
                 'MR005', 'enqueue: bad expires_at', 'before it may begin');
select is(millrace_test.fingerprint(), :'before'::text, 'nothing is left of any of them');
select lives_ok($$ select millrace.enqueue('q', 'k', delay => '1 h',
                                           expires_at => millrace.now() + interval '1 h 1 us') $$,
                'a microsecond is enough');

select * from finish();
rollback;
