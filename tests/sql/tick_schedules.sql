-- tick_schedules.sql: what is due is enqueued once; missed times are skipped, made up for by one job, or by all; clocks
-- that jump bring nothing back and leave nothing out.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(57);
select millrace.create_queue('q', retention => '1 day') \g /dev/null
select millrace.now() as noon \gset
create function pg_temp.make(name text, cron text, misfire text, jitter interval default '0') returns void
language sql as $$ select millrace.create_schedule(name, cron, 'q', name, misfire => misfire, jitter => jitter) $$;
create function pg_temp.go_on(span interval, out enqueued int, out next_run_at timestamptz)
language sql as $$ select millrace_test.advance_clock(span); select * from millrace.tick_schedules() $$;
-- Its history, in minutes since it was made.
create function pg_temp.history(name text) returns text
language sql as $$
    select string_agg(format('%s %s%s', extract(epoch from r.due_at - s.created_at)::int / 60, r.how,
                             case when r.times > 1 then ' ' || r.times else '' end), ', ' order by r.due_at)
      from millrace.schedule_runs r
     cross join (select min(created_at) as created_at from millrace.schedule) s
     where r.schedule = name
$$;

select row_eq('select * from millrace.tick_schedules()', row(0, null::timestamptz), 'without schedules nothing is due');
select pg_temp.make('once', '*/10 * * * *', 'once') \g /dev/null
set local role millrace_worker;
select row_eq('select * from millrace.tick_schedules()', row(0, :'noon'::timestamptz + interval '10 min'),
              'before its time nothing runs; the caller learns when');
reset role;
select is(enqueued, 0, 'not a microsecond early') from pg_temp.go_on('10 min' - interval '1 us');
select row_eq('select * from pg_temp.go_on(''1 us'')', row(1, :'noon'::timestamptz + interval '20 min'),
              'on the instant');
select is(enqueued, 0, 'once') from millrace.tick_schedules();
select row_eq($$ select queue, kind, state, priority, payload, enqueued_at from millrace.jobs $$,
              row('q'::text, 'once'::text, 'available'::text, 5::smallint, '{}'::jsonb, millrace.now()),
              'its job is available');
select is(pg_temp.history('once'), '10 on time', 'the history has it');
select row_eq($$ select next_run_at, last_due_at, last_fired_at, last_how, last_job = (select id from millrace.jobs)
                   from millrace.schedules $$,
              row(:'noon'::timestamptz + interval '20 min', millrace.now(), millrace.now(), 'on time'::text, true),
              'and the view');
select is(enqueued, 1, 'a minute late is on time') from pg_temp.go_on('11 min');
select is(pg_temp.history('once'), '10 on time, 20 on time', 'on time');
select is(enqueued, 1, 'later than that it is caught up with') from pg_temp.go_on('10 min 1 us');
select is(pg_temp.history('once'), '10 on time, 20 on time, 30 caught up', 'caught up');

-- After a downtime of an hour: 31 … 91, with 40, 50, 60, 70, 80 and, within the grace, 90 due.
select pg_temp.make('skip', '*/10 * * * *', 'skip'), pg_temp.make('all', '*/10 * * * *', 'all') \g /dev/null
select row_eq('select * from pg_temp.go_on(interval ''59 min'' - interval ''1 us'')',
              row(8, :'noon'::timestamptz + interval '100 min'), 'one of once, one of skip, six of all');
select is(pg_temp.history('once'), '10 on time, 20 on time, 30 caught up, 40 caught up 6', 'once: one for all six');
select is(pg_temp.history('skip'), '40 skipped 5, 90 on time', 'skip: none of those missed');
select is(pg_temp.history('all'), '40 caught up, 50 caught up, 60 caught up, 70 caught up, 80 caught up, 90 on time',
          'all: each');
select row_eq('select * from pg_temp.go_on(''9 min'')', row(0, :'noon'::timestamptz + interval '100 min'),
              'then all go on in the future');
select is(enqueued, 3, 'on time') from pg_temp.go_on('1 min');
select is(enqueued, 2, 'skip: late by more than a minute is missed') from pg_temp.go_on('12 min');
select is(pg_temp.history('skip'), '40 skipped 5, 90 on time, 100 on time, 110 skipped', 'and recorded as skipped');

