-- retry_delay.sql: min(cap, base * 2^(n-1)) * (0.8 … 1.2), or a list; whose policy counts.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(38);

-- What decides, as settle_attempts hands it over: the job's list, the kind's row, the queue's row.
create function pg_temp.delay(attempt int, queue text, kind text default null, job interval[] default null)
returns interval
language sql
as $$ select millrace.retry_delay(attempt, job, jsonb_populate_record(null::millrace.kind, kind::jsonb),
                                  jsonb_populate_record(null::millrace.queue, queue::jsonb)) $$;
\set queue '\'{"retry_base": "5 s", "retry_cap": "1 h"}\''

create temp table delays as
select n, g, extract(epoch from pg_temp.delay(n, :queue)) as seconds
  from generate_series(1, 12) n, generate_series(1, 500) g;

select is_empty($$ select n, seconds from delays
                    where seconds not between least(3600, 5 * 2 ^ (n - 1)) * 0.8
                      and least(3600, 5 * 2 ^ (n - 1)) * 1.2 $$,
                'no delay is further than a fifth from its place in the doubling, nor from the cap');
select is_empty($$ select n from delays group by n
                   having max(seconds) - min(seconds) < 0.3 * least(3600, 5 * 2 ^ (n - 1)) $$,
                'the jitter spreads over its whole range');
select is_empty($$ select n from delays group by n having count(distinct seconds) < 490 $$,
                'hardly two jobs come back together');
select ok(avg(seconds) between 3500 and 3700, 'the mean at the cap is the cap') from delays where n = 12;

select ok(pg_temp.delay(0, :queue) between interval '4 s' and interval '6 s', 'attempt 0 counts as the first');
select ok(pg_temp.delay(-7, :queue) between interval '4 s' and interval '6 s', 'and so does a negative one');
select ok(pg_temp.delay(1000, '{"retry_base": "1 day", "retry_cap": "30 days"}')
            between interval '24 days' and interval '36 days',
          'the last of a thousand attempts does not overflow');
select is(pg_temp.delay(null, :queue) is null, false, 'no attempt is the first attempt');

-- Lists.
select is(array(select pg_temp.delay(n, :queue, job => '{1 s,0,90 min}') from generate_series(1, 6) n),
          '{1 s,0,90 min,90 min,90 min,90 min}', 'a list is taken at its word, and its last element again and again');
select is(array(select distinct pg_temp.delay(n, :queue, job => '{7 s}') from generate_series(1, 1000) n), '{7 s}',
          'a list of one is a fixed delay');
select is(pg_temp.delay(n, :queue, job => '{3 s,4 s}'), '3 s', 'the first for attempt ' || coalesce(n::text, 'null'))
  from unnest('{0,-1,null}'::int[]) n;

-- Job, kind, queue.
select is(pg_temp.delay(1, :queue, '{"retry_delays": ["2 s"], "retry_base": "3 s"}', '{1 s}'), '1 s',
          'the job''s own list counts first');
select is(pg_temp.delay(1, :queue, '{"retry_delays": ["2 s"], "retry_base": "3 s"}'), '2 s', 'then its kind''s list');
select ok(pg_temp.delay(1, :queue, '{"retry_base": "100 s"}') between interval '80 s' and interval '120 s',
          'then its kind''s backoff');
select ok(pg_temp.delay(10, :queue, '{"retry_base": "100 s"}') between interval '48 min' and interval '72 min',
          'up to the queue''s cap');
select ok(pg_temp.delay(10, :queue, '{"retry_cap": "100 s"}') between interval '80 s' and interval '120 s',
          'or up to its kind''s');
select ok(pg_temp.delay(2, :queue, '{"retry_cap": "100 s"}') between interval '8 s' and interval '12 s',
          'from the queue''s base on');
select ok(pg_temp.delay(1, :queue, '{"retry_base": "10 h"}') between interval '48 min' and interval '72 min',
          'a base beyond the cap is the cap');
select ok(pg_temp.delay(1, :queue, '{"max_attempts": 3}') between interval '4 s' and interval '6 s',
          'a kind that says nothing of it leaves it to the queue');

-- Bad lists.
select throws_ok(format('select millrace.check_delays(''enqueue'', %L)', list), 'MR005', 'enqueue: bad retry_delays',
                 left(list, 50))
  from (values ('{}'), ('{null}'), ('{1 s,null}'), ('{-1 s}'), ('{366 days}'), ('{365 days 1 s}'), ('{{1 s}}'),
               ('[0:1]={1 s,1 s}'), ('{71582788 months -2147483640 days}'),
               ('{' || repeat('1 s,', 100) || '1 s}')) bad(list);
select throws_ok($$ select millrace.enqueue_many('q', 'k', '{1}', retry_delays => '{}') $$, 'MR003', null,
                 'the queue is looked for first');
select lives_ok(format('select millrace.check_delays(''x'', %L)', list), 'fine: ' || left(list, 50))
  from (values ('{0}'), ('{365 days}'), ('{' || repeat('1 s,', 99) || '1 s}'), (null)) fine(list);
select throws_ok($$ select millrace.check_delays('me', '{}') $$, 'MR005', 'me: bad retry_delays',
                 'the complaint names who was called');
select throws_like($$ select millrace.check_delays('me', '{}') $$, 'me: bad retry_delays%', 'and the argument');

select * from finish();
rollback;
