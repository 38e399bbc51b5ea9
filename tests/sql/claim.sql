-- claim.sql: who gets which job, with what, and what is refused. Its plan is the subject of claim_plan.sql.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(33);
select millrace.create_queue('q', timeout => '5 minutes') as q, millrace.create_queue('other') \gset
select millrace.now() as now \gset
select millrace.enqueue('q', 'low', '{"n": 1}', 9) as low, millrace.enqueue('q', 'b', '{"n": 2}') as b,
       millrace.enqueue('q', 'c', '{"n": 3}', max_attempts => 3, timeout => '1 s',
                        traceparent => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01') as c,
       millrace.enqueue('q', 'high', '{"n": 4}', 0) as high, millrace.enqueue('q', 'later', delay => '1 h') as later,
       millrace.enqueue('other', 'k') as foreign_job \gset
select millrace_test.advance_clock('1 minute') as claimed \gset

set local role millrace_worker;
select millrace.open_session('w', '{q}') as session \gset
create temp table first_claim as select * from millrace.claim(:session, 'q', 3);
create temp table second_claim as select * from millrace.claim(:session, 'q', 10);
reset role;
select results_eq('select kind from first_claim', $$ values ('high'), ('b'), ('c') $$,
                  'the first lane first, and the oldest in it');
select results_eq('select kind from second_claim', $$ values ('low') $$,
                  'then what is left; nothing scheduled, nothing of another queue');
select row_eq($$ select job_id, kind, priority, attempt, max_attempts, payload, timeout, deadline, traceparent,
                        enqueued_at
                   from first_claim where kind = 'c' $$,
              row(:c::bigint, 'c'::text, 5::smallint, 1::smallint, 3::smallint, '{"n": 3}'::jsonb, interval '1 s',
                  :'claimed'::timestamptz + interval '1 s',
                  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'::text,
                  :'now'::timestamptz), 'a job comes with all that its handler needs');
select is(deadline, :'claimed'::timestamptz + interval '5 minutes', 'its deadline counts from the claim')
  from first_claim where kind = 'b';
select row_eq(format('select state, attempt, worker, claimed_at, deadline from millrace.jobs where id = %s', :c),
              row('running'::text, 1::smallint, 'w'::text, :'claimed'::timestamptz,
                  :'claimed'::timestamptz + interval '1 s'), 'it is running');
select is(count(distinct fence), 1::bigint, 'jobs of one claim share a fence') from first_claim;
select is(count(distinct fence), 2::bigint, 'another claim has another')
  from (table first_claim union all table second_claim) both_claims;
select is(array_agg(distinct fence >> 32), array[:session]::bigint[], 'its high half is the session')
  from first_claim;
select set_eq('select job_id, fence from millrace.running',
              'select job_id, fence from first_claim union all select job_id, fence from second_claim',
              'the fence is in the row');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                    where name = 'q' except select * from millrace_test.counted('q') $$, 'the counts follow');

select count(*) as deltas from millrace.queue_delta \gset
select is_empty(format('select * from millrace.claim(%s, ''q'', 10)', :session), 'an empty queue gives nothing');
select is(count(*), :deltas::bigint, 'and counts nothing') from millrace.queue_delta;
select job_id as default_claim from millrace.claim(:session, 'other') \gset
select is(:default_claim, :foreign_job, 'one job unless more are asked for');
select is(deadline, null, 'no timeout, no deadline') from millrace.running where job_id = :default_claim;

-- The second attempt.
select millrace.fail(fence, job_id, 'e', '0') from first_claim where kind = 'c' \g /dev/null
select millrace.promote() \g /dev/null
select results_eq(format('select job_id, attempt::int from millrace.claim(%s, ''q'')', :session),
                  format('values (%s::bigint, 2)', :c), 'attempts count up');

-- Positions. Those below the low-water are passed over unless the lane lists them.
select millrace.enqueue('q', 'late') as late, millrace.enqueue('q', 'early') as early,
       millrace.enqueue('q', 'passed') as passed, millrace.enqueue('q', 'listed') as listed \gset
update millrace.ready set pos = '100' where job_id = :early;
update millrace.ready set pos = '50' where job_id = :passed;
update millrace.ready set pos = '60' where job_id = :listed;
update millrace.lane set low = '70', pending = '{40,60}', pending_job = '{0,0}' where queue_id = :q;
select results_eq(format('select kind from millrace.claim(%s, ''q'', 10)', :session),
                  $$ values ('listed'), ('early'), ('late') $$,
                  'listed positions first, then from the low-water on; what is proven dead is not looked at');
update millrace.lane set low = '0', pending = '{}', pending_job = '{}';
select millrace.discard(fence, job_id, 'e') from millrace.claim(:session, 'q') \g /dev/null

-- A low lane is late but never starves: with the oldest job in lane 9 and always enough in lane 0, one claim in ten.
select setseed(0.42) \g /dev/null
select millrace.enqueue_many('q', 'high', array_fill('{}'::jsonb, array[600]), 0),
       millrace.enqueue_many('q', 'low', array_fill('{}'::jsonb, array[600]), 9) \g /dev/null
update millrace.ready set pos = '100' where priority = 9;
create temp table taken as
select c.kind from generate_series(1, 500) g cross join lateral millrace.claim(:session + 0 * g, 'q') c;
select diag('seed 0.42: ' || count(*) || ' of 500 claims from lane 9') from taken where kind = 'low';
select ok(count(*) between 25 and 90, 'about one claim in ten begins with the oldest job')
  from taken where kind = 'low';
delete from millrace.ready;

-- A wide row that is missing.
select millrace.enqueue('q', 'lost') as lost \gset
delete from millrace.job where id = :lost;
select results_eq(format('select job_id, kind, payload from millrace.claim(%s, ''q'')', :session),
                  format('values (%s::bigint, null::text, null::jsonb)', :lost), 'is seen to be missing');
select is(count(*), 1::bigint, 'by a job that runs and can be settled') from millrace.running where job_id = :lost;
select is(millrace.settle_many(array[:lost], array[fence], '{discarded}', '{job row missing}'), '{}', 'as discarded')
  from millrace.running where job_id = :lost;

-- The limits are allowed, what is beyond them is not.
select lives_ok(format('select millrace.claim(%s, ''q'', 10000)', :session), 'ten thousand');
select millrace.enqueue('q', 'k') \g /dev/null
select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok(format('select millrace.claim(%s, ''q'', %s)', :session, amount), 'MR005', 'claim: bad max_jobs',
                 amount)
  from (values ('null'), ('0'), ('-1'), ('10001')) bad(amount);
select throws_ok(format('select millrace.claim(%s, %L)', :session, queue), 'MR003', 'unknown queue ' || named, named)
  from (values ('nowhere', '''nowhere'''), ('Q', '''Q'''), ('', ''''''), (null, 'null')) bad(queue, named);
select throws_ok('select millrace.claim(999, ''q'')', 'MR002', 'session 999 has ended', 'a session that never was');
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

-- A fence is not to be guessed from the one before.
select setseed(0.42) \g /dev/null
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[1000])) \g /dev/null
create temp table fences as
select c.fence & 4294967295 as bits
  from generate_series(1, 1000) g cross join lateral millrace.claim(:session + 0 * g, 'q') c;
select is(count(distinct bits), 1000::bigint, 'a thousand claims have a thousand fences') from fences;
select ok(bool_or(bits < 1 << 30) and bool_or(bits >= 3::bigint << 30) and min(bits) >= 0,
          'drawn from all 32 bits') from fences;
select * from finish();
rollback;
