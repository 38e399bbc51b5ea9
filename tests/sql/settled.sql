-- settled.sql: what settle_many refuses before it touches anything, and which successors it enqueues.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(67);
select millrace.create_queue('q', max_payload_bytes => 50), millrace.create_queue('next', max_payload_bytes => 50)
    \g /dev/null
select millrace.open_session('w', '{q}') as session \gset
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[4])) as jobs \gset
create temp table held as select * from millrace.claim(:session, 'q', 4);
grant select on held to millrace_worker;
select fence from held limit 1 \gset

-- Refused: the arguments after job_ids '{1,2}' and fences, in which f stands for the fence that holds both jobs.
create temp table bad (arguments text, code text, message text);
grant select on bad to millrace_worker;
insert into bad values
    ($$null, '{f}'$$, 'MR005', 'job_ids'), ($$'{1,null}', '{f,f}'$$, 'MR005', 'job_ids'),
    ($$'{1,1}', '{f,f}'$$, 'MR005', 'job_ids'), ($$'{{1,2}}', '{f,f}'$$, 'MR005', 'job_ids'),
    ($$'[0:1]={1,2}', '{f,f}'$$, 'MR005', 'job_ids'),
    ($$'{1,2}', null$$, 'MR005', 'fences'), ($$'{1,2}', '{}'$$, 'MR005', 'fences'),
    ($$'{1,2}', '{f}'$$, 'MR005', 'fences'), ($$'{1,2}', '{f,null}'$$, 'MR005', 'fences'),
    ($$'{1,2}', '{f,f,f}'$$, 'MR005', 'fences'), ($$'{1,2}', '{{f,f}}'$$, 'MR005', 'fences'),
    ($$'{1,2}', '[0:1]={f,f}'$$, 'MR005', 'fences'),
    ($$'{1,2}', '{f,f}', '{}'$$, 'MR005', 'outcomes'), ($$'{1,2}', '{f,f}', '{completed}'$$, 'MR005', 'outcomes'),
    ($$'{1,2}', '{f,f}', '{completed,null}'$$, 'MR005', 'outcomes'),
    ($$'{1,2}', '{f,f}', '{completed,done}'$$, 'MR005', 'outcomes'),
    ($$'{1,2}', '{f,f}', '{completed,canceled}'$$, 'MR005', 'outcomes'),
    ($$'{1,2}', '{f,f}', '{completed,COMPLETED}'$$, 'MR005', 'outcomes'),
    ($$'{1,2}', '{f,f}', '{{completed,completed}}'$$, 'MR005', 'outcomes'),
    ($$'{1,2}', '{f,f}', '[0:1]={completed,completed}'$$, 'MR005', 'outcomes'),
    ($$'{1,2}', '{f,f}', '{completed,failed}'$$, 'MR005', 'errors'),
    ($$'{1,2}', '{f,f}', '{completed,discarded}'$$, 'MR005', 'errors'),
    ($$'{1,2}', '{f,f}', '{completed,failed}', '{e,null}'$$, 'MR005', 'errors'),
    ($$'{1,2}', '{f,f}', '{completed,failed}', '{e,""}'$$, 'MR005', 'errors'),
    ($$'{1,2}', '{f,f}', '{completed,failed}', '{e}'$$, 'MR005', 'errors'),
    ($$'{1,2}', '{f,f}', '{failed,failed}', '{{e,e}}'$$, 'MR005', 'errors'),
    ($$'{1,2}', '{f,f}', '{completed,snoozed}'$$, 'MR005', 'delays'),
    ($$'{1,2}', '{f,f}', '{completed,snoozed}', null, '{1 s,null}'$$, 'MR005', 'delays'),
    ($$'{1,2}', '{f,f}', '{completed,snoozed}', null, '{1 s}'$$, 'MR005', 'delays'),
    ($$'{1,2}', '{f,f}', '{completed,snoozed}', null, '{null,-1 s}'$$, 'MR005', 'delays'),
    ($$'{1,2}', '{f,f}', '{completed,failed}', '{null,e}', '{null,11 years}'$$, 'MR005', 'delays'),
    ($$'{1,2}', '{f,f}', '{snoozed,snoozed}', null, '{{1 s,1 s}}'$$, 'MR005', 'delays'),
    ($$'{1,2}', '{f,f}', '{completed,snoozed}', null, '{null,71582788 months -2147483640 days}'$$, 'MR005', 'delays'),
    ($$'{1,2}', '{f,f}', results => '{"1"}'$$, 'MR005', 'results'),
    ($$'{1,2}', '{f,f}', results => '{{"1","2"}}'$$, 'MR005', 'results'),
    ($$'{1,2}', '{f,f}', results => array[null, to_jsonb(repeat('r', 1048575))]$$, 'MR005', 'results'),
    ($$'{1,2}', '{f,f}', successors => '{}'$$, 'MR005', 'successors'),
    ($$'{1,2}', '{f,f}', successors => '[1]'$$, 'MR005', 'successors'),
    ($$'{1,2}', '{f,f}', successors => '[{"queue": "next", "kind": "k"}]'$$, 'MR005', 'successors'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": "1", "queue": "next", "kind": "k"}]'$$, 'MR005', 'successors'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 3, "queue": "next", "kind": "k"}]'$$, 'MR005', 'successors'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next", "kind": "k", "wake": true}]'$$, 'MR005',
     'successors'),
    ($$'{1,2}', '{f,f}', successors => (select jsonb_agg('{"after": 1, "queue": "next", "kind": "k"}'::jsonb)
                                          from generate_series(1, 1001))$$, 'MR005', 'successors'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next", "kind": "k", "delay": "soon"}]'$$, 'MR005',
     'successors'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next", "kind": "k", "delay": "9e99 s"}]'$$, 'MR005',
     'successors'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next", "kind": "k", "delay": "99999999999 d"}]'$$,
     'MR005', 'successors'),
    -- what enqueue refuses takes the settle back with it
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "kind": "k"}]'$$, 'MR003', 'unknown queue null'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "nowhere", "kind": "k"}]'$$, 'MR003',
     'unknown queue ''nowhere'''),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next"}]'$$, 'MR005', 'enqueue: bad kind'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next", "kind": "k", "priority": 10}]'$$, 'MR005',
     'enqueue: bad priority'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next", "kind": "k", "delay": "-1 s"}]'$$, 'MR005',
     'enqueue: bad delay'),
    ($$'{1,2}', '{f,f}', successors => '[{"after": 1, "queue": "next", "kind": "k", "traceparent": "x"}]'$$, 'MR005',
     'enqueue: bad traceparent'),
    ($$'{1,2}', '{f,f}', successors => jsonb_build_array(jsonb_build_object('after', 2, 'queue', 'next', 'kind', 'k',
                                         'payload', repeat('p', 49)))$$, 'MR004',
     'enqueue: payload of 51 bytes is too large, the queue allows 50'),
    ($$array_fill(1::bigint, '{1001}'), array_fill(f::bigint, '{1001}')$$, 'MR010', 'settle: 1001 jobs in one call');

