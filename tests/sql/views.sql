-- views.sql: what a person sees: every job once, with its state; queues, workers, dead letters.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(33);
select millrace.create_queue('q', max_attempts => 3, retry_base => '10 s', timeout => '1 min'),
       millrace.create_queue('empty') \g /dev/null
select millrace.now() as now \gset
select millrace.open_session('w', '{q}', 'host', 7, '1.0') as session \gset

-- One job in each state.
select millrace.enqueue('q', 'completed') as completed, millrace.enqueue('q', 'discarded') as discarded,
       millrace.enqueue('q', 'retry') as retry, millrace.enqueue('q', 'running', '{"a": 1}') as running \gset
select fence from millrace.claim(:session, 'q', 4) limit 1 \gset
select millrace_test.advance_clock('5 s') as later \gset
select millrace.complete(:fence, :completed, '{"r": 1}'), millrace.discard(:fence, :discarded, 'bad'),
       millrace.fail(:fence, :retry, 'boom', '1 h'),
       millrace.enqueue('q', 'available') as available, millrace.enqueue('q', 'scheduled', delay => '2 h') as scheduled,
       millrace.enqueue('q', 'cancelled') as cancelled \gset
select millrace.cancel(:cancelled, 'not wanted') \g /dev/null

set local role millrace_viewer;
create temp table seen as select * from millrace.jobs;
reset role;
select set_eq('select kind, state from seen',
              $$ values ('completed', 'completed'), ('discarded', 'discarded'), ('retry', 'scheduled'),
                        ('running', 'running'), ('available', 'available'), ('scheduled', 'scheduled'),
                        ('cancelled', 'cancelled') $$, 'each job is shown in its state');
select is(count(*), count(distinct id), 'once') from seen;
select columns_are('millrace', 'jobs',
                   '{id,queue,kind,state,priority,attempt,max_attempts,run_at,worker,fence,claimed_at,deadline,
                     finished_at,error,result,payload,concurrency_key,unique_key,batch_id,
                     after_batch,traceparent,enqueued_at,expires_at,progress,cancelling}'::name[], 'with these columns');
select row_eq('select attempt, worker, fence, claimed_at, deadline, finished_at, error, payload from seen
                where kind = ''running''',
              row(1::smallint, 'w'::text, :fence::bigint, :'now'::timestamptz, :'now'::timestamptz + interval '1 min',
                  null::timestamptz, null::text, '{"a": 1}'::jsonb), 'running: who runs it since when and until when');
select row_eq('select attempt, worker, fence, finished_at, result, error from seen where kind = ''completed''',
              row(1::smallint, 'w'::text, :fence::bigint, :'later'::timestamptz, '{"r": 1}'::jsonb, null::text),
              'completed: who did it, when, with what result');
select row_eq('select attempt, run_at, worker, error from seen where kind = ''retry''',
              row(1::smallint, :'later'::timestamptz + interval '1 h', null::text, 'boom'::text),
              'waiting for its retry: until when, and why');
select row_eq('select attempt, run_at, error from seen where kind = ''scheduled''',
              row(0::smallint, :'later'::timestamptz + interval '2 h', null::text), 'scheduled: until when');
select row_eq('select attempt, worker, finished_at, error from seen where kind = ''discarded''',
              row(1::smallint, 'w'::text, :'later'::timestamptz, 'bad'::text), 'discarded: why');
select row_eq('select attempt, worker, finished_at, error from seen where kind = ''cancelled''',
              row(0::smallint, null::text, :'later'::timestamptz, 'not wanted'::text), 'cancelled: why');

-- A filter on the state reads the table of that state and no other.
create function pg_temp.tables_read(query text)
returns text[]
language plpgsql
as $$
declare
    plan jsonb;
