-- enqueue_many.sql: all jobs of one call, or none.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(39);
select millrace.create_queue('q', max_attempts => 4, max_payload_bytes => 100) \g /dev/null
select millrace.now() as now \gset

set local role millrace_enqueuer;
select millrace.enqueue_many('q', 'k', array(select to_jsonb(g) from generate_series(1, 500) g)) as ids \gset
select millrace.enqueue_many('q', 'full', '{"{}"}', 2, null, '1 h', 7, '1 minute',
                             '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false) as full_ids \gset
reset role;

select results_eq(format('select j.payload::int from unnest(%L::bigint[]) with ordinality u(id, place)
                          join millrace.jobs j using (id) order by u.place', :'ids'),
                  'select generate_series(1, 500)', 'the ids come in the order of the payloads');
select is(array_agg(distinct (state, priority, attempt, max_attempts, enqueued_at)::text),
          array[('available', 5, 0, 4, :'now'::timestamptz)::text], 'jobs have the queue''s defaults')
  from millrace.jobs where kind = 'k';
select row_eq(format('select id, state, priority, max_attempts, run_at, traceparent from millrace.jobs
                       where kind = ''full'''),
              row((:'full_ids'::bigint[])[1], 'scheduled'::text, 2::smallint, 7::smallint,
                  :'now'::timestamptz + interval '1 h',
                  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'::text),
              'or what they were given');
select is(timeout, interval '1 min', 'with their timeout') from millrace.job where kind = 'full';
select is(count(*), 2::bigint, 'one row of counts per call') from millrace.queue_delta;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'and it is right');
select is(millrace.enqueue_many('q', 'k', '{}'), '{}', 'nothing is enqueued from an empty array');
select is(cardinality(millrace.enqueue_many('q', 'k', '{{"1","2"},{"3","4"}}')), 4, 'dimensions do not matter');
select is(cardinality(millrace.enqueue_many('q', 'k', '[5:6]={1,2}'::jsonb[])), 2, 'nor where the array begins');
select is(cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[50000]))), 50000,
          'fifty thousand are not too many');

select millrace_test.fingerprint() as before \gset
set local role millrace_enqueuer;
select throws_ok('select millrace.enqueue_many(' || arguments || ')', 'MR005', 'enqueue: bad ' || named, arguments)
  from (values ($$'q', null, '{"1"}'$$, 'kind'), ($$'q', '', '{"1"}'$$, 'kind'), ($$'q', '', '{}'$$, 'kind'),
               ($$'q', repeat('a', 101), '{"1"}'$$, 'kind'),
               ($$'q', 'k', '{"1"}', priority => null$$, 'priority'),
               ($$'q', 'k', '{"1"}', priority => -1$$, 'priority'),
               ($$'q', 'k', '{"1"}', priority => 10$$, 'priority'),
               ($$'q', 'k', '{"1"}', run_at => millrace.now(), delay => '1 s'$$, 'run_at'),
               ($$'q', 'k', '{"1"}', run_at => millrace.now() + interval '10 years 1 s'$$, 'run_at'),
               ($$'q', 'k', '{"1"}', run_at => 'infinity'$$, 'run_at'),
               ($$'q', 'k', '{"1"}', delay => '-1 us'$$, 'delay'),
               ($$'q', 'k', '{"1"}', delay => '11 years'$$, 'delay'),
               ($$'q', 'k', '{"1"}', max_attempts => 0$$, 'max_attempts'),
               ($$'q', 'k', '{"1"}', max_attempts => -3$$, 'max_attempts'),
               ($$'q', 'k', '{"1"}', max_attempts => 1001$$, 'max_attempts'),
               ($$'q', 'k', '{"1"}', timeout => '0'$$, 'timeout'),
               ($$'q', 'k', '{"1"}', timeout => '-1 s'$$, 'timeout'),
               ($$'q', 'k', '{"1"}', timeout => '31 days'$$, 'timeout'),
               ($$'q', 'k', '{"1"}', traceparent => 'x'$$, 'traceparent')) bad(arguments, named);
select throws_ok($$select millrace.enqueue_many('q', 'k', null)$$, 'MR005', 'enqueue_many: payloads is null',
                 'payloads null');
select throws_ok($$select millrace.enqueue_many('q', 'k', array['{}', null, '{}']::jsonb[])$$, 'MR005',
                 'enqueue: payload is null', 'one payload null');
select throws_ok($$select millrace.enqueue_many('q', 'k', array['{}', to_jsonb(repeat('a', 99))])$$, 'MR004',
                 'enqueue: payload of 101 bytes is too large, the queue allows 100', 'one payload too large');
select throws_ok($$select millrace.enqueue_many('q', 'k', '{{"1"},{null}}')$$, 'MR005', 'enqueue: payload is null',
                 'one null in two dimensions');
select throws_ok($$select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[50001]))$$, 'MR010',
                 'enqueue_many: 50001 payloads in one call', 'fifty thousand and one');
select throws_ok('select millrace.enqueue_many(' || arguments || ')', 'MR003', 'unknown queue ' || named, arguments)
  from (values ($$'nowhere', 'k', '{"1"}'$$, '''nowhere'''), ($$'nowhere', 'k', '{}'$$, '''nowhere'''),
               ($$'Q', 'k', '{"1"}'$$, '''Q'''), ('null, ''k'', ''{"1"}''', 'null')) bad(arguments, named);
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

select * from finish();
rollback;