select millrace_test.fingerprint() as before \gset
set local role millrace_worker;
select throws_ok('select millrace.settle_many(' || regexp_replace(arguments, '\mf\M', :'fence', 'g') || ')', code,
                 case when message ~ '^[a-z_]+$' then 'settle: bad ' || message else message end, left(arguments, 100))
  from bad;
reset role;
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

-- Successors are enqueued with the settle of the job they come after, once.
set local role millrace_worker;
select is(millrace.settle_many('{1,2,3}', array[:fence, :fence, 7], '{completed,released,completed}', successors =>
    '[{"after": 1, "queue": "next", "kind": "second", "payload": {"step": 2}, "priority": 1,
       "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
      {"after": 1, "queue": "next", "kind": "later", "delay": "5 seconds", "payload": null},
      {"after": 2, "queue": "q", "kind": "beside"},
      {"after": 3, "queue": "next", "kind": "never"}]'), '{3}', 'two of three jobs are held');
reset role;
select results_eq($$ select queue, kind, state, payload, priority::int, run_at - millrace.now() from millrace.jobs
                      where kind <> 'k' order by id $$,
                  $$ values ('next', 'second', 'available', '{"step": 2}'::jsonb, 1, null::interval),
                            ('next', 'later', 'scheduled', '{}', 5, '5 s'),
                            ('q', 'beside', 'available', '{}', 5, null) $$,
                  'their successors are enqueued as asked for, not those of the job that is not held');
select is(traceparent, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'in the trace that was named')
  from millrace.jobs where kind = 'second';
select millrace_test.fingerprint() as before \gset
select is(millrace.settle_many('{1,2,3}', array[:fence, :fence, 7], '{completed,released,completed}', successors =>
    '[{"after": 1, "queue": "next", "kind": "second"}, {"after": 2, "queue": "next", "kind": "second"}]'), '{3}',
    'repeated, the settle is accepted');
select is(millrace_test.fingerprint(), :'before', 'and enqueues nothing more');
select is(millrace.settle_many('{3}', array[:fence], successors => (
    select jsonb_agg('{"after": 3, "queue": "next", "kind": "fan-out"}'::jsonb) from generate_series(1, 1000))), '{}',
    'a job may have a thousand successors');
select is(count(*), 1000::bigint, 'which are all there') from millrace.job where kind = 'fan-out';
select is(millrace.settle_many('{4}', array[:fence], '{failed}', '{e}', successors => '[]'), '{}', 'or none');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                    where name = 'next' except select * from millrace_test.counted('next') $$, 'the counts follow');

-- What a cancelled job, or a job without a fence, remembers is nobody's settle.
select millrace.enqueue('q', 'k') as waiting \gset
select millrace.cancel(:waiting) \g /dev/null
select is(millrace.settled_as(null, :waiting), null, 'a cancelled job was settled by no fence');
select is(millrace.settled_as(:fence, null), null, 'no job was settled by a fence');
select is(millrace.settle_many(array[:waiting], array[:fence]), array[:waiting]::bigint[], 'nor can it be');

select * from finish();
rollback;
