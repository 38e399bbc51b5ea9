-- schedules.sql: a schedule is brought in line with each call; paused, resumed, run by hand, dropped.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(69);
select millrace.create_queue('q') as q, millrace.create_queue('small', max_payload_bytes => 10) as small \gset
select millrace.now() as noon \gset

-- The same call twice changes nothing; what differs is named.
set local role millrace_operator;
select row_eq($$ select * from millrace.create_schedule('tea', '0 16 * * *', 'q', 'brew') $$,
              row('created'::text, '{}'::text[], :'noon'::timestamptz + interval '4 h'), 'a schedule is made');
reset role;
select millrace_test.fingerprint() as before \gset
select row_eq($$ select * from millrace.create_schedule('tea', '0 16 * * *', 'q', 'brew') $$,
              row('unchanged'::text, '{}'::text[], :'noon'::timestamptz + interval '4 h'), 'the same again: unchanged');
select is(millrace_test.fingerprint(), :'before', 'which writes nothing');
select row_eq($$ select cron, time_zone, misfire, jitter, queue_id, kind, payload, due_key, priority, max_attempts,
                        timeout, paused, created_at from millrace.schedule $$,
              row('0 16 * * *'::text, 'UTC'::text, 'once'::text, interval '0', :q, 'brew'::text, '{}'::jsonb,
                  null::text, 5::smallint, null::smallint, null::interval, false, :'noon'::timestamptz),
              'it has the defaults');
select millrace_test.advance_clock('1 min') \g /dev/null
select format($$ select row_eq('select outcome, changed from millrace.create_schedule(''tea'', ' || %L || ')',
                               row('changed'::text, %L::text[]), %L) $$, arguments, changes, 'change of ' || changes)
  from (values ($$'0 16 * * *', 'q', 'pour'$$, '{kind}'),
               ($$'0 16 * * *', 'small', 'pour'$$, '{queue}'),
               ($$'0 16 * * *', 'small', 'pour', '{"a": 1}'$$, '{payload}'),
               ($$'0 17 * * *', 'small', 'pour', '{"a": 1}'$$, '{cron}'),
               ($$'0 17 * * *', 'small', 'pour', '{"a": 1}', 'Asia/Tokyo'$$, '{time_zone}'),
               ($$'0 17 * * *', 'small', 'pour', '{"a": 1}', 'Asia/Tokyo', 'all'$$, '{misfire}'),
               ($$'0 17 * * *', 'small', 'pour', '{"a": 1}', 'Asia/Tokyo', 'all', '1 s'$$, '{jitter}'),
               ($$'0 17 * * *', 'small', 'pour', '{"a": 1}', 'Asia/Tokyo', 'all', '1 s', 1$$, '{priority}'),
               ($$'0 17 * * *', 'small', 'pour', '{"a": 1}', 'Asia/Tokyo', 'all', '1 s', 1, 2, '3 s', 'at'$$,
                '{due_key,max_attempts,timeout}')) c(arguments, changes) \gexec
select row_eq($$ select cron, time_zone, misfire, jitter, queue_id, kind, payload, due_key, priority, max_attempts,
                        timeout, paused, created_at, changed_at from millrace.schedule $$,
              row('0 17 * * *'::text, 'Asia/Tokyo'::text, 'all'::text, interval '1 s', :small, 'pour'::text,
                  '{"a": 1}'::jsonb, 'at'::text, 1::smallint, 2::smallint, interval '3 s', false, :'noon'::timestamptz,
                  :'noon'::timestamptz + interval '1 min'), 'all of it is changed');
select is(count(*), 10::bigint, 'the book has each change, and not the call that changed nothing')
  from millrace.operator_action where action = 'create_schedule' and detail ->> 'schedule' = 'tea';

