-- forget_history.sql: each queue's history goes when its own retention is over, though a day holds that of all queues.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(44);
select millrace.create_queue('brief', retention => '1 day'), millrace.create_queue('idle', retention => '1 day'),
       millrace.create_queue('week', retention => '7 days') \g /dev/null
select (i.first_day + time '12:00') at time zone 'utc' as noon from millrace.installation i \gset

create function pg_temp.work(queue text, kinds text[])  -- each is enqueued, claimed, and ends as its name says
returns void
language plpgsql
as $$
declare
    session constant int := millrace.open_session('w', array[queue], lease => '1 min');
    each text;
begin
    foreach each in array kinds
    loop
        perform millrace.enqueue(queue, each);
        perform case each when 'discarded' then millrace.discard(c.fence, c.job_id, 'bad')
                          when 'cancelled' then millrace.complete(c.fence, c.job_id, '{"big": "result"}')
                          else millrace.complete(c.fence, c.job_id) end
           from millrace.claim(session, queue, 1) c;
    end loop;
    perform millrace.close_session(session);
end
$$;
create function pg_temp.prune(max_rows int default 10000)  -- as workers do, until there is nothing left to do
returns void
language plpgsql
as $$
declare
    moves bigint := -1;
    pruned int := 0;
begin
    while pruned = max_rows or moves < (select coalesce(sum(h.version), 0) from millrace.history_mark h)
    loop
        moves := (select coalesce(sum(h.version), 0) from millrace.history_mark h);
        pruned := millrace.prune(max_rows);
    end loop;
end
$$;
create view pg_temp.left_over as
select string_agg(v.queue || ' ' || v.kind, ', ' order by v.queue, v.kind) as jobs from millrace.jobs v;

select pg_temp.work('brief', '{done,discarded}'), pg_temp.work('week', '{done,discarded}'),
       millrace.enqueue('idle', 'waits'), millrace.enqueue('brief', 'later', delay => '3 days') as later \gset
select millrace.cancel(millrace.enqueue('brief', 'cancelled')) \g /dev/null
select id as done from millrace.jobs where queue = 'brief' and kind = 'done' \gset
select millrace_test.advance_clock('1 day') \g /dev/null
set local role millrace_worker;
select is(millrace.prune(), 0, 'for a day a history of a day is kept');
reset role;
select millrace_test.advance_clock('9 min 59 s'), pg_temp.prune() \g /dev/null
select is(jobs, 'brief cancelled, brief discarded, brief done, brief later, idle waits, week discarded, week done',
          'and for up to ten minutes more') from pg_temp.left_over;
select millrace_test.advance_clock('1 s'), pg_temp.prune() \g /dev/null
select is(jobs, 'brief discarded, brief later, idle waits, week discarded, week done',
          'then what was completed or cancelled is gone, and nothing else') from pg_temp.left_over;
select is_empty(format('select from millrace.job where id = %s', :done), 'its payload, too');
select is_empty(format('select from millrace.finished where job_id = %s', :done), 'and its result');
select throws_ok(format('select * from millrace.explain_job(%s)', :done), 'MR006', null, 'nobody knows it any more');
select row_eq($$ select completed, cancelled, dead, available, scheduled from millrace.queues where name = 'brief' $$,
              row(1::bigint, 1::bigint, 1::bigint, 0::bigint, 1::bigint), 'the counts do');
select is(millrace.prune(), 0, 'there is nothing left to do');
select set_eq('select q.name, forgotten_before from millrace.history_mark join millrace.queue q on q.id = queue_id',
              format('values (''brief'', %1$L::timestamptz), (''idle'', %1$L::timestamptz)',
                     :'noon'::timestamptz + interval '10 min'), 'there are marks of the queues whose retention is shorter');

-- What it may not take.
select millrace_test.advance_clock('10 min') \g /dev/null
savepoint other;
update millrace.worker set lease = '3 h';
select pg_temp.work('brief', '{again}') \g /dev/null
update millrace.worker set lease = '3 h';
select millrace_test.advance_clock('1 day 20 min'), pg_temp.prune() \g /dev/null
select matches(jobs, 'brief again', 'a settle that may still be repeated, for ten leases') from pg_temp.left_over;
update millrace.worker set lease = '1 min';
select pg_temp.prune() \g /dev/null
select doesnt_match(jobs, 'brief again', 'not longer') from pg_temp.left_over;
rollback to other;
select millrace.configure_queue('week', '{"retention": "1 day"}') \g /dev/null
select millrace_test.advance_clock('1 day'), pg_temp.prune() \g /dev/null
select is(jobs, 'brief discarded, brief later, idle waits, week discarded, week done',
          'when all queues have the same retention, days are dropped as a whole') from pg_temp.left_over;
