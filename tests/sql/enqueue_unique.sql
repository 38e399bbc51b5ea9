-- enqueue_unique.sql: one job for a key at a time, for each scope; replacements; what is refused.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(109);
select millrace.create_queue('q', max_attempts => 1, max_payload_bytes => 100) as q,
       millrace.create_queue('other') as other \gset
select millrace.open_session('w', '{q,other}') as session \gset

create function pg_temp.enqueue(kind text, until text default null, keep interval default null, key text default 'k',
                                queue text default 'q')
returns text  -- the kind of the job that has the key now, and whether that is a new one
language plpgsql
as $$
declare
    said record;
begin
    said := millrace.enqueue_unique(queue, kind, '{}', key, until, keep);
    return (select j.kind from millrace.job j where j.id = said.id) || case when said.inserted then ' new'
                                                                             else ' there' end;
end
$$;
create function pg_temp.claim()
returns text
language sql
as $$
    select coalesce(string_agg(c.kind, ' ' order by c.job_id), 'nothing')
      from millrace.claim((select max(w.id) from millrace.worker w), 'q', 10) c
$$;
create function pg_temp.settle(name text, outcome text default 'completed')
returns bigint[]
language sql
as $$
    select millrace.settle_many(array[r.job_id], array[r.fence], array[outcome], array['e'], array[interval '10 s'])
      from millrace.running r join millrace.job j on j.id = r.job_id where j.kind = name
$$;
create function pg_temp.id_of(name text)
returns bigint
language sql
as $$ select j.id from millrace.job j where j.kind = name $$;
create function pg_temp.taken()
returns text
language sql
as $$
    select coalesce((select j.kind from millrace.unique_job u join millrace.job j on j.id = u.job_id
                      where u.unique_key = 'k'), 'free')
$$;

-- What it returns.
set local role millrace_enqueuer;
select id as first, inserted, replaced from millrace.enqueue_unique('q', 'first', '{"n": 1}', 'one') \gset
select is(:'inserted'::boolean, true, 'the first is inserted');
select is(:'replaced'::boolean, false, 'and replaces nothing');
select row_eq($$ select * from millrace.enqueue_unique('q', 'second', '{"n": 2}', 'one') $$,
              row(:first::bigint, false, false),
              'a duplicate gets the id of the first');
reset role;
select row_eq($$ select kind, state, priority, payload, unique_key from millrace.jobs $$,
              row('first'::text, 'available'::text, 5::smallint, '{"n": 1}'::jsonb, 'one'::text),
              'which is there once, as it was');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues where name = 'q' except select * from millrace_test.counted('q') $$,
                'and counted once');
select isnt((millrace.enqueue_unique('q', 'x', '{}', 'two')).id, :first::bigint, 'another key is another job');
select isnt((millrace.enqueue_unique('other', 'x', '{}', 'one')).id, :first::bigint,
            'so is the same key of another queue');
select millrace.enqueue_unique('q', 'full', '{"a": 1}', 'three', priority => 2, delay => '1 min', max_attempts => 7,
                               timeout => '5 s', concurrency_key => 'c',
                               traceparent => '00-' || repeat('a', 32) || '-' || repeat('b', 16) || '-01') \g /dev/null
select row_eq($$ select priority, run_at, max_attempts, traceparent, concurrency_key from millrace.jobs
                  where kind = 'full' $$,
              row(2::smallint, millrace.now() + interval '1 min', 7::smallint,
                  '00-' || repeat('a', 32) || '-' || repeat('b', 16) || '-01', 'c'::text),
              'all options of enqueue hold');
select is(timeout, interval '5 s', 'the timeout, too') from millrace.job where kind = 'full';
select millrace.cancel(id) from millrace.jobs \g /dev/null
select is(count(*), 0::bigint, 'cancelled jobs give their keys back') from millrace.unique_job;

