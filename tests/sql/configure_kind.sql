-- configure_kind.sql: policies of kinds, and of single jobs, beside their queue's; the view kinds; what is refused.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(61);
select millrace.create_queue('q', max_attempts => 5, timeout => '1 h', retry_base => '100 s', retry_cap => '100 s')
  as q \gset
select millrace.open_session('w', '{q}') as session \gset

-- Lets the next attempt of a job fail, and says after how long it will be tried again; null: never.
create function pg_temp.fail(job bigint)
returns interval
language plpgsql
as $$
declare
    fence bigint;
begin
    perform millrace.retry(job) where exists (select from millrace.scheduled s where s.job_id = job);
    select c.fence into strict fence from millrace.claim((select max(w.id) from millrace.worker w), 'q', 100) c
     where c.job_id = job;
    perform millrace.fail(fence, job, 'boom');
    return (select s.run_at - millrace.now() from millrace.scheduled s where s.job_id = job);
end
$$;

-- The settings.
set local role millrace_operator;
select is(millrace.configure_kind('k', '{}'), '{}', 'nothing is nothing');
reset role;
select is_empty('select from millrace.kind', 'and leaves nothing');
set local role millrace_operator;
select is(millrace.configure_kind('k', '{"max_attempts": 3, "timeout": "5 minutes", "retry_delays": ["10 s", "60 s"]}'),
          '{"max_attempts": {"from": null, "to": 3}, "timeout": {"from": null, "to": "00:05:00"},
            "retry_delays": {"from": null, "to": ["00:00:10", "00:01:00"]}}', 'it says what has changed');
select is(millrace.configure_kind('k', '{"max_attempts": 3, "timeout": "300 s"}'), '{}', 'and what has not');
reset role;
select row_eq($$ select at, who, action, detail, affected from millrace.operator_action
                  where action = 'configure_kind' $$,
              row(millrace.now(), session_user::text collate "default", 'configure_kind'::text,
                  '{"kind": "k", "changed": {"max_attempts": {"from": null, "to": 3},
                                             "timeout": {"from": null, "to": "00:05:00"},
                                             "retry_delays": {"from": null, "to": ["00:00:10", "00:01:00"]}}}'::jsonb,
                  1::bigint),
              'the book says it once');

-- Job, kind, queue: of jobs that come.
create function pg_temp.limits(job bigint)
returns text
language sql
as $$ select format('%s %s', j.max_attempts, j.timeout) from millrace.job j where j.id = job $$;
select is(pg_temp.limits(millrace.enqueue('q', 'other')), '5 01:00:00', 'a kind without a row is as the queue has it');
select is(pg_temp.limits(millrace.enqueue('q', 'k')), '3 00:05:00', 'a kind has its own limits');
select is(pg_temp.limits(millrace.enqueue('q', 'k', max_attempts => 7, timeout => '2 s')), '7 00:00:02',
          'a job may have its own');
select is(pg_temp.limits((millrace.enqueue_many('q', 'k', '{1}'))[1]), '3 00:05:00', 'enqueue_many asks the kind, too');
select is(pg_temp.limits((millrace.enqueue_unique('q', 'k', '{}', 'u')).id), '3 00:05:00', 'as does enqueue_unique');
select millrace.create_batch('q', kind => 'k') as batch \gset
select millrace.close_batch(:batch) \g /dev/null
select millrace.follow_up_all() \g /dev/null
select is(pg_temp.limits(callback_job), '3 00:05:00', 'and the callback of a batch') from millrace.batches;
select millrace.configure_kind('k', '{"max_attempts": null}') \g /dev/null
select is(pg_temp.limits(millrace.enqueue('q', 'k')), '5 00:05:00', 'null leaves it to the queue again');

-- Of the next failure.
select millrace.enqueue('q', 'k') as job \gset
select is(pg_temp.fail(:job), '10 s', 'the first delay of the kind''s list');
select is(pg_temp.fail(:job), '60 s', 'the second');
select is(pg_temp.fail(:job), '60 s', 'which is the last, and is repeated');
select millrace.configure_kind('k', '{"retry_delays": ["1 s", "2 s", "3 s", "4 s"]}') \g /dev/null
select is(pg_temp.fail(:job), '4 s', 'a change holds for jobs that are there');
select is(pg_temp.fail(:job), null, 'the last attempt is the last');
select is(state, 'discarded', 'the job is a dead letter') from millrace.jobs where id = :job;
select is(millrace.replay(:job), 'available', 'replayed');
select is(pg_temp.fail(:job), '1 s', 'it begins with the first delay');
select is(pg_temp.fail(job), '9 s', 'a job''s own list counts: enqueue')
  from millrace.enqueue('q', 'k', retry_delays => '{9 s}') job;
select is(pg_temp.fail(jobs[1]), '8 s', 'enqueue_many')
  from millrace.enqueue_many('q', 'k', '{1}', retry_delays => '{8 s}') jobs;
select is(pg_temp.fail(id), '7 s', 'enqueue_unique')
  from millrace.enqueue_unique('q', 'k', '{}', 'v', retry_delays => '{7 s}');
select millrace.enqueue('q', 'k') as told \gset
select millrace.settle_many(array[:told], array(select fence from millrace.claim(:session, 'q', 100)
                                                 where job_id = :told), '{failed}', '{e}', '{5 s}') \g /dev/null
select is(run_at - millrace.now(), '5 s', 'what the handler says stands over all') from millrace.scheduled
 where job_id = :told;
