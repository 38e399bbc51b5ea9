-- retry_delay.sql: min(cap, base * 2^(n-1)) * (0.8 … 1.2).
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(8);

create temp table delays as
select n, g, extract(epoch from millrace.retry_delay(n, '5 seconds', '1 hour')) as seconds
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

select ok(millrace.retry_delay(0, '5 s', '1 h') between interval '4 s' and interval '6 s',
          'attempt 0 counts as the first');
select ok(millrace.retry_delay(-7, '5 s', '1 h') between interval '4 s' and interval '6 s',
          'and so does a negative one');
select ok(millrace.retry_delay(1000, '1 day', '30 days') between interval '24 days' and interval '36 days',
          'the last of a thousand attempts does not overflow');
select is(millrace.retry_delay(null, '5 s', '1 h') is null, false, 'no attempt is the first attempt');

select * from finish();
rollback;