-- Until it has finished: the default.
select is(pg_temp.enqueue('a'), 'a new', 'until finished');
select is(pg_temp.claim(), 'a', 'it begins');
select is(pg_temp.enqueue('b', 'finished'), 'a there', 'one that runs has the key');
select pg_temp.settle('a', 'snoozed') \g /dev/null
select is(pg_temp.enqueue('b'), 'a there', 'one that is snoozed');
select millrace_test.advance_clock('10 s'), millrace.promote() \g /dev/null
select is(pg_temp.claim(), 'a', 'it goes on');
select pg_temp.settle('a', 'released') \g /dev/null
select is(pg_temp.enqueue('b'), 'a there', 'one that was given back');
select is(pg_temp.claim(), 'a', 'it goes on');
select pg_temp.settle('a') \g /dev/null
select is(pg_temp.enqueue('b'), 'b new', 'a completed one has it no more');
select is(pg_temp.claim(), 'b', 'it begins');
select pg_temp.settle('b', 'failed') \g /dev/null
select is(pg_temp.taken(), 'free', 'nor has a dead letter');
select is(millrace.replay(pg_temp.id_of('b')), 'available', 'a replay');
select is(pg_temp.taken(), 'b', 'takes it again');
select is(pg_temp.claim(), 'b', 'it runs');
select pg_temp.settle('b', 'discarded') \g /dev/null
select is(pg_temp.enqueue('c'), 'c new', 'another one comes');
select throws_ok(format('select millrace.replay(%s)', pg_temp.id_of('b')), 'MR009',
                 format('replay: job %s: its unique key ''k'' is taken by job %s', pg_temp.id_of('b'),
                        pg_temp.id_of('c')),
                 'then the dead letter cannot come back');
select is(state, 'discarded', 'and stays what it is') from millrace.jobs where kind = 'b';
select is(pg_temp.claim(), 'c', 'the new one runs');
select millrace_test.advance_clock('31 s'), millrace.reap() \g /dev/null
select is(state, 'discarded', 'is reaped after its last attempt') from millrace.jobs where kind = 'c';
select is(pg_temp.taken(), 'free', 'and has lost its key');
select millrace.open_session('w', '{q,other}') \g /dev/null

-- Until it has started.
select is(pg_temp.enqueue('d', 'started'), 'd new', 'until started');
select is(pg_temp.enqueue('e', 'started'), 'd there', 'while it waits it has the key');
select is(pg_temp.claim(), 'd', 'it begins');
select is(pg_temp.enqueue('e', 'started'), 'e new', 'then another may come');
select pg_temp.settle('d', 'released') \g /dev/null
select is(pg_temp.taken(), 'e', 'one that is given back does not take the key from it');
select is(pg_temp.claim(), 'd e', 'both run');
select is(pg_temp.taken(), 'free', 'and the key is free');
select pg_temp.settle(n, 'discarded') from unnest('{d,e}'::text[]) n \g /dev/null
select is(pg_temp.enqueue('f', 'started'), 'f new', 'a third one');
select is(millrace.replay(pg_temp.id_of('d')), 'available', 'a replay does not ask for the key');
select is(pg_temp.taken(), 'f', 'nor take it');
select is(pg_temp.claim(), 'd f', 'all run');
select pg_temp.settle(n) from unnest('{d,f}'::text[]) n \g /dev/null

-- For a time.
select is(pg_temp.enqueue('g', null, '1 minute'), 'g new', 'for a minute');
select is(pg_temp.claim(), 'g', 'it begins');
select pg_temp.settle('g') \g /dev/null
select is(pg_temp.enqueue('h', null, '1 minute'), 'g there', 'even when it is done it has the key');
select millrace_test.advance_clock('59 s') \g /dev/null
select is(pg_temp.enqueue('h', null, '1 minute'), 'g there', 'for that long: a duplicate does not renew it');
select millrace_test.advance_clock('1 s') \g /dev/null
select is(pg_temp.enqueue('h', null, '1 minute'), 'h new', 'then another has');
select is(pg_temp.enqueue('i'), 'h there', 'whatever scope the next one asks for');
select is(millrace.cancel(pg_temp.id_of('h')), 'cancelled', 'a cancelled one');
select is(pg_temp.enqueue('i'), 'h there', 'keeps it too');
select millrace_test.advance_clock('1 min') \g /dev/null
select is(millrace.prune() > 0, true, 'prune');
select is(pg_temp.taken(), 'free', 'removes keys whose time is over');
select is(pg_temp.enqueue('i'), 'i new', 'another one');
select is(millrace.prune(), 0, 'prune leaves a key');
select is(pg_temp.taken(), 'i', 'that has no time');
select millrace.cancel(pg_temp.id_of('i')) \g /dev/null

