-- rate.sql: so many jobs of a queue are started in a time and no more, and who waits for a token is woken for it.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(94);
select millrace.create_queue('q', retry_base => '10 s', retry_cap => '10 s') as q, millrace.create_queue('free') \gset
select millrace.open_session('w', '{q,free}', lease => '1 h') as session \gset
select millrace.now() as noon \gset

create function pg_temp.claim(max_jobs int default 100, queue text default 'q')
returns int  -- how many it was
language sql
as $$
    select count(*)::int from millrace.claim((select max(w.id) from millrace.worker w), queue, max_jobs)
$$;
create function pg_temp.set(changes jsonb)
returns void
language sql
as $$ select millrace.configure_queue('q', changes) $$;
create function pg_temp.wait(of interval)
returns timestamptz
language sql
as $$ select millrace_test.advance_clock(of) $$;
create function pg_temp.settle(outcome text default 'completed')
returns bigint[]
language sql
as $$
    select millrace.settle_many(array_agg(r.job_id), array_agg(r.fence), array_agg(outcome), array_agg('e'::text),
                                array_agg(interval '10 s')) from millrace.running r
$$;
create function pg_temp.versions()
returns bigint
language sql
as $$ select coalesce(max(version), 0) from millrace.bucket $$;
select count(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[3000]))) \g /dev/null

-- A queue without a rate.
select is(pg_temp.claim(500), 500, 'without a rate all may start');
select is_empty('select from millrace.bucket', 'and nothing is remembered');
select is(millrace.next_token('q'), null, 'nobody has to wait for a token');

-- How many at once, and how many after it.
select pg_temp.set('{"rate": "10 per second", "burst": 5}') \g /dev/null
select is(pg_temp.claim(), 5, 'a burst is started at once');
select is(pg_temp.claim(), 0, 'no more');
select is(millrace.next_token('q'), :'noon'::timestamptz + interval '100 ms', 'until the next token comes');
select pg_temp.wait('100 ms' - interval '1 us') \g /dev/null
select is(pg_temp.claim(), 0, 'not a microsecond earlier');
select pg_temp.wait('1 us') \g /dev/null
select is(pg_temp.claim(), 1, 'on the instant');
select is(pg_temp.claim(), 0, 'one');
select pg_temp.wait('350 ms') \g /dev/null
select is(pg_temp.claim(), 3, 'three and a half are three');
select pg_temp.wait('50 ms') \g /dev/null
select is(pg_temp.claim(), 1, 'the other half was kept');
select pg_temp.wait('1 h') \g /dev/null
select is(pg_temp.claim(2), 2, 'a claim asks for no more than it wants');
select is(pg_temp.claim(), 3, 'after an hour there are as many as the burst, and what was left is there');
select is(pg_temp.claim(), 0, 'no more');

-- What is not found costs nothing.
select pg_temp.wait('1 h'), pg_temp.settle() \g /dev/null
create temp table parked as select * from millrace.ready;
delete from millrace.ready;
select is(pg_temp.claim(), 0, 'of an empty queue nothing is claimed');
insert into millrace.ready select * from parked limit 2;
select is(pg_temp.claim(), 2, 'what is there is');
insert into millrace.ready select p.* from parked p left join millrace.running r using (job_id) where r.job_id is null;
select is(pg_temp.claim(), 3, 'for those that were not found no token was spent');
savepoint before;
select pg_temp.wait('200 ms') \g /dev/null
select is(pg_temp.claim(), 2, 'a claim');
rollback to before;
select pg_temp.wait('200 ms') \g /dev/null
select is(pg_temp.claim(), 2, 'that is rolled back has spent none');

-- A start is a start.
select pg_temp.settle('failed'), pg_temp.wait('10 s'), millrace.promote() \g /dev/null
select is(pg_temp.claim(), 5, 'jobs that are tried again take tokens');
select pg_temp.settle('snoozed'), pg_temp.wait('10 s'), millrace.promote() \g /dev/null
select is(pg_temp.claim(3), 3, 'so do those that have snoozed');
select pg_temp.settle('released') \g /dev/null
select is(pg_temp.claim(), 2, 'and what was given back has had its token');
select pg_temp.settle() \g /dev/null

