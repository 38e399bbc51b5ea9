-- partitions.sql: days are made ahead, and dropped when their retention is over and nothing needs them.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(55);
select millrace.create_queue('q', max_attempts => 2, retention => '3 days') \g /dev/null
select first_day as day from millrace.installation \gset

create function pg_temp.maintain()
returns int  -- what all calls together have changed, until there is nothing left to do
language plpgsql
as $$
declare
    changed int;
    total int := 0;
begin
    loop
        changed := millrace.maintain_partitions();
        exit when changed <= 0;
        total := total + changed;
    end loop;
    return total;
end
$$;

create function pg_temp.days(parent text)
returns date[]
language sql
as $$
    select array_agg(to_date(right(c.relname, 8), 'YYYYMMDD') order by c.relname)
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = ('millrace.' || parent)::regclass
$$;
create function pg_temp.run_of_days(first_one date, last_one date)
returns date[]
language sql
as $$ select array_agg(d::date) from generate_series(first_one, last_one, interval '1 day') d $$;

-- Made ahead.
savepoint fresh;
select is(pg_temp.days('job'), pg_temp.run_of_days(:'day', :'day'::date + 7), 'a new database has days for a week');
select is(pg_temp.days('finished'), pg_temp.days('job'), 'for jobs and for what has finished');
set local role millrace_worker;
select is(millrace.maintain_partitions(), 0, 'which is enough for today');
select is(millrace.maintain_partitions(9), 2, 'more may be made');
reset role;
select is(pg_temp.days('job'), pg_temp.run_of_days(:'day', :'day'::date + 9), 'up to the day asked for');
select is(pg_temp.days('finished'), pg_temp.days('job'), 'of both');
select is(last_day, :'day'::date + 9, 'the installation knows the newest') from millrace.installation;
select is(millrace.maintain_partitions(9), 0, 'they are made once');
create temp view looks as
select right(c.relname, 8) as day, left(c.relname, -9) as parent, c.relowner::regrole::text as owner,
       (select array_agg(replace(pg_get_indexdef(x.indexrelid), right(c.relname, 8), '') order by x.indexrelid)
          from pg_index x where x.indrelid = c.oid) as indexes
  from pg_class c where c.relnamespace = 'millrace'::regnamespace and c.relkind = 'r' and c.relispartition;
select set_eq(format('select parent, owner, cardinality(indexes) from looks where day = %L', later),
              format('select parent, owner, cardinality(indexes) from looks where day = %L',
                     to_char(:'day'::date, 'YYYYMMDD')),
              'a day made later has the owner and the indexes of the first')
  from to_char(:'day'::date + 9, 'YYYYMMDD') later;
select is(has_table_privilege('millrace_worker', 'millrace.job_' || to_char(:'day'::date + 9, 'YYYYMMDD'), 'select'),
          false, 'and is nobody else''s');

-- More days than the server has locks for.
savepoint many;
select current_setting('max_locks_per_transaction')::int / 2 as room \gset
update millrace.installation set first_day = last_day - :room + 1;
select is_empty($$ select from millrace.doctor() where finding = 'many days' $$, 'as many as there are locks for');
update millrace.installation set first_day = first_day - 1;
select row_eq($$ select severity, detail, remedy from millrace.doctor() where finding = 'many days' $$,
              row('warning'::text,
                  format('%s days are kept; a claim locks the table and the index of each', :room + 1),
                  format('max_locks_per_transaction = %s and a restart, or shorten the longest retention',
                         2 * :room + 102)), 'of one more the doctor tells');
rollback to many;

-- Nobody came for a month, or for a year: jobs go on, the days are caught up with.
savepoint month;
select millrace_test.advance_clock('30 days'), millrace.enqueue('q', 'gap') \g /dev/null
select cmp_ok(pg_temp.maintain(), '>', 0, 'days that were missed are made');
select is(pg_temp.days('job'), pg_temp.run_of_days(:'day'::date + 27, :'day'::date + 37),
          'up to a week from today, and those past their retention are gone');
select is(count(*), 1::bigint, 'but no job that waits') from millrace.jobs where kind = 'gap';
select millrace.enqueue('q', 'today') \g /dev/null
select is(stored_on, :'day'::date + 30, 'new jobs are stored under today again') from millrace.job where kind = 'today';
rollback to month;
select millrace_test.advance_clock('124 days') \g /dev/null
select is(millrace.maintain_partitions(), 120, 'after a long absence a bounded number is made at a time');
select is(millrace.maintain_partitions(), 2, 'and then the rest');
select is(millrace.maintain_partitions(), 1, 'then one old day is dropped with each call');
rollback to fresh;

-- Dropped: one job, enqueued on the first day, brought into a state, and looked for on the day it may go. Four days
-- later the retention of three is over.
select millrace.open_session('w', '{q}') as session, millrace.enqueue('q', 'k') as job \gset
create function pg_temp.held()
returns bigint
language sql
as $$ select fence from millrace.claim((select max(id) from millrace.worker), 'q') $$;
create function pg_temp.kept(after interval)
returns boolean
language plpgsql
as $$
declare
    day constant text := to_char((select first_day from millrace.installation), 'YYYYMMDD');
begin
    perform millrace_test.advance_clock(after);
    perform pg_temp.maintain(), millrace.prune();
    return case num_nulls(to_regclass('millrace.job_' || day), to_regclass('millrace.finished_' || day))
                when 0 then true when 2 then false end;