-- Replacements.
create function pg_temp.replace(replaces text[], delay interval default null, key text default 'r',
                                run_at timestamptz default null)
returns text
language sql
as $$
    select (case when u.inserted then 'new' else 'there' end) || case when u.replaced then ' replaced' else '' end
      from millrace.enqueue_unique('q', 'r', '{"n": 2}', key, replaces => replaces, priority => 1, delay => delay,
                                   run_at => run_at) u
$$;
create function pg_temp.r()
returns text
language sql
as $$
    select j.state || ' ' || j.priority || ' ' || (j.payload ->> 'n')
           || coalesce(' in ' || extract(epoch from j.run_at - millrace.now())::int, '')
      from millrace.jobs j where j.kind = 'r' and j.state <> 'cancelled'
$$;
select millrace.enqueue_unique('q', 'r', '{"n": 1}', 'r', delay => '10 s') \g /dev/null
select is(pg_temp.r(), 'scheduled 5 1 in 10', 'a job that waits');
select is(pg_temp.replace('{}'), 'there', 'is left as it is');
select is(pg_temp.r(), 'scheduled 5 1 in 10', 'if nothing is to be replaced');
select is(pg_temp.replace('{payload}'), 'there replaced', 'the payload alone');
select is(pg_temp.r(), 'scheduled 5 2 in 10', 'is replaced');
select is(pg_temp.replace('{priority}'), 'there replaced', 'the priority alone');
select is(pg_temp.r(), 'scheduled 1 2 in 10', 'is replaced');
select is(priority, 1::smallint, 'for the claim as well') from millrace.scheduled where job_id = pg_temp.id_of('r');
select millrace_test.advance_clock('5 s') \g /dev/null
select is(pg_temp.replace('{run_at}', '10 s'), 'there replaced', 'a delay');
select is(pg_temp.r(), 'scheduled 1 2 in 10', 'begins again');
select is(pg_temp.replace('{run_at}', run_at => millrace.now() + interval '20 s'), 'there replaced', 'a time');
select is(pg_temp.r(), 'scheduled 1 2 in 20', 'holds');
select is(pg_temp.replace('{run_at}'), 'there replaced', 'none');
select is(pg_temp.r(), 'available 1 2', 'makes it available');
select is(pg_temp.replace('{run_at,payload}', '30 s'), 'there replaced', 'an available job');
select is(pg_temp.r(), 'scheduled 1 2 in 30', 'can be put off');
select is(waits_for, 'run_at', 'as any scheduled one') from millrace.scheduled;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues where name = 'q' except select * from millrace_test.counted('q') $$,
                'the counts are right');
select pg_temp.replace('{run_at}') \g /dev/null
select is(pg_temp.claim(), 'r', 'it begins');
select is(pg_temp.replace('{payload,run_at,priority}', '10 s'), 'there', 'one that runs is left alone');
select is(pg_temp.r(), 'running 1 2', 'as it is');
select pg_temp.settle('r', 'snoozed') \g /dev/null
select is(pg_temp.replace('{payload,run_at,priority}', '20 s'), 'there', 'one that is snoozed, too');
select is(pg_temp.r(), 'scheduled 1 2 in 10', 'it comes back when it said');
select millrace.cancel(pg_temp.id_of('r')) \g /dev/null

-- Replacements of jobs with a concurrency key: whoever has not begun gives its slot back.
select millrace.enqueue_unique('q', 'v', '{}', 'v' || n, concurrency_key => 'c')
  from generate_series(1, 2) n \g /dev/null
select millrace.follow_up_all() \g /dev/null
select array_agg(id order by id) as v from millrace.jobs where kind = 'v' \gset
select is((millrace.enqueue_unique('q', 'v', '{}', 'v2', replaces => '{run_at}', delay => '1 s')).replaced, true,
          'a blocked job can be replaced');