-- Bounds: so many jobs at a time, so many counted, 31 days at most.
delete from millrace.schedule;
select millrace_test.set_clock(:'noon') \g /dev/null
select pg_temp.make('all', '* * * * *', 'all') \g /dev/null
select millrace_test.advance_clock('100 min') \g /dev/null
select row_eq('select * from millrace.tick_schedules(30)', row(30, :'noon'::timestamptz + interval '31 min'),
              'no more than asked for, the first first; the next is overdue');
select is(enqueued, 70, 'the rest with the next call') from millrace.tick_schedules();
select is(count(distinct due_at), 100::bigint, 'each once') from millrace.schedule_runs;
select pg_temp.make('skip', '* * * * *', 'skip'), pg_temp.make('once', '* * * * *', 'once') \g /dev/null
select row_eq('select * from pg_temp.go_on(''40 days'')', row(1000, :'noon'::timestamptz + interval '101 min'),
              'a thousand, of the last 31 days; the others have their turn after it');
select row_eq($$ select due_at, times from millrace.schedule_runs where how = 'skipped' and schedule = 'all' $$,
              row(:'noon'::timestamptz + interval '101 min', 1000),
              'what is older is skipped, and counted to a thousand');
select is(min(due_at), :'noon'::timestamptz + interval '100 min 9 days', 'and the 31 days are inclusive')
  from millrace.schedule_runs
 where how = 'caught up' and schedule = 'all' and due_at > :'noon'::timestamptz + interval '1 d';
update millrace.schedule set paused = name = 'all';
select is(enqueued, 3, 'once: one; skip: the two within the grace') from millrace.tick_schedules();
select is(max(times), 1000, 'once, too, counts to a thousand') from millrace.schedule_runs where schedule = 'once';

-- What a schedule could not enqueue is not missed, with skip either.
delete from millrace.schedule;
select millrace_test.set_clock(:'noon') \g /dev/null
select pg_temp.make('skip', '*/10 * * * *', 'skip') \g /dev/null
select millrace.configure_queue('q', '{"max_payload_bytes": 2}') \g /dev/null
update millrace.schedule set payload = '{"too": "long"}';
select is(enqueued, 0, 'a time at which it fails') from pg_temp.go_on('10 min');
select is(enqueued, 0, 'and again, and past the next of its times') from pg_temp.go_on('15 min');
update millrace.schedule set payload = '{}';
select pg_temp.go_on('61 s') \g /dev/null
select is(pg_temp.history('skip'), '10 caught up, 20 skipped', 'runs when it can; what came after it was missed');
select millrace.configure_queue('q', '{"max_payload_bytes": 1048576}') \g /dev/null

-- A clock that jumps: forwards is a downtime; backwards nothing is due until it is where it was.
delete from millrace.schedule;
select millrace_test.set_clock(:'noon') \g /dev/null
select pg_temp.make('all', '*/10 * * * *', 'all') \g /dev/null
select is(enqueued, 3, 'half an hour forwards') from pg_temp.go_on('30 min');
select is(enqueued, 0, 'backwards') from pg_temp.go_on('-20 min');
select is(enqueued, 0, 'and on, up to where it was') from pg_temp.go_on('29 min');
select is(enqueued, 1, 'from there it goes on') from pg_temp.go_on('1 min');
select is(pg_temp.history('all'), '10 caught up, 20 caught up, 30 on time, 40 on time', 'each time once');

-- Jitter puts off the job, not the schedule.
delete from millrace.schedule;
select millrace_test.set_clock(:'noon') \g /dev/null
select pg_temp.make('jitter', '* * * * *', 'all', '1 h') \g /dev/null
select row_eq('select * from pg_temp.go_on(''50 min'')', row(50, :'noon'::timestamptz + interval '51 min'),
              'the schedule keeps its times');
select cmp_ok(count(*), '>', 40::bigint, 'the jobs wait, but for what fell on now')
  from millrace.jobs where kind = 'jitter' and state = 'scheduled';
select ok(min(run_at) >= millrace.now() and max(run_at) <= millrace.now() + interval '1 h',
          'from now on, for what is caught up with, within the jitter') from millrace.jobs where kind = 'jitter';
