-- enqueue.sql: a job in the caller's transaction, where it goes, and what is refused.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(54);
select millrace.create_queue('q', max_attempts => 4, timeout => '5 minutes', max_payload_bytes => 100) as q \gset
select millrace.now() as now \gset

set local role millrace_enqueuer;
select millrace.enqueue('q', 'greet') as plain \gset
select millrace.enqueue('q', 'greet', '{"to": "ann"}', 2, null, null, 7, '1 minute',
                        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false) as full_job \gset
reset role;
select row_eq(format('select queue, kind, state, priority, attempt, max_attempts, run_at, payload, traceparent,
                             enqueued_at
                        from millrace.jobs where id = %s', :plain),
              row('q'::text, 'greet'::text, 'available'::text, 5::smallint, 0::smallint, 4::smallint, null::timestamptz,
                  '{}'::jsonb, null::text, :'now'::timestamptz), 'a job has the queue''s defaults');
select row_eq(format('select state, priority, max_attempts, payload, traceparent from millrace.jobs where id = %s',
                     :full_job),
              row('available'::text, 2::smallint, 7::smallint, '{"to": "ann"}'::jsonb,
                  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'::text), 'or what it was given');
select results_eq('select timeout from millrace.job order by id', $$ values (interval '5 min'), (interval '1 min') $$,
                  'its timeout is the queue''s unless it has its own');
select results_eq('select pos::text, job_id, attempt::int from millrace.ready order by job_id',
                  format('values (%L, %s::bigint, 0), (%1$L, %3$s, 0)', pg_current_xact_id(), :plain, :full_job),
                  'its position is the transaction that inserted it');

savepoint undone;
select millrace.enqueue('q', 'greet') \g /dev/null
rollback to undone;
select is(count(*), 2::bigint, 'an enqueue that is rolled back leaves no job') from millrace.jobs;

-- run_at and delay.
select millrace.enqueue('q', 'k', run_at => :'now'::timestamptz) as due,
       millrace.enqueue('q', 'k', run_at => '-infinity') as long_due,
       millrace.enqueue('q', 'k', delay => '0') as at_once,
       millrace.enqueue('q', 'k', run_at => :'now'::timestamptz + interval '1 us') as soon,
       millrace.enqueue('q', 'k', delay => '3 h') as later,
       millrace.enqueue('q', 'k', run_at => :'now'::timestamptz + interval '10 years') as last_date \gset
select results_eq('select id, state, run_at from millrace.jobs where kind = ''k'' order by id',
                  format($$ values (%s::bigint, 'available', null::timestamptz), (%s, 'available', null),
                                   (%s, 'available', null), (%s, 'scheduled', %L::timestamptz + interval '1 us'),
                                   (%6$s, 'scheduled', %5$L::timestamptz + interval '3 h'),
                                   (%7$s, 'scheduled', %5$L::timestamptz + interval '10 years') $$,
                         :due, :long_due, :at_once, :soon, :'now', :later, :last_date),
                  'a job whose time has come is available, another is scheduled');
select is(array_agg(distinct waits_for), '{run_at}', 'and waits for its time') from millrace.scheduled;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'the counts follow');

-- The day.
select is(array_agg(distinct stored_on), array[millrace.storage_day()], 'jobs are stored under the day')
  from millrace.job;
select millrace_test.advance_clock('1 month') \g /dev/null
select lives_ok($$select millrace.enqueue('q', 'tomorrow')$$, 'a missing partition stops nobody');
select is(stored_on, (select last_day from millrace.installation), 'the job is in the newest one')
  from millrace.job where kind = 'tomorrow';
select is(state, 'available', 'and available') from millrace.jobs where kind = 'tomorrow';
select millrace_test.set_clock(:'now') \g /dev/null

-- The limits are allowed, what is beyond them is not.
select lives_ok('select millrace.enqueue(' || arguments || ')', arguments)
  from (values ($$'q', repeat('ä', 100)$$), ($$'q', 'k', to_jsonb(repeat('a', 98))$$), ($$'q', 'k', 'null'$$),
               ($$'q', 'k', priority => 0$$), ($$'q', 'k', priority => 9$$), ($$'q', 'k', max_attempts => 1000$$),
               ($$'q', 'k', timeout => '30 days'$$), ($$'q', 'k', delay => '10 years'$$)) good(arguments);

select millrace_test.fingerprint() as before \gset
set local role millrace_enqueuer;
select throws_ok('select millrace.enqueue(' || arguments || ')', 'MR005', 'enqueue: bad ' || named, arguments)
  from (values ($$'q', null$$, 'kind'), ($$'q', ''$$, 'kind'), ($$'q', repeat('a', 101)$$, 'kind'),
               ($$'q', 'k', priority => null$$, 'priority'), ($$'q', 'k', priority => -1$$, 'priority'),
               ($$'q', 'k', priority => 10$$, 'priority'),
               ($$'q', 'k', run_at => millrace.now(), delay => '1 s'$$, 'run_at'),
               ($$'q', 'k', run_at => millrace.now() + interval '10 years 1 s'$$, 'run_at'),
               ($$'q', 'k', run_at => 'infinity'$$, 'run_at'),
               ($$'q', 'k', delay => '-1 us'$$, 'delay'), ($$'q', 'k', delay => '10 years 1 day'$$, 'delay'),
               -- compares as nothing, and would lead out of the range of times: here, or when it is claimed
               ($$'q', 'k', delay => '71582788 months -2147483640 days'$$, 'delay'),
               ($$'q', 'k', timeout => '71582788 months -2147483640 days 1 s'$$, 'timeout'),
               ($$'q', 'k', max_attempts => 32768$$, 'max_attempts'),
               ($$'q', 'k', max_attempts => 0$$, 'max_attempts'), ($$'q', 'k', max_attempts => -3$$, 'max_attempts'),
               ($$'q', 'k', max_attempts => 1001$$, 'max_attempts'),
               ($$'q', 'k', timeout => '0'$$, 'timeout'), ($$'q', 'k', timeout => '-1 s'$$, 'timeout'),
               ($$'q', 'k', timeout => '31 days'$$, 'timeout'),
               ($$'q', 'k', traceparent => ''$$, 'traceparent'), ($$'q', 'k', traceparent => 'x'$$, 'traceparent'),
               ($$'q', 'k', traceparent => '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01'$$, 'traceparent'),
               ($$'q', 'k', traceparent => E'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n'$$,
                'traceparent')) bad(arguments, named);
select throws_ok($$select millrace.enqueue('q', 'k', null)$$, 'MR005', 'enqueue: payload is null', 'payload null');
select throws_ok($$select millrace.enqueue('q', 'k', to_jsonb(repeat('a', 99)))$$, 'MR004',
                 'enqueue: payload of 101 bytes is too large, the queue allows 100', 'payload of a byte too many');
select throws_ok($$select millrace.enqueue('q', 'k', to_jsonb(repeat('ä', 50)))$$, 'MR004',
                 'enqueue: payload of 102 bytes is too large, the queue allows 100', 'bytes count, not characters');
select throws_ok($$select millrace.enqueue(repeat('q', 1000), 'k')$$, 'MR003',
                 'unknown queue ''' || repeat('q', 100) || '''', 'a long name is not repeated whole');
select throws_ok('select millrace.enqueue(' || arguments || ')', 'MR003', 'unknown queue ' || named, arguments)
  from (values ($$'nowhere', 'k'$$, '''nowhere'''), ($$'Q', 'k'$$, '''Q'''), ($$'', 'k'$$, ''''''),
               ($$'o''brien', 'k'$$, '''o''''brien'''), ('null, ''k''', 'null')) bad(arguments, named);
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

select * from finish();
rollback;
