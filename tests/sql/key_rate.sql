-- key_rate.sql: so many jobs of a key are let go in a time, and those that wait for a token are let go when it comes.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(51);
select millrace.create_queue('q', key_limit => 100, retry_base => '10 s', retry_cap => '10 s') as q \gset
select millrace.open_session('w', '{q}', lease => '1 h') as session \gset
select millrace.now() as noon \gset

create function pg_temp.enqueue(amount int, key text)
returns bigint
language sql
as $$
    select count(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[amount]), concurrency_key => key))
$$;
create function pg_temp.claim(max_jobs int default 100)
returns text  -- how many of each key
language sql
as $$
    select coalesce(string_agg(k.key || ' ' || k.jobs, ', ' order by k.key), 'nothing')
      from (select coalesce(j.concurrency_key, '-') as key, count(*) as jobs
              from millrace.claim((select max(w.id) from millrace.worker w), 'q', max_jobs) c
              join millrace.job j on j.id = c.job_id
             group by 1) k
$$;
create function pg_temp.settle(outcome text default 'completed')
returns bigint[]
language sql
as $$
    select millrace.settle_many(array_agg(r.job_id), array_agg(r.fence), array_agg(outcome), array_agg('e'::text),
                                array_agg(interval '10 s')) from millrace.running r having count(*) > 0
$$;
create function pg_temp.wait(of interval)
returns timestamptz
language sql
as $$ select millrace_test.advance_clock(of) $$;
create function pg_temp.promote()
returns interval
language sql
as $$ select next_run_at - millrace.now() from millrace.promote() $$;

-- The rate that a queue has for each of its keys.
select is(millrace.next_token('q'), null, 'a queue without rates');
select pg_temp.enqueue(10, 'a'), pg_temp.enqueue(10, 'b'), millrace.enqueue('q', 'k') \g /dev/null
select millrace.configure_queue('q', '{"key_rate": "1 per second", "key_burst": 2}') \g /dev/null
select is(pg_temp.claim(), '- 1, a 2, b 2', 'each key has a burst of its own, jobs without a key have no rate');
select is(pg_temp.claim(), 'nothing', 'and no more');
select is(millrace.next_token('q') <= millrace.now(), true, 'claimers are told of rates, and not to wait');
select is(pg_temp.promote(), '1 s'::interval, 'promote knows the next token');
select pg_temp.wait('1 s' - interval '1 us'), pg_temp.settle() \g /dev/null
select is(pg_temp.claim(), 'nothing', 'not a microsecond earlier, though slots are free');
select is(pg_temp.promote(), '1 us'::interval, 'nor does promote');
select pg_temp.wait('1 us') \g /dev/null
select is(pg_temp.claim(), 'nothing', 'a claim by itself looks only at keys of which something is noted');
select is(pg_temp.promote(), '1 s'::interval, 'promote lets go');
select is(pg_temp.claim(), 'a 1, b 1', 'on the instant');
select pg_temp.wait('1 h'), pg_temp.promote() \g /dev/null
select is(pg_temp.claim(), 'a 2, b 2', 'no more than the burst is kept');
select is(count(*), 2::bigint, 'there is one time for each key that waits') from millrace.key_due;
select results_eq('select key, rate, next_tokens_at - millrace.now() from millrace.blocked_keys order by key',
                  $$ values ('a', '1 per second', interval '1 s'), ('b', '1 per second', interval '1 s') $$,
                  'the view shows it');
select row_eq($$ select key_rate, key_burst from millrace.queues $$, row('1 per second'::text, 2), 'so does that of queues');

-- A key's own.
set local role millrace_operator;
select millrace.limit_key('q', 'a', null, '4 per second', 4) \g /dev/null
reset role;
select pg_temp.wait('1 s'), pg_temp.promote() \g /dev/null
select is(pg_temp.claim(), 'a 4, b 1', 'a key may have another rate, which counts from now on');
select millrace.limit_key('q', 'b', 1, '10 per second', 10), pg_temp.settle(), pg_temp.enqueue(10, 'a') \g /dev/null
select pg_temp.wait('10 s'), pg_temp.promote() \g /dev/null
select is(pg_temp.claim(), 'a 4, b 1', 'and a limit beside it: the lesser holds');
select is(pg_temp.claim(), 'nothing', 'tokens do not help where slots are taken');
select pg_temp.settle() \g /dev/null
select is(pg_temp.claim(), 'b 1', 'nor slots where tokens are');
select is(millrace.next_token('q') <= millrace.now(), true, 'b has tokens, a waits');
select millrace.limit_key('q', 'b', null), pg_temp.settle() \g /dev/null
select is_empty($$ select from millrace.key_limit where key = 'b' $$, 'without either there is no row');
select millrace.limit_key('q', 'a', null), millrace.configure_queue('q', '{"key_rate": null}') \g /dev/null
select is(millrace.next_token('q'), null, 'no rates any more');
select is(pg_temp.claim(), 'a 7, b 2', 'all that waits is let go');
select row_eq($$ select key_rate, key_burst from millrace.queues $$, row(null::text, null::int), 'the burst has gone, too');
select pg_temp.settle(), pg_temp.wait('1 min'), pg_temp.promote() \g /dev/null
select is(count(*), 0::bigint, 'times that have passed are removed') from millrace.key_due;
select is(count(*), 0::bigint, 'nobody waits') from millrace.blocked;