end
$$;
savepoint enqueued;
select pg_temp.held() as fence \gset
select is(pg_temp.kept('4 days'), true, 'a day is kept for a job that is running');
select millrace.settle_many(array[:job], array[:fence]) \g /dev/null
select is(pg_temp.kept('5 minutes' - interval '1 us'), true,
          'and for ten leases after the last settle, which may be repeated');
select is(millrace.settle_many(array[:job], array[:fence]), '{}', 'and is recognised');
select is(pg_temp.kept('3 days'), true, 'and for the retention after it was settled, not after it was enqueued');
select is(pg_temp.kept('1 day'), false, 'then it goes');
select is(first_day, :'day'::date + 5, 'the installation knows the oldest') from millrace.installation;
select is_empty('select * from millrace.jobs', 'its jobs are no longer shown');
rollback to enqueued;
select is(pg_temp.kept('4 days'), false, 'it is not kept for a job that waits: that one is given a new home');
select is(id, :job::bigint, 'and is not lost') from millrace.jobs;
rollback to enqueued;
select millrace.complete(pg_temp.held(), :job) \g /dev/null
select is(pg_temp.kept('4 days' - interval '12 h 1 us'), true, 'a completed job is kept to the last microsecond');
select is(state, 'completed', 'of its retention') from millrace.jobs;
select is(pg_temp.kept('1 us'), false, 'and no longer');
rollback to enqueued;
select millrace.cancel(:job) \g /dev/null
select is(pg_temp.kept('4 days'), false, 'nor is a cancelled one');
rollback to enqueued;
select millrace.cancel(:job), millrace.create_queue('long', retention => '4 days 1 s') \g /dev/null
select is(pg_temp.kept('5 days'), true, 'the longest retention counts, in whole days');
select is(pg_temp.kept('1 day'), false, 'of all queues');
rollback to enqueued;
select pg_temp.held() as fence \gset
select is(pg_temp.kept('8 days'), true, 'a day that is needed');
select is((pg_temp.days('job'))[1:2], pg_temp.run_of_days(:'day', :'day'::date + 1), 'keeps the later ones');
select millrace.discard(:fence, :job, 'e') \g /dev/null
select is(pg_temp.kept('1 day'), false, 'until it is not');
select is(pg_temp.days('job'), pg_temp.run_of_days(:'day'::date + 6, :'day'::date + 16), 'then all of them go');
rollback to enqueued;

-- What has grown beside them.
select millrace.fail(pg_temp.held(), :job, 'e', '0'), millrace.enqueue('q', 'gone', priority => 0) as gone \gset
select millrace.fail(pg_temp.held(), :gone, 'e', '0'), millrace.promote() \g /dev/null
select millrace.complete(pg_temp.held(), :gone), millrace.enqueue('q', 'dies', priority => 0) as dies \gset
select millrace.discard(pg_temp.held(), :dies, 'e'), millrace.snooze(pg_temp.held(), :job, '1 h') \g /dev/null
select millrace.close_session(:session), millrace.open_session('open', '{q}', lease => '10 s') \g /dev/null
select pg_temp.kept('5 minutes') \g /dev/null
select is(count(*), 1::bigint, 'a receipt is kept for ten leases') from millrace.settle_receipt;
select pg_temp.kept('1 us') \g /dev/null
select is(count(*), 0::bigint, 'and no longer') from millrace.settle_receipt;
select is(count(*), 3::bigint, 'failures are kept') from millrace.attempt_failure;
select pg_temp.kept('4 days') \g /dev/null
select set_eq('select job_id from millrace.attempt_failure', array[:job, :dies]::bigint[], 'as long as their jobs');
select results_eq('select name from millrace.workers', $$ values ('open') $$,
                  'sessions, once nothing of theirs is left');
select cmp_ok(count(*), '>', 0::bigint, 'the book is kept') from millrace.operator_action;
update millrace.operator_action set at = at - interval '363 days';
select millrace.prune() \g /dev/null
select cmp_ok(count(*), '>', 0::bigint, 'for a year more') from millrace.operator_action;
update millrace.operator_action set at = at - interval '2 days';
select millrace.prune() \g /dev/null
select is(count(*), 0::bigint, 'and no longer') from millrace.operator_action;
rollback to enqueued;

-- Others at work.
select millrace.cancel(:job), dblink_connect('second', millrace_test.here()),
       to_char(:'day'::date, 'YYYYMMDD') as oldest \gset
select dblink_exec('second', 'begin'), locked
  from dblink('second', 'select pg_try_advisory_lock(7709, 3)') d(locked boolean) \g /dev/null
select is(millrace.maintain_partitions(), -1, 'one maintains, another does not wait');
select unlocked from dblink('second', 'select pg_advisory_unlock(7709, 3)') d(unlocked boolean) \g /dev/null
select dblink_exec('second', 'lock table millrace.finished_' || :'oldest' || ' in row exclusive mode')
    \g /dev/null
select is(pg_temp.kept('4 days'), true, 'a day that somebody writes to is not waited for');
select dblink_exec('second', 'rollback') \g /dev/null
select is(millrace.maintain_partitions(), 0, 'nobody tries again for ten minutes');
select millrace_test.advance_clock('10 minutes') \g /dev/null
select is(millrace.maintain_partitions(), 1, 'then it goes');
rollback to enqueued;

select millrace_test.advance_clock('4 days'), millrace_test.fingerprint() as before \gset
select throws_ok(format('select millrace.maintain_partitions(%s)', days), 'MR005',
                 'maintain_partitions: bad days_ahead', days)
  from (values ('null'), ('0'), ('-1'), ('61')) bad(days);
select is(millrace_test.fingerprint(), :'before', 'a refused call changes nothing');
select * from finish();
rollback;