begin
    execute 'explain (format json) ' || query into plan;
    return array(select distinct regexp_replace(relation #>> '{}', '_[0-9]{8}$', '')
                   from jsonb_path_query(plan, '$.**."Relation Name"') relation
                  where relation #>> '{}' !~ '^(job_[0-9]+|queue|worker|attempt_failure|job_progress|cancel_request)$'
                  order by 1);
end
$$;
select is(pg_temp.tables_read(format('select * from millrace.jobs where state = %L', state)), array[table_name]::text[],
          'state = ' || state || ' reads ' || table_name)
  from (values ('available', 'ready'), ('scheduled', 'scheduled'), ('running', 'running'),
               ('discarded', 'dead_letter'), ('completed', 'finished')) branch(state, table_name);

-- Queues.
set local role millrace_viewer;
select row_eq($$ select name, available, scheduled, blocked, running, dead, enqueued, completed, cancelled, failed
                   from millrace.queues where name = 'q' $$,
              row('q'::text, 1::bigint, 2::bigint, 0::bigint, 1::bigint, 1::bigint, 7::bigint, 1::bigint, 1::bigint,
                  2::bigint), 'a queue: its numbers');
select row_eq($$ select oldest_at, oldest_age, signal_raised, max_attempts, timeout, retry_base, retry_cap,
                        max_payload_bytes, retention
                   from millrace.queues where name = 'q' $$,
              row(:'later'::timestamptz, interval '0', false, 3::smallint, interval '1 min', interval '10 s',
                  interval '1 h', 1048576, interval '7 days'), 'its oldest job, its policy');
select row_eq($$ select available, enqueued, oldest_at, oldest_age from millrace.queues where name = 'empty' $$,
              row(0::bigint, 0::bigint, null::timestamptz, null::interval), 'an empty queue has no oldest job');
reset role;
select millrace_test.advance_clock('1 min'), millrace.enqueue('q', 'k', priority => 0),
       millrace.enqueue('q', 'k', priority => 9) \g /dev/null
select is(oldest_age, interval '1 min', 'the oldest job may be in any lane') from millrace.queues where name = 'q';
update millrace.ready set pos = '50' where job_id = :available;
update millrace.lane set low = '100';
select is(oldest_age, interval '0', 'below the low-water there is none') from millrace.queues where name = 'q';
update millrace.lane set pending = '{50}', pending_job = '{0}';
select is(oldest_age, interval '1 min', 'but those of long transactions') from millrace.queues where name = 'q';

-- Constant time: no number is counted over a backlog.
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[20000])) \g /dev/null
select millrace_test.pages_touched() as before \gset
select count(*) from millrace.queues \g /dev/null
select cmp_ok(millrace_test.pages_touched() - :before, '<', 300::bigint, 'the view queues touches few pages');
select is(available, 20003::bigint, 'its numbers are right nevertheless') from millrace.queues where name = 'q';

-- Workers.
set local role millrace_viewer;
select row_eq('select name, host, pid, version, queues, state, started_at, draining, ended_at, end_reason
                 from millrace.workers',
              row('w'::text, 'host'::text, 7, '1.0'::text, '{q}'::text[], 'overdue'::text, :'now'::timestamptz, false,
                  null::timestamptz, null::text), 'a worker: who, where, and whether it lives');
reset role;
select millrace.heartbeat(:session) \g /dev/null
select is(state, 'alive', 'alive') from millrace.workers;
select millrace.heartbeat(:session, true) \g /dev/null
select is(state, 'draining', 'draining') from millrace.workers;
select millrace.close_session(:session) \g /dev/null
select is(state, 'closed', 'closed') from millrace.workers;
select is(worker, 'w', 'a job keeps the name of its worker') from millrace.jobs where id = :completed;

-- Dead letters.
set local role millrace_viewer;
select row_eq('select job_id, queue, kind, attempt, error, discarded_at, worker, payload, enqueued_at
                 from millrace.dead_letters',
              row(:discarded::bigint, 'q'::text, 'discarded'::text, 1::smallint, 'bad'::text, :'later'::timestamptz,
                  'w'::text, '{}'::jsonb, :'now'::timestamptz), 'a dead letter: what, why, when');
select throws_ok('select * from millrace.' || relation, '42501', 'permission denied for table ' || relation,
                 relation)
  from unnest('{job,ready,finished}'::text[]) relation;
reset role;
select millrace.replay(:discarded) \g /dev/null
select is_empty('table millrace.dead_letters', 'replayed, it is none any more');
select is(state, 'available', 'but available') from millrace.jobs where id = :discarded;
select * from finish();
rollback;