-- Other bounds.
select pg_temp.wait('1 h'), pg_temp.set('{"max_running": 3}') \g /dev/null
select is(pg_temp.claim(), 3, 'max_running holds beside it');
select pg_temp.settle(), pg_temp.set('{"max_running": null}') \g /dev/null
select is(pg_temp.claim(), 2, 'what it kept back has cost no token');
select pg_temp.wait('1 h'), millrace.pause_queue('q') \g /dev/null
select is(pg_temp.claim(), 0, 'a paused queue starts nothing');
select millrace.resume_queue('q') \g /dev/null
select is(pg_temp.claim(), 5, 'and has spent nothing');
select millrace.enqueue('free', 'k') from generate_series(1, 20) \g /dev/null
select is(pg_temp.claim(20, 'free'), 20, 'another queue goes on');

-- Changes at work.
select pg_temp.wait('1 h'), pg_temp.claim(3), pg_temp.set('{"burst": 1}') \g /dev/null
select is(pg_temp.claim(), 1, 'a lower burst leaves no more than it is');
select pg_temp.set('{"burst": 50}') \g /dev/null
select is(pg_temp.claim(), 0, 'a higher one brings nothing by itself');
select pg_temp.wait('2 s') \g /dev/null
select is(pg_temp.claim(), 20, 'but more is kept');
select pg_temp.set('{"rate": "1 per day"}') \g /dev/null
select pg_temp.wait('23:59:59.999999') \g /dev/null
select is(pg_temp.claim(), 0, 'a lower rate holds at once');
select is(millrace.next_token('q'), millrace.now() + interval '1 us', 'it says when');
select pg_temp.set('{"rate": "100 per second"}') \g /dev/null
select is(pg_temp.claim(), 50, 'so does a higher one: nobody waits out the day');
select pg_temp.set('{"rate": null}') \g /dev/null
select row_eq($$ select rate, burst, next_token_at from millrace.queues where name = 'q' $$,
              row(null::text, null::int, null::timestamptz), 'without a rate there is no burst');
select is(pg_temp.claim(), 100, 'and all may start');
select pg_temp.set('{"rate": "14 per second"}') \g /dev/null
select pg_temp.wait('1 h') \g /dev/null
select is(pg_temp.claim(), 14, 'the burst is what comes in a second');
select pg_temp.wait('1 s') \g /dev/null
select is(pg_temp.claim(), 13, 'a token takes whole microseconds, rounded up: never too many');
select pg_temp.wait('6 us') \g /dev/null
select is(pg_temp.claim(), 1, 'the fourteenth is six microseconds late');
select row_eq(format($$ select rate, burst, next_token_at from millrace.queues where name = 'q' $$),
              row('14 per second'::text, 14, millrace.now() + interval '71429 us'), 'the view shows it');
select results_eq($$ select rate, millrace.check_rate('f', rate, null),
                            millrace.burst_of(null, millrace.check_rate('f', rate, null)) from (values
                            ('10000 per second'), ('1 per second'), ('0.5 per second'), ('90 per minute'),
                            ('2.4 per day'), ('1 per day'), ('1000 per hour'), ('600000 per minute'),
                            ('0.042 per hour')) r(rate) $$,
                  $$ values ('10000 per second', 100::bigint, 10000), ('1 per second', 1000000, 1),
                            ('0.5 per second', 2000000, 1), ('90 per minute', 666667, 1),
                            ('2.4 per day', 36000000000, 1), ('1 per day', 86400000000, 1),
                            ('1000 per hour', 3600000, 1), ('600000 per minute', 100, 10000),
                            ('0.042 per hour', 85714285715, 1) $$, 'rates, their tokens, their bursts');

-- A clock that is set back.
select pg_temp.set('{"rate": "1 per second", "burst": 1}'), pg_temp.wait('1 h'), pg_temp.claim() \g /dev/null
select pg_temp.wait('-1 h') \g /dev/null
select is(pg_temp.claim(), 0, 'where the clock is set back, tokens that are spent stay spent');
select pg_temp.wait('1 s') \g /dev/null
select is(pg_temp.claim(), 1, 'but nobody waits until it has caught up');