-- The next run: begins anew with another cron or zone, and else stays, even when it is due.
select millrace.create_schedule('hourly', '@hourly', 'q', 'k') \g /dev/null
select millrace_test.advance_clock('1 h') \g /dev/null
select is(next_run_at, :'noon'::timestamptz + interval '1 h', 'what is due stays due')
  from millrace.create_schedule('hourly', '@hourly', 'q', 'other');
select is(next_run_at, :'noon'::timestamptz + interval '90 min', 'another cron begins from now')
  from millrace.create_schedule('hourly', '*/30 * * * *', 'q', 'other');
select millrace_test.advance_clock('29 min'), millrace.tick_schedules() \g /dev/null
select millrace_test.advance_clock('-1 h') \g /dev/null
select is(next_run_at, :'noon'::timestamptz + interval '120 min',
          'but not before what has run, if the clock was set back')
  from millrace.create_schedule('hourly', '@hourly', 'q', 'other');
select is(millrace.run_schedule_now('hourly') is not null, true, 'by hand it runs all the same');

-- Pause and resume.
set local role millrace_operator;
select lives_ok($$ select millrace.pause_schedule('hourly') $$, 'a schedule is paused');
select lives_ok($$ select millrace.pause_schedule('hourly') $$, 'twice is as good as once');
select row_eq($$ select paused, next_run_at from millrace.schedules where name = 'hourly' $$,
              row(true, null::timestamptz), 'the view says so, and that nothing is due');
reset role;
select is(outcome, 'unchanged', 'a deployment leaves it paused')
  from millrace.create_schedule('hourly', '@hourly', 'q', 'other');
select millrace_test.set_clock(:'noon'::timestamptz + interval '5 h 10 min') \g /dev/null
select row_eq('select * from millrace.tick_schedules()', row(0, :'noon'::timestamptz + interval '20 h'),
              'it does not run, nor does anybody wait for it');
select isnt(millrace.run_schedule_now('hourly'), null, 'but by hand it does');
select is(millrace.resume_schedule('hourly'), :'noon'::timestamptz + interval '6 h',
          'it goes on from now: what was due meanwhile is not made up for');
select is(millrace.resume_schedule('hourly'), :'noon'::timestamptz + interval '6 h', 'twice is as good as once');
select is(enqueued, 0, 'indeed') from millrace.tick_schedules();
select results_eq($$ select action, count(*) from millrace.operator_action where action ~ '(pause|resume|run)_schedule'
                      group by 1 order by 1 $$,
                  $$ values ('pause_schedule', 1::bigint), ('resume_schedule', 1), ('run_schedule_now', 2) $$,
                  'the book says what was done, once');

-- By hand.
select throws_ok($$ select millrace.run_schedule_now('tea') $$, 'MR004', null, 'an error is the caller''s');
select millrace.create_schedule('cake', '0 3 * * *', 'q', 'bake', '{"eggs": 3}', jitter => '1 h', priority => 2,
                                max_attempts => 4, timeout => '9 s', due_key => 'at') \g /dev/null
select millrace.run_schedule_now('cake') as job \gset
select row_eq(format('select queue, kind, payload, priority, max_attempts, state from millrace.jobs where id = %s',
                     :job),
              row('q'::text, 'bake'::text, jsonb_build_object('eggs', 3, 'at',
                  to_char(millrace.now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), 2::smallint, 4::smallint,
                  'available'::text), 'the job is as the schedule says, at once');
select is(timeout, '9 s', 'with its timeout') from millrace.job where id = :job;
select row_eq($$ select due_at, fired_at, how, times, job_id from millrace.schedule_runs where schedule = 'cake' $$,
              row(millrace.now(), millrace.now(), 'by hand'::text, 1, :job::bigint), 'the history has it');

-- Dropped: what it has enqueued stays; one of the same name begins anew.
select lives_ok($$ select millrace.drop_schedule('cake') $$, 'a schedule is dropped');
select is_empty($$ select from millrace.schedules where name = 'cake' $$, 'it is gone');
select is(state, 'available', 'its jobs are not') from millrace.jobs where id = :job;
select is(outcome, 'created', 'and made again') from millrace.create_schedule('cake', '0 3 * * *', 'q', 'bake');
select is_empty($$ select from millrace.schedule_runs where schedule = 'cake' $$, 'with a history of its own');

select millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.%s(%L)', verb, name), 'MR014',
                 format('%s: unknown schedule %L', verb, name), verb)
  from unnest('{drop_schedule,pause_schedule,resume_schedule,run_schedule_now}'::text[]) verb,
       (values ('none'), (null)) n(name);
