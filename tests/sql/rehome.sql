-- rehome.sql: jobs that wait, or await a person, outlive the day they were stored under; nothing about them changes.
--
-- Another session holds a row meanwhile: this file has no transaction around it and wants a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(34);
select millrace.create_queue('q', max_attempts => 3, retention => '1 day') \g /dev/null
select first_day as day from millrace.installation \gset
select millrace.open_session('w', '{q}', lease => '1 h') as session \gset

-- One job in each state, with everything that a wide row may hold.
select millrace.enqueue('q', 'running', '{"a": 1}') as running_job, millrace.enqueue('q', 'retry', '{"a": 2}') as retry,
       millrace.enqueue('q', 'dead', '{"a": 3}') as dead, millrace.enqueue('q', 'done', '{"a": 4}') as done \gset
select fence from millrace.claim(:session, 'q', 4) limit 1 \gset
select millrace.fail(:fence, :retry, 'boom', '30 days'), millrace.discard(:fence, :dead, 'bad'),
       millrace.complete(:fence, :done), millrace.enqueue('q', 'scheduled', '{"a": 5}', delay => '20 days'),
       millrace.enqueue('q', 'held', priority => 0),
       millrace.enqueue('q', 'available', '{"a": 6}', 7, max_attempts => 2, timeout => '1 min',
                        traceparent => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01') as available \gset
create function pg_temp.maintain()
returns void
language plpgsql
as $$
begin
    while millrace.maintain_partitions() > 0 loop
        null;
    end loop;
end
$$;
create temp table before as table millrace.jobs;
create temp table position_before as select job_id, pos from millrace.ready;
select is(millrace.rehome_day(millrace.storage_day()), 0, 'from its own day no job is moved');

-- Two days later the retention is over. Somebody is about to claim a job; the others move.
select millrace_test.advance_clock('2 days'), dblink_connect('second', millrace_test.here()) \g /dev/null
select dblink_exec('second', 'begin') \g /dev/null
select kind
  from dblink('second', format('select kind from millrace.claim(%s, ''q'')', :session)) d(kind text) \g /dev/null
select pg_temp.maintain() \g /dev/null
select isnt(to_regclass('millrace.job_' || to_char(:'day'::date, 'YYYYMMDD')), null,
            'the day is kept, a job of it runs');
select set_eq('table millrace.jobs', 'table before', 'nothing about any job has changed');
select set_eq(format('select b.kind from before b join (%s) n on n.job_id = b.id where n.stored_on = %L',
                     string_agg('select job_id, stored_on from millrace.' || t, ' union all '), :'day'::date + 2),
              $$ values ('available'), ('scheduled'), ('retry'), ('dead') $$,
              'those that wait are stored under today; not those that run, are being claimed or are done')
  from unnest('{ready,scheduled,dead_letter,running,finished}'::text[]) t;
select set_eq('select job_id, pos from millrace.ready', 'table position_before', 'each keeps its place');
select pg_temp.maintain() \g /dev/null
select set_eq('table millrace.jobs', 'table before', 'moved again, there is nothing to move');
select is(settled, true, 'the claim succeeds')
  from dblink('second', format('select millrace.settle_many(array_agg(job_id), array_agg(fence)) = ''{}''
                                  from millrace.running where job_id <> %s', :running_job)) d(settled boolean);
select dblink_exec('second', 'commit') \g /dev/null
select millrace.complete(:fence, :running_job) \g /dev/null
select is(millrace.settled_as(:fence, :retry), 'failed', 'a settle of before is remembered');
select is(millrace.settled_as(:fence, :dead), 'discarded', 'of each');

-- When the retention of the last settle is over, the day is.
select millrace_test.advance_clock('36 h'), millrace.heartbeat(:session) \g /dev/null
select pg_temp.maintain() \g /dev/null
select is(to_regclass('millrace.job_' || to_char(:'day'::date, 'YYYYMMDD')), null,
          'the day goes when nothing runs in it');
select set_eq('table millrace.jobs',
              $$ select * from before where kind in ('available', 'scheduled', 'retry', 'dead') $$,
              'those that wait are as they were');
select is(count(*), 4::bigint, 'once') from millrace.job;
select row_eq('select available, scheduled, blocked, running, dead from millrace.queues',
              row(1::bigint, 2::bigint, 0::bigint, 0::bigint, 1::bigint),
              'the counts know nothing of it');

-- They go on from where they were.
select row_eq(format('select job_id, kind, payload, max_attempts, timeout, traceparent from millrace.claim(%s, ''q'')',
                     :session),
              row(:available::bigint, 'available'::text, '{"a": 6}'::jsonb, 2::smallint, interval '1 min',
                  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'::text), 'one is claimed with all it has');
select is(millrace.settle_many(array[job_id], array[fence]), '{}', 'settled') from millrace.running;
select is(state, 'completed', 'and shown') from millrace.jobs where id = :available;
select is(millrace.replay(:dead), 'available', 'the dead letter is replayed');
select is(payload, '{"a": 3}', 'with its payload') from millrace.claim(:session, 'q');
select millrace.complete(fence, job_id) from millrace.running \g /dev/null
select millrace_test.advance_clock('30 days'), pg_temp.maintain() \g /dev/null
select millrace.open_session('w', '{q}') as session \gset
select is(promoted, 2, 'the retry and the scheduled one are promoted') from millrace.promote();
select results_eq(format('select kind, payload, attempt::int from millrace.claim(%s, ''q'', 2) order by kind',
                         :session),
                  $$ values ('retry', '{"a": 2}'::jsonb, 2), ('scheduled', '{"a": 5}', 1) $$, 'and run');
select is(millrace.fail(fence, job_id, 'e'), 'scheduled', 'a failed job: ' || job_id) from millrace.running
 where worker = :session order by job_id;
select is(millrace.settled_as(fence, job_id), 'failed', 'is remembered: ' || job_id)
  from millrace.scheduled order by job_id;
select is(count(*), count(distinct id), 'every job is shown once') from millrace.jobs;

-- What another session holds for a moment cannot move, and keeps its day until the next call.
create function pg_temp.gone(day date)
returns boolean
language plpgsql
as $$
begin
    perform pg_temp.maintain();
    return to_regclass('millrace.job_' || to_char(day, 'YYYYMMDD')) is null;
end
$$;
select millrace.storage_day() as day, millrace.enqueue('q', 'replayed', priority => 0) as job \gset
select millrace.open_session('w', '{q}', lease => '1 s') as session \gset
select millrace.discard(fence, job_id, 'e') from millrace.claim(:session, 'q') \g /dev/null
select millrace_test.advance_clock('2 days'), dblink_exec('second', 'begin') \g /dev/null
select state from dblink('second', format('select millrace.replay(%s)', :job)) d(state text) \g /dev/null
select is(pg_temp.gone(:'day'), false, 'a dead letter that is being replayed keeps its day');
select dblink_exec('second', 'rollback'), millrace_test.advance_clock('1 hour') \g /dev/null
select is(pg_temp.gone(:'day'), true, 'for as long as that');
select millrace.storage_day() as day, millrace.enqueue('q', 'promoted', delay => '1 s') as job \gset
select millrace_test.advance_clock('2 days'), dblink_exec('second', 'begin') \g /dev/null
select state from dblink('second', format('select millrace.retry(%s)', :job)) d(state text) \g /dev/null
select is(pg_temp.gone(:'day'), false, 'so does a job that is being made available');
select dblink_exec('second', 'rollback') \g /dev/null
select is(pg_temp.gone(:'day'), true, 'for as long as that');
select millrace.storage_day() as day, millrace.enqueue('q', 'claimed') as job \gset
select millrace_test.advance_clock('2 days'), millrace.open_session('w', '{q}') as session \gset
select dblink_exec('second', 'begin') \g /dev/null
select jobs from dblink('second', format('select count(*) from millrace.claim(%s, ''q'', 9)', :session)) d(jobs int)
    \g /dev/null
select is(pg_temp.gone(:'day'), false, 'and one that is being claimed');
select dblink_exec('second', 'rollback') \g /dev/null
-- The claim held on to the tables: nobody tries again sooner.
select millrace_test.advance_clock('10 minutes') \g /dev/null
select is(pg_temp.gone(:'day'), true, 'for as long as that');
select is(count(*), 3::bigint, 'none is lost') from millrace.jobs where kind in ('replayed', 'promoted', 'claimed');

-- A hundred thousand at a time; what is left over keeps the day until the next call. Narrow rows alone will do here.
select dblink_disconnect('second'), millrace.storage_day() as day \gset
insert into millrace.ready (job_id, stored_on, queue_id, priority)
select 1000000 + g, :'day', 1, 5 from generate_series(1, 100001) g;
select millrace_test.advance_clock('2 days') \g /dev/null
select ok(millrace.rehome_day(:'day') between 100000 and 100009, 'a hundred thousand of each table at a time');
select is(pg_temp.gone(:'day'), true, 'and the day goes with the rest');
select * from finish();
