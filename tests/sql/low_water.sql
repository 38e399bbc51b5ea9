-- low_water.sql: the mark passes what is proven dead, and nothing else.
--
-- Transactions are the subject: other sessions hold them open, and this file has none around it; it wants a database of
-- its own. Transactions of other databases count, too, so that a mark may move late, which is waited for; it may never
-- move too far, which is asserted at once.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(37);
select millrace.create_queue('q') as q \gset
select millrace.open_session('w', '{q}') as session \gset
select dblink_connect(name, millrace_test.here()) from unnest('{slow,idle,t0,t1,t2,t3,t4,t5,t6,t7,t8,t9}'::text[]) name
    \g /dev/null

create function pg_temp.begin(name text)
returns text  -- the position of what the transaction will enqueue
language plpgsql
as $$
declare
    pos text;
begin
    perform dblink_exec(name, 'begin');
    select d.pos into pos from dblink(name, 'select pg_current_xact_id()::text') d(pos text);
    return pos;
end
$$;
create function pg_temp.enqueue(name text, kind text)
returns bigint
language sql
as $$ select id from dblink(name, format('select millrace.enqueue(''q'', %L)', kind)) d(id bigint) $$;
create function pg_temp.claimed()
returns text  -- the kinds of what can be claimed
language sql
as $$ select string_agg(kind, ' ') from millrace.claim((select max(id) from millrace.worker), 'q', 100) $$;
create view millrace_test.mark as
select low, pending from millrace.lane
 where queue_id = (select id from millrace.queue where name = 'q') and priority = 5;
create procedure pg_temp.advance_until(condition text)
language plpgsql
as $$
declare
    deadline constant timestamptz := clock_timestamp() + interval '20 s';
    holds boolean := false;
begin
    while not holds and clock_timestamp() < deadline loop
        perform millrace.advance_low_water();
        commit;
        execute 'select ' || condition || ' from millrace_test.mark' into holds;
    end loop;
end
$$;

-- An enqueue that is not committed yet holds the mark.
select pg_temp.begin('slow') as slow, pg_temp.enqueue('slow', 'late') \gset
select millrace.enqueue('q', 'fast') \g /dev/null
set role millrace_worker;
select cmp_ok(millrace.advance_low_water(), '>=', 0, 'a worker may advance the mark');
reset role;
select ok(low <= :'slow', 'an enqueue that is not committed is not passed') from millrace_test.mark;
select is(pg_temp.claimed(), 'fast', 'a later one may be claimed before');
select dblink_exec('slow', 'commit') \g /dev/null
select is(pg_temp.claimed(), 'late', 'committed, it is found');

-- Seen twice, a transaction is long: it is passed and listed.
select pg_temp.begin('slow') as slow, pg_temp.enqueue('slow', 'late') \gset
call pg_temp.advance_until(format('low > %L', :'slow'));
select ok(low > :'slow', 'a transaction seen twice does not hold the mark') from millrace_test.mark;
select ok(:'slow' = any (pending), 'it is listed instead') from millrace_test.mark;
select is(pg_temp.claimed(), null, 'what it has not committed cannot be claimed');
call pg_temp.advance_until('true');
select dblink_exec('slow', 'commit') \g /dev/null
select is(available, (select count(*) from millrace.ready), 'committed, it is counted') from millrace.queues;
call pg_temp.advance_until('true');
select ok(:'slow' = any (pending), 'it stays listed while a row of it is left') from millrace_test.mark;
select is(pg_temp.claimed(), 'late', 'and is found');
call pg_temp.advance_until(format('%L <> all (pending)', :'slow'));
select ok(:'slow' <> all (pending), 'then it is listed no more') from millrace_test.mark;

-- One that had done nothing yet when it was passed; one within a savepoint; one that comes to nothing.
select pg_temp.begin('idle') as idle, pg_temp.begin('slow') as slow \gset
call pg_temp.advance_until(format('low > greatest(%L::xid8, %L::xid8)', :'idle', :'slow'));
select dblink_exec('slow', 'savepoint s') , pg_temp.enqueue('slow', 'saved'), dblink_exec('slow', 'release s; commit')
    \g /dev/null
select is(pg_temp.claimed(), 'saved', 'what a long transaction enqueues in a savepoint is found');
call pg_temp.advance_until('true');
select pg_temp.enqueue('idle', 'last'), dblink_exec('idle', 'commit') \g /dev/null
select is(pg_temp.claimed(), 'last', 'so is what it enqueues at its end');
select pg_temp.begin('slow') as slow, pg_temp.enqueue('slow', 'never') \gset
call pg_temp.advance_until(format('low > %L', :'slow'));
select dblink_exec('slow', 'rollback') \g /dev/null
call pg_temp.advance_until(format('%L <> all (pending)', :'slow'));
select ok(:'slow' <> all (pending), 'one that was rolled back is forgotten') from millrace_test.mark;
select is(pg_temp.claimed(), null, 'and leaves nothing');

-- No more than eight are passed.
select array_agg(pos::xid8 order by pos::xid8) as open
  from (select pg_temp.begin('t' || t) as pos from generate_series(0, 9) t) o \gset
