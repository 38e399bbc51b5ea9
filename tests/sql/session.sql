-- session.sql: a worker's lease from its beginning to its end.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(54);
select millrace.create_queue('q'), millrace.create_queue('r') \g /dev/null
select millrace.now() as now \gset

set local role millrace_worker;
select millrace.open_session('w1', '{q,r}', 'host', 42, '1.2.3', '10 s') as s1 \gset
select millrace.open_session('w2', '{q}') as s2 \gset
reset role;
select row_eq(format('select name, host, pid, version, queues, state, started_at, heartbeat_at, lease_expires_at,
                             draining
                        from millrace.workers where id = %s', :s1),
              row('w1'::text, 'host'::text, 42, '1.2.3'::text, '{q,r}'::text[], 'alive'::text, :'now'::timestamptz,
                  :'now'::timestamptz, :'now'::timestamptz + interval '10 s', false),
              'a session is what it was opened as');
select is(lease_expires_at, :'now'::timestamptz + interval '30 s',
          'with a lease of 30 seconds unless it says otherwise')
  from millrace.workers where id = :s2;
select cmp_ok(:s1, '<>', :s2, 'no two sessions have the same id');

-- Heartbeats.
select millrace_test.advance_clock('9 s') as beat \gset
set local role millrace_worker;
select is(millrace.heartbeat(:s1), :'beat'::timestamptz + interval '10 s',
          'a heartbeat says when the lease expires now');
reset role;
select row_eq(format('select heartbeat_at, lease_expires_at, state from millrace.workers where id = %s', :s1),
              row(:'beat'::timestamptz, :'beat'::timestamptz + interval '10 s', 'alive'::text), 'and renews it');
select is(lease_expires_at, :'now'::timestamptz + interval '30 s', 'its own only') from millrace.workers where id = :s2;
select millrace.heartbeat(:s1, true) \g /dev/null
select is(state, 'draining', 'it says whether the worker drains') from millrace.workers where id = :s1;
select millrace.heartbeat(:s1, null) \g /dev/null
select is(state, 'alive', 'null is no') from millrace.workers where id = :s1;
select millrace_test.advance_clock('10 s') \g /dev/null
select is(state, 'alive', 'a lease lasts to its last microsecond') from millrace.workers where id = :s1;
select millrace_test.advance_clock('1 us') \g /dev/null
select is(state, 'overdue', 'then it is overdue') from millrace.workers where id = :s1;
select lives_ok(format('select millrace.heartbeat(%s)', :s1), 'which a heartbeat mends until somebody has reaped it');
select is(state, 'alive', 'as if nothing had been') from millrace.workers where id = :s1;
select is(millrace.reap(), 0, 'and nothing is taken back');

-- The end in good order.
select cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[2500]))),
       millrace.enqueue('r', 'k') as of_r \g /dev/null
select count(*) from millrace.claim(:s1, 'q', 2400) \g /dev/null
select job_id as kept from millrace.claim(:s2, 'q', 1) \gset
select count(*) from millrace.claim(:s1, 'r', 1) \g /dev/null
set local role millrace_worker;
select is(millrace.close_session(:s1), 2401, 'close_session gives back what the session still runs');
reset role;
select results_eq($$ select state, count(*), max(attempt)::int from millrace.jobs group by state order by state $$,
                  $$ values ('available', 2500::bigint, 0), ('running', 1, 1) $$,
                  'its jobs are available, the attempt does not count, another session''s run on');
select is(array_agg(job_id), array[:kept]::bigint[], 'the very job') from millrace.running;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                    where name = 'q' except select * from millrace_test.counted('q') $$, 'the counts follow');
select row_eq(format('select state, ended_at, end_reason from millrace.workers where id = %s', :s1),
              row('closed'::text, millrace.now(), 'closed'::text), 'the session is closed');
select is(count(*), 0::bigint, 'giving back is no failure') from millrace.attempt_failure;

-- After the end, of whatever kind.
select millrace_test.advance_clock('1 minute'), millrace.reap() \g /dev/null
select row_eq(format('select state, end_reason from millrace.workers where id = %s', :s2),
              row('lost'::text, 'lease expired'::text), 'a session that was reaped is lost');
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok(format(call, session), 'MR002', format('session %s has ended', session), format(call, session))
  from (values (:s1::text), (:s2::text), ('0'), ('-1'), ('null')) ended(session),
       (values ('select millrace.heartbeat(%s)'), ('select millrace.close_session(%s)'),
               ('select millrace.claim(%s, ''q'')')) calls(call)
 order by 1;
select throws_ok('select millrace.open_session(' || arguments || ')', 'MR005', 'open_session: bad ' || named, arguments)
  from (values ($$null, '{q}'$$, 'name'), ($$'', '{q}'$$, 'name'), ($$repeat('w', 201), '{q}'$$, 'name'),
               ($$'w', null$$, 'queues'), ($$'w', '{}'$$, 'queues'),
               ($$'w', array_fill('q'::text, array[1001])$$, 'queues'),
               ($$'w', '{q}', repeat('h', 256)$$, 'host'), ($$'w', '{q}', version => repeat('1', 101)$$, 'version'),
               ($$'w', '{q}', lease => null$$, 'lease'), ($$'w', '{q}', lease => '0'$$, 'lease'),
               ($$'w', '{q}', lease => '-10 s'$$, 'lease'), ($$'w', '{q}', lease => '999 ms'$$, 'lease'),
               ($$'w', '{q}', lease => '71582788 months -2147483640 days 10 s'$$, 'lease'),
               ($$'w', '{q}', lease => '1 h 1 us'$$, 'lease')) bad(arguments, named);
select throws_ok($$select millrace.open_session('w', '{q,nowhere}')$$, 'MR003', 'unknown queue ''nowhere''',
                 'a queue that there is not');
select throws_ok($$select millrace.open_session('w', array['q', null])$$, 'MR003', 'unknown queue null',
                 'no queue at all');
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

select lives_ok(call, call)
  from (values ($$select millrace.open_session(repeat('w', 200), '{q}', lease => '1 s')$$),
               ($$select millrace.open_session('w', '{q}', lease => '1 h')$$)) good(call);
select * from finish();
rollback;