-- One token for a job: not for its retries.
select millrace.configure_queue('q', '{"key_rate": "1 per minute"}') \g /dev/null
select pg_temp.enqueue(2, 'c') \g /dev/null
select is(pg_temp.claim(), 'c 1', 'one');
select pg_temp.settle('failed'), pg_temp.wait('10 s'), pg_temp.promote() \g /dev/null
select is(pg_temp.claim(), 'c 1', 'is tried again without a token');
select pg_temp.settle('failed'), pg_temp.wait('10 s'), pg_temp.promote() \g /dev/null
select pg_temp.claim(), pg_temp.settle() \g /dev/null
select is(pg_temp.claim(), 'nothing', 'the other waits for its own');
select millrace.enqueue('q', 'k', concurrency_key => 'c') as waits \gset
select matches(why, '^the rate of key c is 1 per minute, and jobs are let go again at ', 'why a job does not run')
  from millrace.explain_job(:waits) where rank = 1;
select is_empty(format('select from millrace.explain_job(%s) where cause = ''key''', :waits), 'a slot is not what it lacks');
select pg_temp.wait('40 s'), pg_temp.promote() \g /dev/null
select is(pg_temp.claim(), 'c 1', 'a minute after the first');
select pg_temp.settle() \g /dev/null

-- Its state is kept while it matters.
select pg_temp.wait('1 min'), pg_temp.promote() \g /dev/null
select is(pg_temp.claim(), 'c 1', 'the last');
select pg_temp.settle(), pg_temp.claim() \g /dev/null
update millrace.concurrency_key set version = -1000000 where key = 'c';
select millrace.prune() \g /dev/null
select is(count(*), 1::bigint, 'an idle key whose bucket is not full stays') from millrace.concurrency_key where key = 'c';
select pg_temp.wait('1 min'), millrace.prune() \g /dev/null
select is(count(*), 0::bigint, 'then it goes') from millrace.concurrency_key where key = 'c';

-- Exactness.
select millrace.configure_queue('q', '{"key_rate": "700 per minute", "key_burst": 7}') \g /dev/null
create temp table started (at timestamptz, amount int);
select pg_temp.enqueue(400, 'd'), setseed(0.5) \g /dev/null
do $$
declare
    at timestamptz;
    began constant timestamptz := millrace.now();
    before int := (select count(*) from millrace.ready);
begin
    for n in 1 .. 300
    loop
        at := pg_temp.wait(floor(random() ^ 3 * 500000) * interval '1 us');
        perform millrace.promote();
        perform millrace.follow_up_all();
        insert into started select at, count(*) from millrace.ready;
        perform pg_temp.claim();
        perform pg_temp.settle() from (select from millrace.running limit 1) r;
    end loop;
end
$$;
select is_empty($$ select from started a, started b, lateral (
                          select sum(s.amount) as jobs from started s where s.at between a.at and b.at) w
                    where b.at >= a.at and w.jobs > 7 + floor(extract(epoch from b.at - a.at) * 1000000 / 85715) $$,
                'in any time t at most burst + t * rate are let go');
select cmp_ok(sum(amount)::int, '>', 250, 'and that is not because few are') from started;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues where name = 'q' except select * from millrace_test.counted('q') $$,
                'the counts are right');

-- Many keys, as many as asked for at a time.
select pg_temp.settle(), pg_temp.wait('1 h'), pg_temp.promote(), pg_temp.claim(), pg_temp.settle() \g /dev/null
select millrace.configure_queue('q', '{"key_rate": "1 per second", "key_burst": null}') \g /dev/null
select pg_temp.enqueue(2, 'many/' || n) from generate_series(1, 30) n \g /dev/null
select pg_temp.claim() \g /dev/null
select pg_temp.wait('1 s') \g /dev/null
select is(next_run_at <= millrace.now(), true, 'those that are left are due') from millrace.promote(10);
select is(pg_temp.promote(), null, 'and done next');
select is(count(*), 60::bigint, 'all are let go')
  from millrace.job j where j.concurrency_key like 'many/%'
   and not exists (select from millrace.blocked b where b.job_id = j.id);

-- Refusals.
select millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.configure_queue(''q'', %L)', changes), 'MR005',
                 'configure_queue: bad ' || named, changes)
  from (values ('{"key_rate": "14"}', 'key_rate'), ('{"key_rate": "0 per day"}', 'key_rate'),
               ('{"key_burst": 0}', 'key_burst'), ('{"key_burst": 100001}', 'key_burst'),
               ('{"key_rate": null, "key_burst": 3}', 'key_burst')) bad(changes, named);
select throws_ok(format('select millrace.limit_key(''q'', ''k'', %s)', arguments), 'MR005',
                 'limit_key: bad ' || named, arguments)
  from (values ($$null, '14'$$, 'rate'), ($$1, '0 per day'$$, 'rate'), ($$1, '1 per day', 0$$, 'burst'),
               ('null, null, 3', 'burst'), ($$0, '1 per day'$$, 'max_held')) bad(arguments, named);
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

select * from finish();
rollback;