select throws_ok('select millrace.create_schedule(' || arguments || ')', sqlstate, complaint, arguments)
  from (values ($$null, '@daily', 'q', 'k'$$, 'MR005', 'create_schedule: bad name'),
               ($$'', '@daily', 'q', 'k'$$, 'MR005', 'create_schedule: bad name'),
               ($$repeat('n', 101), '@daily', 'q', 'k'$$, 'MR005', 'create_schedule: bad name'),
               ($$'n', '@never', 'q', 'k'$$, 'MR005', 'schedule: bad cron: there is no ''@never'''),
               ($$'n', '@daily', 'nowhere', 'k'$$, 'MR003', null),
               ($$'n', '@daily', 'q', ''$$, 'MR005', 'enqueue: bad kind'),
               ($$'n', '@daily', 'small', 'k', '"123456789"'$$, 'MR004', null),
               ($$'n', '@daily', 'q', 'k', null$$, 'MR005', 'enqueue: payload is null'),
               ($$'n', '@daily', 'q', 'k', time_zone => 'MESZ'$$, 'MR005', 'create_schedule: bad time_zone ''MESZ'''),
               ($$'n', '@daily', 'q', 'k', misfire => 'never'$$, 'MR005', 'create_schedule: bad misfire'),
               ($$'n', '@daily', 'q', 'k', misfire => null$$, 'MR005', 'create_schedule: bad misfire'),
               ($$'n', '@daily', 'q', 'k', jitter => '-1 s'$$, 'MR005', 'create_schedule: bad jitter'),
               ($$'n', '@daily', 'q', 'k', jitter => '25 h'$$, 'MR005', 'create_schedule: bad jitter'),
               ($$'n', '@daily', 'q', 'k', jitter => '1 month -29 days -23 h'$$, 'MR005',
                'create_schedule: bad jitter'),
               ($$'n', '@daily', 'q', 'k', jitter => null$$, 'MR005', 'create_schedule: bad jitter'),
               ($$'n', '@daily', 'q', 'k', priority => 10$$, 'MR005', 'enqueue: bad priority'),
               ($$'n', '@daily', 'q', 'k', '[]', due_key => 'at'$$, 'MR005', 'create_schedule: bad due_key'),
               ($$'n', '@daily', 'q', 'k', '{"at": 1}', due_key => 'at'$$, 'MR005', 'create_schedule: bad due_key'),
               ($$'n', '@daily', 'q', 'k', due_key => ''$$, 'MR005', 'create_schedule: bad due_key'))
       b(arguments, sqlstate, complaint);
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');

insert into millrace.schedule (name, cron, time_zone, misfire, jitter, queue_id, kind, payload, priority, created_at,
                               changed_at)
select 's' || g, '@daily', 'UTC', 'once', '0', :q, 'k', '{}', 5, millrace.now(), millrace.now()
  from generate_series(1, 9996) g;
select lives_ok($$ select millrace.create_schedule('last', '@daily', 'q', 'k') $$, 'ten thousand schedules');
select throws_ok($$ select millrace.create_schedule('more', '@daily', 'q', 'k') $$, 'MR015',
                 'there are 10000 schedules');
select is(outcome, 'changed', 'one that there is may be changed')
  from millrace.create_schedule('last', '@hourly', 'q', 'k');
select * from finish();
rollback;