call pg_temp.advance_until(format('low > %L', (:'open'::xid8[])[1]));
call pg_temp.advance_until('true');
call pg_temp.advance_until('true');
select ok(low <= (:'open'::xid8[])[9], 'the ninth transaction holds the mark, long or not') from millrace_test.mark;
select ok(cardinality(pending) <= 8, 'eight are listed at most') from millrace_test.mark;
select count(pg_temp.enqueue('t' || t, 't' || t)), count(dblink_exec('t' || t, 'commit'))
  from generate_series(9, 0, -1) t
    \g /dev/null
select is(pg_temp.claimed(), 't0 t1 t2 t3 t4 t5 t6 t7 t8 t9', 'all of them are found');

-- Jobs that come back have new positions: they are never behind the mark.
select pg_current_xact_id() as now_at \gset
call pg_temp.advance_until(format('low > %L', :'now_at'));
select millrace.settle_many(array_agg(job_id order by job_id), array_agg(fence order by job_id),
                            '{released,released,failed,failed,discarded}', '{null,null,e,e,e}', '{null,null,0,0,null}')
  from (select * from millrace.running order by job_id limit 5) r \g /dev/null
select count(millrace.retry(job_id)) from (select job_id from millrace.scheduled limit 1) s \g /dev/null
select millrace.promote() \g /dev/null
select millrace.replay(job_id) from millrace.dead_letter \g /dev/null
select is(count(*), 5::bigint, 'released, retried, promoted and replayed jobs')
  from millrace.ready r, millrace_test.mark m where r.pos >= m.low;
select cardinality(regexp_split_to_array(pg_temp.claimed(), ' ')) as again \gset
select is(:again, 5, 'can be claimed');
select millrace_test.advance_clock('1 h'), millrace.reap() \g /dev/null
select count(*) as reaped from millrace.ready \gset
select millrace.open_session('w', '{q}') \g /dev/null
call pg_temp.advance_until('true');
select is(cardinality(regexp_split_to_array(pg_temp.claimed(), ' ')), :reaped::int, 'and so can reaped ones');

-- A job that waits holds the mark; it moves to it, and never back.
select millrace.enqueue('q', 'waits') as waits \gset
select millrace.enqueue('q', 'k') from generate_series(1, 3) \g /dev/null
select pos as first_live from millrace.ready where job_id = :waits \gset
call pg_temp.advance_until(format('low = %L', :'first_live'));
select is(low, :'first_live', 'the mark moves to the first job that waits, not past it') from millrace_test.mark;
select lanes from (select millrace.advance_low_water() as lanes) a \gset
select is(low, :'first_live', 'and stays there') from millrace_test.mark;
select job_id as claimed from millrace.claim((select max(id) from millrace.worker), 'q') \gset
begin;
select count(*) from millrace.claim((select max(id) from millrace.worker), 'q', 2) \g /dev/null
select is(moved, 1, 'while a claim of the next ones is not committed')
  from dblink('slow', 'select count(*) filter (where millrace.advance_low_water() >= 0)::int') d(moved int);
rollback;
select is(pg_temp.claimed(), 'k k k', 'a claim that is rolled back has lost nothing');

-- A lane with many listed transactions that nobody has read waits.
select low as held_at from millrace_test.mark \gset
update millrace.lane set pending = array(select g::text::xid8 from generate_series(10, 73) g),
                         pending_job = array_fill(0::bigint, array[64]) where priority = 5;
select millrace.advance_low_water() \g /dev/null
select is(low, :'held_at', 'a lane that lists sixty-four transactions keeps its mark') from millrace_test.mark;
call pg_temp.advance_until(format('low > %L', :'held_at'));
select ok(low > :'held_at', 'until they are struck off, being over and empty') from millrace_test.mark;

-- Counts: a late commit below the mark is summed and folded.
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'the counts are right');
select pg_temp.begin('slow') as slow, pg_temp.enqueue('slow', 'late') \gset
select millrace.fold_counts() \g /dev/null
call pg_temp.advance_until(format('(select delta_low from millrace.low_water) > %L', :'slow'));
select dblink_exec('slow', 'commit'), pg_temp.enqueue('idle', 'k') \g /dev/null
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'also with deltas below the mark');
select millrace.fold_counts() \g /dev/null
select is(count(*), 0::bigint, 'which are folded like others') from millrace.queue_delta;
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'and are right afterwards');

-- Refused, and given up.
begin;
select millrace.enqueue('q', 'k') \g /dev/null
select throws_ok('select millrace.advance_low_water()', 'MR007',
                 'advance_low_water: this transaction has already written', 'a transaction that has written');
rollback;
begin isolation level repeatable read;
select throws_ok('select millrace.advance_low_water()', 'MR007',
                 'advance_low_water: this transaction is repeatable read', 'a transaction with an old snapshot');
rollback;
begin isolation level repeatable read;
select throws_ok($$ select millrace.open_session('w', '{idle}') $$, 'MR007',
                 'open_session: this transaction is repeatable read', 'nor does a worker begin in one');
rollback;
begin isolation level repeatable read;
select throws_ok('select millrace.reap()', 'MR007', 'reap: this transaction is repeatable read',
                 'nor is a session ended, of which a claim may not be seen');
rollback;
begin isolation level serializable;
select throws_ok('select millrace.maintain_partitions()', 'MR007',
                 'maintain_partitions: this transaction is serializable', 'nor a day dropped');
rollback;
select locked from dblink('slow', 'select pg_try_advisory_lock(7709, 1)') d(locked boolean) \g /dev/null
select is(millrace.advance_low_water(), -1, 'one advances, another does not wait');
select * from finish();