select ok(max(run_at) - min(run_at) > interval '20 min', 'and are spread') from millrace.jobs where kind = 'jitter';

-- One that cannot run says why, keeps its time, and does not keep the others from theirs.
delete from millrace.schedule;
select millrace_test.set_clock(:'noon') \g /dev/null
select pg_temp.make('bad', '*/10 * * * *', 'all'), pg_temp.make('good', '*/10 * * * *', 'all') \g /dev/null
update millrace.schedule set kind = '' where name = 'bad';
select row_eq('select * from pg_temp.go_on(''10 min'')', row(1, :'noon'::timestamptz + interval '11 min'),
              'the other runs; the bad one is looked at again in a minute');
select is(pg_temp.history('good'), '10 on time', 'indeed');
select row_eq($$ select error, next_run_at from millrace.schedules where name = 'bad' $$,
              row('enqueue: bad kind'::text, millrace.now()), 'it says why, its time is still due');
update millrace.schedule set kind = 'k' where name = 'bad';
select row_eq('select * from pg_temp.go_on(''1 min'')', row(1, :'noon'::timestamptz + interval '20 min'),
              'when it can, it does');
select is(error, null, 'and complains no more') from millrace.schedules where name = 'bad';
select is(count(*), 2::bigint, 'one row for each is alive') from millrace.schedule_due d join millrace.schedule s
    on s.id = d.schedule_id;

-- A member of the payload has the due time.
delete from millrace.schedule;
select millrace.create_schedule('due', '*/10 * * * *', 'q', 'due', '{"a": 1}', due_key => 'at', misfire => 'all'),
       millrace_test.advance_clock('24 min'), millrace.tick_schedules() \g /dev/null
select results_eq($$ select payload from millrace.jobs where kind = 'due' order by id $$,
                  $$ select jsonb_build_object('a', 1, 'at', to_char(r.due_at at time zone 'UTC',
                                               'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
                       from millrace.schedule_runs r order by r.due_at $$, 'due_key: each job knows its time');

-- A pinned horizon keeps what every run leaves behind, as this transaction does: looking costs the same.
delete from millrace.schedule;
select pg_temp.make('dense', '* * * * *', 'skip'), pg_temp.make('rare', '@yearly', 'skip') \g /dev/null
create function pg_temp.entries() returns bigint language plpgsql as $$
declare
    before constant bigint := millrace_test.entries_passed();
begin
    perform millrace.tick_schedules();
    return millrace_test.entries_passed() - before;
end
$$;
select max(pg_temp.entries()) as entries from generate_series(1, 3) \gset
select pg_temp.go_on('1 min') from generate_series(1, 300) \g /dev/null
select is(version, 300::bigint, 'each run makes one version') from millrace.schedule_due d
    join millrace.schedule s on s.id = d.schedule_id where s.name = 'dense';
select cmp_ok(pg_temp.entries(), '<=', :entries::bigint, 'which the next tick does not read');

-- A thousand schedules at a time, too.
delete from millrace.schedule;
with many as (
    insert into millrace.schedule (name, cron, time_zone, misfire, jitter, queue_id, kind, payload, priority, created_at,
                                   changed_at)
    select 's' || g, '@yearly', 'UTC', 'skip', '0', q.id, 'k', '{}', 5, millrace.now(), millrace.now()
      from generate_series(1, 1001) g, millrace.queue q
    returning id
)
insert into millrace.schedule_due (schedule_id, next_run_at, look_at)
select id, millrace.now() - interval '1 h', millrace.now() from many;
select millrace.tick_schedules() \g /dev/null
select is(count(*), 1000::bigint, 'no more than a thousand schedules in one call') from millrace.schedule_runs
 where how = 'skipped';

select millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.tick_schedules(%s)', amount), 'MR005', 'tick_schedules: bad max_jobs', amount)
  from (values ('null'), ('0'), ('-1'), ('1001')) bad(amount);
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');
select cmp_ok(count(*), '>', 0::bigint, 'there is a history') from millrace.schedule_run;
select millrace_test.set_clock(millrace.now() + interval '50 days'), millrace.prune() \g /dev/null
select is(count(*), 0::bigint, 'which is pruned with the rest') from millrace.schedule_run;
select * from finish();
rollback;