rollback to other;

-- A job that ends long after its day.
select millrace_test.set_clock(:'noon'::timestamptz + interval '3 days'), millrace.promote() \g /dev/null
select pg_temp.prune() \g /dev/null
select count(*) from millrace.claim(millrace.open_session('w', '{brief}', lease => '1 min'), 'brief', 2) \g /dev/null
select millrace.complete(fence, job_id) from millrace.running where job_id = :later \g /dev/null
select millrace_test.advance_clock('1 day'), pg_temp.prune() \g /dev/null
select matches(jobs, 'brief later', 'it is kept for a day after its end') from pg_temp.left_over;
select millrace_test.advance_clock('10 min'), pg_temp.prune() \g /dev/null
select doesnt_match(jobs, 'brief later', 'though its day is older') from pg_temp.left_over;
rollback to other;

-- What was noted of its attempts goes with a job.
select pg_temp.work('brief', '{again}') \g /dev/null
insert into millrace.attempt_failure (job_id, failed_at, attempt, outcome, error)
select id, millrace.now(), 1, 'failed', 'x' from millrace.jobs where kind in ('again', 'later');
insert into millrace.job_progress (job_id, version, attempt, percent, reported_at)
select id, 1, 1, 50, millrace.now() from millrace.jobs where kind in ('again', 'later');
insert into millrace.job_log (job_id, line, attempt, logged_at, text)
select id, 1, 1, millrace.now(), 'x' from millrace.jobs where kind in ('again', 'later');
select millrace_test.advance_clock('1 day 10 min'), pg_temp.prune() \g /dev/null
select results_eq('select job_id from millrace.attempt_failure where error = ''x''', array[:later::bigint],
                  'its errors');
select results_eq('select job_id from millrace.job_progress', array[:later::bigint], 'its progress');
select results_eq('select job_id from millrace.job_log', array[:later::bigint], 'and its lines');
rollback to other;

-- history = outcome: the payload goes when the settle cannot be repeated any more, the rest stays.
select millrace.configure_queue('week', '{"history": "outcome"}'), pg_temp.work('week', '{cancelled,discarded}'),
       pg_temp.work('brief', '{other}'),
       millrace.enqueue('week', 'waits', '{"a": 1}', delay => '30 days') \g /dev/null
select is(history, 'outcome', 'the overview tells') from millrace.queues where name = 'week';
select millrace_test.advance_clock('10 min'), pg_temp.prune() \g /dev/null
select set_hasnt($$ select kind from millrace.jobs where payload = 'null' $$, $$ values ('cancelled') $$,
                 'not while a settle may be repeated');
select millrace_test.advance_clock('10 min'), pg_temp.prune() \g /dev/null
select bag_eq($$ select kind, state, payload::text, result ->> 'big' from millrace.jobs where queue = 'week' $$,
              $$ values ('done', 'completed', 'null', null), ('discarded', 'discarded', '{}', null),
                        ('discarded', 'discarded', '{}', null), ('cancelled', 'completed', 'null', 'result'),
                        ('waits', 'scheduled', '{"a": 1}', null) $$,
              'then payloads of what is finished are gone, and nothing else');
select is_empty($$ select from millrace.jobs where queue <> 'week' and payload = 'null' $$, 'nor those of other queues');
select is(millrace.forget_history(10), 0, 'there is nothing left to do');
select pg_temp.work('week', array_fill('k'::text, array[7])), millrace_test.advance_clock('20 min') \g /dev/null
select is(array[millrace.forget_history(5), millrace.forget_history(5), millrace.forget_history(5)], '{5,2,0}',
          'payloads go in pieces, too');
select millrace_test.advance_clock('8 days') \g /dev/null
select millrace.create_queue('long', retention => '30 days'), pg_temp.prune() \g /dev/null
select matches(jobs, 'week discarded, week discarded, week waits$', 'and the rest when its retention is over')
  from pg_temp.left_over;
rollback to other;

