-- create_queue.sql: a queue with its lanes, flag and counts; what is refused.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(50);

set local role millrace_operator;
select millrace.create_queue('mail') as mail \gset
select millrace.create_queue('a0_b-c.d', 3, '1 minute', '1 second', '2 seconds', 2, '1 day') as odd \gset
reset role;

select row_eq($$ select name, max_attempts, timeout, retry_base, retry_cap, max_payload_bytes, retention, created_at
                   from millrace.queue where name = 'mail' $$,
              row('mail'::text, 10::smallint, null::interval, interval '5 s', interval '1 h', 1048576,
                  interval '7 days', millrace.now()), 'a queue has the defaults');
select row_eq($$ select max_attempts, timeout, retry_base, retry_cap, max_payload_bytes, retention
                   from millrace.queue where name = 'a0_b-c.d' $$,
              row(3::smallint, interval '1 min', interval '1 s', interval '2 s', 2, interval '1 day'),
              'or what it was given');
select results_eq(format('select priority::int, low::text, pending::text from millrace.lane where queue_id = %s'
                         ' order by 1', :mail),
                  $$ select p, '0', '{}' from generate_series(0, 9) p $$, 'it has ten lanes from the start on');
select is(array_agg(raised), '{f}', 'a flag that is down') from millrace.queue_signal where queue_id = :mail;
select row_eq($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled, failed, oldest_at
                   from millrace.queues where name = 'mail' $$,
              row(0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint,
                  null::timestamptz), 'and counts of nothing');
select row_eq($$ select at, who, action, detail, affected from millrace.operator_action
                  where detail = '{"queue": "mail"}' $$,
              row(millrace.now(), session_user::text collate "default", 'create_queue'::text,
                  '{"queue": "mail"}'::jsonb, 1::bigint),
              'the book says who made it');

-- The limits are allowed, what is beyond them is not.
select lives_ok('select millrace.create_queue(' || arguments || ')', arguments)
  from (values ($$'a'$$), ($$repeat('a', 48)$$), ($$'low1', max_attempts => 1$$), ($$'high1', max_attempts => 1000$$),
               ($$'low2', timeout => '1 us'$$), ($$'high2', timeout => '30 days'$$),
               ($$'low3', retry_base => '1 us', retry_cap => '1 us'$$),
               ($$'high3', retry_base => '1 day', retry_cap => '30 days'$$),
               ($$'high4', max_payload_bytes => 67108864$$), ($$'high5', retention => '10 years'$$)) good(arguments);

select millrace_test.fingerprint() as before \gset
select throws_ok('select millrace.create_queue(' || arguments || ')', 'MR005', 'create_queue: bad ' || named, arguments)
  from (values ('null', 'name'), ($$''$$, 'name'), ($$'Mail'$$, 'name'), ($$'-mail'$$, 'name'), ($$'ma il'$$, 'name'),
               ($$repeat('a', 49)$$, 'name'), ($$E'mail\n'$$, 'name'), ($$'mail; drop'$$, 'name'),
               ($$'päckchen'$$, 'name'),
               ($$'q', max_attempts => null$$, 'max_attempts'), ($$'q', max_attempts => 0$$, 'max_attempts'),
               ($$'q', max_attempts => -1$$, 'max_attempts'), ($$'q', max_attempts => 1001$$, 'max_attempts'),
               ($$'q', timeout => '0'$$, 'timeout'), ($$'q', timeout => '-1 s'$$, 'timeout'),
               ($$'q', timeout => '30 days 1 us'$$, 'timeout'),
               ($$'q', retry_base => null$$, 'retry_base'), ($$'q', retry_base => '0'$$, 'retry_base'),
               ($$'q', retry_base => '1 day 1 us', retry_cap => '2 days'$$, 'retry_base'),
               ($$'q', retry_cap => null$$, 'retry_cap'), ($$'q', retry_cap => '4 s'$$, 'retry_cap'),
               ($$'q', retry_cap => '31 days'$$, 'retry_cap'),
               ($$'q', timeout => '71582788 months -2147483640 days 1 s'$$, 'timeout'),
               ($$'q', retry_base => '71582788 months -2147483640 days 1 s'$$, 'retry_base'),
               ($$'q', retry_cap => '71582788 months -2147483640 days 24:00:00'$$, 'retry_cap'),
               ($$'q', retention => '71582788 months -2147483640 days 24:00:00'$$, 'retention'),
               ($$'q', max_payload_bytes => null$$, 'max_payload_bytes'),
               ($$'q', max_payload_bytes => 1$$, 'max_payload_bytes'),
               ($$'q', max_payload_bytes => 67108865$$, 'max_payload_bytes'),
               ($$'q', retention => null$$, 'retention'), ($$'q', retention => '23 h'$$, 'retention'),
               ($$'q', retention => '10 years 1 day'$$, 'retention')) bad(arguments, named);
select throws_ok($$select millrace.create_queue('mail')$$, 'MR008', 'queue ''mail'' exists',
                 'a name is taken once');
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

select * from finish();
rollback;