-- Exactness: whenever, and however many are asked for.
create temp table started (at timestamptz, amount int);
select setseed(0.25) \g /dev/null
select pg_temp.settle(), pg_temp.set('{"rate": "700 per minute", "burst": 7}') \g /dev/null
do $$
declare
    at timestamptz;
begin
    for n in 1 .. 400
    loop
        at := pg_temp.wait(floor(random() ^ 3 * 500000) * interval '1 us');
        insert into started select at, pg_temp.claim((1 + random() * 9)::int);
    end loop;
end
$$;
select is_empty($$ select from started a, started b, lateral (
                          select sum(s.amount) as jobs from started s where s.at between a.at and b.at) w
                    where b.at >= a.at and w.jobs > 7 + floor(extract(epoch from b.at - a.at) * 1000000 / 85715) $$,
                'in any time t at most burst + t * rate are started');
select cmp_ok(sum(amount)::int, '>', 350, 'and that is not because few are') from started;
select results_eq('select at, sum(amount) from started group by at having sum(amount) > 0 order by at',
                  $$ select claimed_at, count(*) from millrace.running where claimed_at >= (select min(at) from started)
                     group by claimed_at order by claimed_at $$, 'claimed_at is when');

-- Waiting: the mark says when to come again, and is gone when there is nothing to wait for.
select pg_temp.settle(), pg_temp.wait('1 h'), pg_temp.set('{"rate": "1 per minute", "burst": 2}') \g /dev/null
delete from parked;
insert into parked select * from millrace.ready;
delete from millrace.ready;
select pg_temp.claim() \g /dev/null
select pg_temp.versions() as before \gset
select is(pg_temp.claim(), 0, 'a queue that has tokens and no jobs');
select is(pg_temp.versions(), :before::bigint, 'writes nothing');
select is(millrace.next_token('q') <= millrace.now(), true, 'and does not have to wait');
select row_eq('select * from millrace.promote()', row(0, null::timestamptz), 'nothing is due');
insert into millrace.ready select * from parked limit 4;
select is(pg_temp.claim(), 2, 'it spends them');
select row_eq('select * from millrace.promote()', row(0, millrace.now() + interval '1 min'), 'promote knows the next');
select pg_temp.versions() as before \gset
select is(pg_temp.claim(), 0, 'a claim without a token');
select is(pg_temp.versions(), :before::bigint, 'writes nothing either, where it is known when to come');
select millrace.raise_signal('q'), pg_temp.wait('59 s') \g /dev/null
select row_eq('select * from millrace.promote()', row(0, millrace.now() + interval '1 s'), 'nobody is woken early');
select is(pg_temp.versions(), :before::bigint, 'so it is');
select pg_temp.wait('1 s') \g /dev/null
select row_eq('select * from millrace.promote()', row(0, millrace.now() + interval '1 s'),
              'when the token has come the queue is woken; promote comes again');
select is(pg_temp.versions(), :before::bigint + 1, 'so it is');
select pg_temp.wait('1 s') \g /dev/null
select row_eq('select * from millrace.promote()', row(0, millrace.now() + interval '1 s'),
              'until somebody claims: that one may have died');
select is(pg_temp.versions(), :before::bigint + 2, 'it is woken again');
select is(pg_temp.claim(), 1, 'somebody does');
select row_eq('select * from millrace.promote()', row(0, millrace.now() + interval '59 s'),
              'the next one counts from the token, not from the claim');
select millrace.pause_queue('q'), pg_temp.wait('1 h') \g /dev/null
select row_eq('select * from millrace.promote()', row(0, null::timestamptz), 'a paused queue is not woken');
select millrace.resume_queue('q') \g /dev/null
select is(pg_temp.claim(), 1, 'resumed');
select row_eq('select * from millrace.promote()', row(0, null::timestamptz), 'and worked off: nothing to wait for');
select millrace.enqueue('q', 'late', delay => '30 s') as late \gset
select pg_temp.claim(1) \g /dev/null
insert into millrace.ready select p.* from parked p left join millrace.running r using (job_id)
 where r.job_id is null limit 4;