-- A year of days has one that has no midnight in Havana.
select millrace.configure_queue('week', '{"history": "outcome"}') \g /dev/null
update millrace.installation set first_day = first_day - 370;
set local timezone = 'America/Havana';
select pg_temp.work('week', '{cancelled}'), millrace_test.advance_clock('20 min'), pg_temp.prune() \g /dev/null
select is(payload, 'null', 'days are counted, whatever the zone') from millrace.jobs
 where queue = 'week' and kind = 'cancelled';
rollback to other;

-- history = none.
select millrace.configure_queue('week', '{"history": "none"}'), pg_temp.work('week', '{cancelled,discarded}') \g /dev/null
select f.fence as last_fence, f.job_id as last_job
  from millrace.finished f
  join millrace.job j on j.id = f.job_id
 where j.kind = 'cancelled' and f.fence is not null \gset
select millrace_test.advance_clock('10 min'), pg_temp.prune() \g /dev/null
select matches(jobs, 'week cancelled', 'a settle that may be repeated is remembered') from pg_temp.left_over;
select is(millrace.settle_many(array[:last_job], array[:last_fence]), '{}', 'as this one is');
select millrace_test.advance_clock('10 min'), pg_temp.prune() \g /dev/null
select is(jobs, 'brief discarded, brief later, idle waits, week discarded, week discarded',
          'then what is finished leaves nothing') from pg_temp.left_over;
select is((select completed from millrace.queues where name = 'week'), 2::bigint, 'but the counts');
select throws_ok($$ select millrace.configure_queue('week', '{"history": "some"}') $$, 'MR005',
                 'configure_queue: bad history', 'there is nothing else');
rollback to other;

-- In pieces.
select pg_temp.work('brief', array_fill('k'::text, array[25])) \g /dev/null
select millrace_test.advance_clock('1 day'), pg_temp.prune(), millrace_test.advance_clock('10 min') \g /dev/null
select is(millrace.forget_history(10), 10, 'as many as it may');
select is((select count(*) from millrace.jobs where kind = 'k'), 15::bigint, 'and no more');
select is(millrace.forget_history(10), 10, 'again');
select is(millrace.forget_history(10), 5, 'until there are no more');
select is(count(*), 2::bigint, 'each has one mark') from millrace.history_mark;
select is(millrace.forget_history(10), 0, 'which is not moved for nothing');
rollback to other;

-- A retention that is made shorter: a long past goes some hours at a time, all queues in their turn.
select millrace.create_queue('other', retention => '2 days') \g /dev/null
select pg_temp.work('other', '{done}') \g /dev/null
select millrace_test.advance_clock('6 days'), pg_temp.work('week', '{late}'), pg_temp.work('brief', '{late}') \g /dev/null
select is(millrace.forget_history(10000), 0, 'where nothing is found, nobody hurries');
select is(max(forgotten_before) - min(forgotten_before), interval '200 min', 'twenty slices at a time')
  from millrace.history_mark;
select pg_temp.prune() \g /dev/null
select is(jobs, 'brief discarded, brief late, brief later, idle waits, week discarded, week done, week late',
          'until all is gone that has to') from pg_temp.left_over;
select results_eq('select q.name, forgotten_before > millrace.now() - q.retention - interval ''10 min''
                     from millrace.history_mark join millrace.queue q on q.id = queue_id order by 1',
                  $$ values ('brief', true), ('idle', true), ('other', true) $$, 'and the marks are up to date');

savepoint more;
update millrace.queue set retention = '7 days' where name <> 'brief';
select pg_temp.work('brief', '{done}'), millrace_test.advance_clock('1 day'), pg_temp.prune() \g /dev/null
select millrace_test.advance_clock('4 h') \g /dev/null
select is(millrace.forget_history(10000), 10000, 'where something is, there may be more at once');
rollback to more;

-- It reads by the time at which jobs finished.
select pg_temp.work('brief', array_fill('k'::text, array[500])) \g /dev/null
select millrace_test.advance_clock('1 day 20 min'), pg_temp.prune() \g /dev/null
select millrace_test.advance_clock('30 min'), pg_temp.work('brief', '{last}') \g /dev/null
select millrace_test.advance_clock('23 h 59 min'), pg_temp.prune() \g /dev/null
select millrace_test.sequential_scans() as before \gset
select is(millrace.forget_history(100), 0, 'a slice that is not over yet');
select millrace_test.advance_clock('11 min') \g /dev/null
select is(millrace.forget_history(100), 1, 'and one that is');
select is(millrace_test.sequential_scans(), :before::bigint, 'no table is read from end to end');
select * from finish();
rollback;