select ok(delay between interval '80 s' and interval '120 s', 'no list, no kind: the queue''s backoff')
  from (select pg_temp.fail(millrace.enqueue('q', 'other')) as delay) failed;
select millrace.configure_kind('other', '{"retry_base": "20 s"}') \g /dev/null
select ok(delay between interval '16 s' and interval '24 s', 'the kind''s base, the queue''s cap')
  from (select pg_temp.fail(millrace.enqueue('q', 'other')) as delay) failed;

-- A list goes with its job when the job's day is dropped.
select millrace.enqueue('q', 'k', retry_delays => '{9 s}') as moved \gset
select millrace.copy_jobs(array[:moved], stored_on, stored_on + 1) from millrace.job where id = :moved \g /dev/null
select is(count(*), 2::bigint, 'a list moves with its job') from millrace.job
 where id = :moved and retry_delays = '{9 s}';

-- The view.
select millrace.open_session('picky', '{q}', kinds => '{k,unheard of}') as picky,
       millrace.open_session('gone', '{q}', kinds => '{k,unheard of}') as gone,
       millrace.open_session('late', '{q}', lease => '5 s', kinds => '{k,unheard of}') as late \gset
select millrace.close_session(:gone) \g /dev/null
select millrace_test.advance_clock('6 s') \g /dev/null
set local role millrace_viewer;
select results_eq('select kind, max_attempts, timeout, retry_base, retry_cap, retry_delays, paused_at, live_workers
                     from millrace.kinds order by kind',
                  $$ values ('k', null::smallint, interval '5 min', null::interval, null::interval,
                             '{1 s,2 s,3 s,4 s}'::interval[], null::timestamptz, 2::bigint),
                            ('other', null, null, '20 s', null, null, null, 1),
                            ('unheard of', null, null, null, null, null, null, 2) $$,
                  'kinds, their policies, and how many live workers handle them');
reset role;

-- Refusals.
select millrace_test.fingerprint() as before \gset
set local role millrace_operator;
select throws_ok(format('select millrace.configure_kind(''k'', %s)', changes), 'MR005',
                 'configure_kind: bad ' || named, changes)
  from (values ('null', 'changes'), ($$'[]'$$, 'changes'), ($$'"x"'$$, 'changes'),
               ($$'{"name": "x"}'$$, 'changes: no setting ''name'''),
               ($$'{"paused_at": null}'$$, 'changes: no setting ''paused_at'''),
               ($$'{"payload_schema": {}}'$$, 'changes: no setting ''payload_schema'''),
               ($$'{"max_attempts": "many"}'$$, 'changes: invalid input syntax for type smallint: "many"'),
               ($$'{"retry_delays": "soon"}'$$, 'changes: malformed array literal: "soon"'),
               ($$'{"retry_delays": ["soon"]}'$$, 'changes: invalid input syntax for type interval: "soon"'),
               ($$'{"max_attempts": 0}'$$, 'max_attempts'), ($$'{"max_attempts": 1001}'$$, 'max_attempts'),
               ($$'{"timeout": "0"}'$$, 'timeout'), ($$'{"timeout": "31 days"}'$$, 'timeout'),
               ($$'{"timeout": "71582788 months -2147483640 days 1 s"}'$$, 'timeout'),
               ($$'{"retry_base": "0"}'$$, 'retry_base'), ($$'{"retry_base": "25 h"}'$$, 'retry_base'),
               ($$'{"retry_cap": "0"}'$$, 'retry_cap'), ($$'{"retry_cap": "31 days"}'$$, 'retry_cap'),
               ($$'{"retry_base": "2 s", "retry_cap": "1 s"}'$$, 'retry_cap'),
               ($$'{"retry_delays": []}'$$, 'retry_delays'), ($$'{"retry_delays": [null]}'$$, 'retry_delays'),
               ($$'{"retry_delays": ["-1 s"]}'$$, 'retry_delays'),
               ($$'{"retry_delays": [["1 s"]]}'$$, 'retry_delays'),
               ($$'{"retry_delays": ["366 days"]}'$$, 'retry_delays')) bad(changes, named);
select throws_ok(format('select millrace.configure_kind(%s, ''{"max_attempts": 1}'')', kind), 'MR005',
                 'configure_kind: bad kind', 'kind: ' || kind)
  from (values ('null'), (''''''), ('repeat(''k'', 101)')) bad(kind);
select throws_ok($$ select millrace.enqueue('q', 'k', retry_delays => '{-1 s}') $$, 'MR005',
                 'enqueue: bad retry_delays', 'enqueue looks at a job''s own list');
select throws_ok($$ select millrace.enqueue_many('q', 'k', '{1}', retry_delays => '{}') $$, 'MR005',
                 'enqueue: bad retry_delays', 'so does enqueue_many');
select throws_ok($$ select millrace.enqueue_unique('q', 'k', '{}', 'w', retry_delays => '{null}') $$, 'MR005',
                 'enqueue: bad retry_delays', 'so does enqueue_unique');
reset role;
select is(millrace_test.fingerprint(), :'before'::text, 'nothing is left of any of them');
select lives_ok(format('select millrace.configure_kind(%L, %L)', repeat('k', 100), most), most)
  from (values ('{"max_attempts": 1000, "timeout": "30 days", "retry_base": "1 day", "retry_cap": "30 days"}'),
               ('{"retry_delays": ["0", "365 days"]}')) fine(most);

select * from finish();
rollback;