select is(state, 'scheduled', 'it is scheduled now') from millrace.jobs where id = (:'v'::bigint[])[2];
select is((millrace.enqueue_unique('q', 'v', '{}', 'v2', replaces => '{run_at}')).replaced, true, 'and back');
select is(state, 'blocked', 'it is blocked again') from millrace.jobs where id = (:'v'::bigint[])[2];
select is((millrace.enqueue_unique('q', 'v', '{"n": 1}', 'v1', replaces => '{payload}')).replaced, true,
          'one that has got its slot, and has not begun, can be replaced');
select is(payload, '{"n": 1}', 'it runs with the new data') from millrace.jobs where id = (:'v'::bigint[])[1];
select is(pg_temp.claim(), 'v', 'one runs');
select is(job_id, (:'v'::bigint[])[1], 'the first, as before') from millrace.running
 where job_id = any (:'v'::bigint[]);
select is(pg_temp.claim(), 'nothing', 'not the other');
select millrace.complete(fence, job_id) from millrace.running where job_id = any (:'v'::bigint[]) \g /dev/null
select millrace.follow_up_all() \g /dev/null
select millrace.enqueue_unique('q', 'v', '{}', 'v3', concurrency_key => 'c') \g /dev/null
select is((millrace.enqueue_unique('q', 'v', '{}', 'v2', replaces => '{run_at}', delay => '1 h')).replaced, true,
          'one that is put off');
select is(pg_temp.claim(), 'v', 'lets the next have its slot');
select millrace.complete(fence, job_id) from millrace.running where job_id > (:'v'::bigint[])[2] \g /dev/null

-- One that a claim has set aside.
select millrace.enqueue_unique('q', 'aside', '{"n": 1}', 'aside', 'started') \g /dev/null
select millrace.pause_kind('aside') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'its kind is paused');
select is((millrace.enqueue_unique('q', 'aside', '{"n": 2}', 'aside', 'started', replaces => '{payload}')).replaced, true,
          'it has not begun, either');
select millrace.resume_kind('aside') \g /dev/null
select is(pg_temp.claim(), 'aside', 'it runs');
select is(payload, '{"n": 2}', 'with the new data') from millrace.running r join millrace.job j on j.id = r.job_id
 where j.kind = 'aside';

-- Refusals.
select millrace_test.fingerprint() as before \gset
select throws_ok(format($$ select millrace.enqueue_unique('q', 'x', '{}', %s) $$, arguments), 'MR005',
                 'enqueue_unique: bad ' || named, arguments)
  from (values ('null', 'unique_key'), ($$''$$, 'unique_key'), ($$repeat('k', 201)$$, 'unique_key'),
               ($$'k', 'ended'$$, 'unique_until'), ($$'k', 'time'$$, 'unique_until'), ($$'k', ''$$, 'unique_until'),
               ($$'k', 'started', '1 s'$$, 'unique_for'), ($$'k', null, '0'$$, 'unique_for'),
               ($$'k', null, '-1 s'$$, 'unique_for'), ($$'k', null, '10 years 1 s'$$, 'unique_for'),
               ($$'k', null, '71582788 months -2147483640 days 1 s'$$, 'unique_for'),
               ($$'k', replaces => null$$, 'replaces'), ($$'k', replaces => '{kind}'$$, 'replaces'),
               ($$'k', replaces => '{payload,NULL}'$$, 'replaces')) bad(arguments, named);
select throws_ok($$ select millrace.enqueue_unique('q', 'x', to_jsonb(repeat('x', 99)), 'k') $$, 'MR004', null,
                 'a payload that is too large');
select throws_ok($$ select millrace.enqueue_unique('nowhere', 'x', '{}', 'k') $$, 'MR003', null, 'an unknown queue');
select is(millrace_test.fingerprint(), :'before'::text, 'nothing is left of any of them');
select lives_ok($$ select millrace.enqueue_unique('q', 'x', '{}', repeat('k', 200), null, '10 years') $$,
                'the longest');

select * from finish();
rollback;