select is(pg_temp.claim(), 1, 'one is left');
select row_eq('select * from millrace.promote()', row(0, millrace.now() + interval '30 s'),
              'of a job and a token the earlier');
select millrace.cancel(:late) \g /dev/null
select row_eq('select * from millrace.promote()', row(0, millrace.now() + interval '1 min'), 'or the other');
select pg_temp.set('{"rate": null}') \g /dev/null
select row_eq('select * from millrace.promote()', row(0, null::timestamptz), 'without a rate nobody waits');

-- At high rates tokens gather.
select pg_temp.settle(), pg_temp.set('{"rate": "1000 per second", "burst": 200}'), pg_temp.wait('1 h') \g /dev/null
select count(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[3000]))) \g /dev/null
select pg_temp.claim(1000) \g /dev/null
select is(millrace.next_token('q'), millrace.now() + interval '50 ms', 'a wake-up is worth a twentieth of a second');
select pg_temp.wait('1 ms') \g /dev/null
select is(pg_temp.claim(), 1, 'who comes earlier gets what is there');
select pg_temp.set('{"burst": 10}'), pg_temp.wait('1 h'), pg_temp.claim() \g /dev/null
select is(millrace.next_token('q'), millrace.now() + interval '5 ms', 'or half the burst, so that nothing runs over');

-- Why is this job not running?
select pg_temp.set('{"rate": "1 per hour", "burst": 1}'), pg_temp.wait('1 h'), pg_temp.claim() \g /dev/null
select millrace.enqueue('q', 'waits') as waits \gset
select row_eq(format($$ select cause, why, remedy from millrace.explain_job(%s) where cause = 'queue rate' $$, :waits),
              row('queue rate'::text, 'its rate is 1 per hour, and the next token comes at '
                                      || millrace.utc_text(millrace.now() + interval '1 h'),
                  $$select millrace.configure_queue('q', '{"rate": "N per second"}')$$::text), 'it waits for a token');
select pg_temp.wait('1 h') \g /dev/null
select is_empty(format($$ select from millrace.explain_job(%s) where cause = 'queue rate' $$, :waits),
                'when it has come, it is not that');

select pg_temp.set('{"rate": "5 per second"}') \g /dev/null
select is(rate, '5 per second', 'it is in the book') from (select detail #>> '{changed,rate,to}' as rate
                                                               from millrace.operator_action order by at desc, ctid desc
                                                              limit 1) a;

-- Refusals.
select millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.configure_queue(''q'', %L)', changes), 'MR005',
                 'configure_queue: bad ' || named, changes)
  from (values ('{"rate": ""}', 'rate'), ('{"rate": "14"}', 'rate'), ('{"rate": 14}', 'rate'),
               ('{"rate": "0 per second"}', 'rate'), ('{"rate": "-1 per second"}', 'rate'),
               ('{"rate": "1e3 per second"}', 'rate'), ('{"rate": "10001 per second"}', 'rate'),
               ('{"rate": "0.9 per day"}', 'rate'), ('{"rate": "1.2345 per hour"}', 'rate'),
               ('{"rate": "1 per week"}', 'rate'), ('{"rate": "NaN per second"}', 'rate'),
               ('{"rate": "1 per second "}', 'rate'), ('{"burst": 0}', 'burst'), ('{"burst": -1}', 'burst'),
               ('{"burst": 100001}', 'burst'), ('{"rate": null, "burst": 3}', 'burst'),
               ('{"burst": "x"}', 'changes: invalid input syntax for type integer: "x"')) bad(changes, named);
select throws_ok('select millrace.configure_queue(''free'', ''{"burst": 3}'')', 'MR005', 'configure_queue: bad burst',
                 'a burst without a rate');
select throws_ok('select millrace.next_token(''nowhere'')', 'MR003', null, 'an unknown queue');
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

select * from finish();
rollback;
