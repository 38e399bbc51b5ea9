-- counts.sql: numbers that are kept equal numbers that are counted, whatever happens in whatever order.
--
-- Five hundred operations are drawn from a seed; after each of them the view `queues` is compared with the rows of the
-- tables, and the view `jobs` must show every job once.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(13);
select millrace.create_queue('a', max_attempts => 3, retry_base => '10 s'),
       millrace.create_queue('b', max_attempts => 1, timeout => '20 s') \g /dev/null

create function pg_temp.any_of(given text[])
returns text
language sql volatile
as $$ select given[1 + floor(random() * cardinality(given))] $$;

create function pg_temp.operate(operation text)
returns void
language plpgsql
as $$
declare
    at_queue constant text := pg_temp.any_of('{a,b}');
    lot constant int := 1 + floor(random() * 8);
    session constant int := (select w.id from millrace.worker w where w.ended_at is null order by random() limit 1);
    jobs bigint[];
    fences bigint[];
begin
    case operation
        when 'enqueue' then
            perform millrace.enqueue(at_queue, 'k', priority => lot,
                                     delay => case when lot < 3 then interval '30 s' end);
        when 'enqueue_many' then
            perform millrace.enqueue_many(at_queue, 'k', array_fill('{}'::jsonb, array[lot]), priority => lot);
        when 'open' then
            perform millrace.open_session('w', '{a,b}', lease => '15 s');
        when 'claim' then
            perform count(*) from millrace.claim(session, at_queue, lot) where session is not null;
        when 'settle' then
            select array_agg(r.job_id), array_agg(r.fence) into jobs, fences
              from (select * from millrace.running order by random() limit lot) r;
            perform millrace.settle_many(
                jobs, fences,
                array(select pg_temp.any_of('{completed,failed,snoozed,discarded,released}') from unnest(jobs)),
                array(select 'e' from unnest(jobs)), array(select interval '10 s' from unnest(jobs)), null,
                jsonb_build_array(jsonb_build_object('after', jobs[1], 'queue', at_queue, 'kind', 'next')))
              where jobs is not null;
        when 'settle_stale' then
            perform millrace.settle_many(array[r.job_id], array[r.fence + 1])
              from (select * from millrace.running limit lot) r;
        when 'promote' then perform millrace.promote(lot);
        when 'reap' then perform millrace.reap(lot);
        when 'close' then perform millrace.close_session(session) where session is not null;
        when 'tick' then perform millrace_test.advance_clock('7 s');
        when 'cancel' then
            perform millrace.cancel(j.id)
               from (select id from millrace.jobs where state in ('available', 'scheduled') order by random()
                      limit 1) j;
        when 'retry' then
            perform millrace.retry(s.job_id) from (select job_id from millrace.scheduled order by random() limit 1) s;
        when 'replay' then
            perform millrace.replay(d.job_id)
              from (select job_id from millrace.dead_letter order by random() limit 1) d;
        when 'fold' then perform millrace.fold_counts();
        when 'undo' then
            begin
                perform pg_temp.operate(pg_temp.any_of('{enqueue_many,claim,promote,reap,fold}'));
                raise 'undone' using errcode = 'MRXXX';
            exception when sqlstate 'MRXXX' then null;
            end;
    end case;
end
$$;

create temp table wrong (step int, operation text, what text);
create temp table done (operation text, state text[]);
select setseed(0.7) \g /dev/null
select diag('seed 0.7');
do $$
declare
    operation text;
begin
    for step in 1 .. 500 loop
        operation := pg_temp.any_of('{enqueue,enqueue,enqueue_many,open,claim,claim,claim,settle,settle,settle,
                                      settle_stale,promote,reap,close,tick,cancel,retry,replay,fold,undo}');
        perform pg_temp.operate(operation);
        insert into done values (operation, array(select distinct j.state from millrace.jobs j));
        insert into wrong
        select step, operation, format('%s: kept %s, counted %s', q.name, (q.available, q.scheduled, q.running, q.dead,
                                       q.enqueued, q.completed, q.cancelled), t)
          from millrace.queues q, millrace_test.counted(q.name) t
         where (q.available, q.scheduled, q.running, q.dead, q.enqueued, q.completed, q.cancelled) <> t;
        insert into wrong
        select step, operation, format('job %s is shown %s times', j.id, count(v.id))
          from millrace.job j left join millrace.jobs v on v.id = j.id
         group by j.id having count(v.id) <> 1;
    end loop;
end
$$;
select is_empty('table wrong', 'the kept numbers are right after each of 500 operations, and each job is shown once');
select is(count(distinct operation), 15::bigint, 'all operations took place') from done;
select results_eq('select distinct unnest(state) from done order by 1',
                  $$ values ('available'), ('cancelled'), ('completed'), ('discarded'), ('running'), ('scheduled') $$,
                  'in all states');
select ok(count(*) > 100, 'with many jobs') from millrace.job;
select is(q.failed, (select count(*) from millrace.attempt_failure f join millrace.job j on j.id = f.job_id
                      where j.queue_id = (select id from millrace.queue where name = q.name)),
          'failures are counted: ' || q.name) from millrace.queues q order by q.name;

-- Folding.
create temp table numbers as
select name, available, scheduled, running, dead, enqueued, completed, cancelled, failed from millrace.queues;
select count(*) as deltas from millrace.queue_delta \gset
set local role millrace_worker;
select is(millrace.fold_counts(), :deltas, 'fold_counts says how many rows it has folded');
select is(millrace.fold_counts(), 0, 'then there is nothing to fold');
reset role;
select is(count(*), 0::bigint, 'the rows are gone') from millrace.queue_delta;
select set_eq('select available, scheduled, running, dead, enqueued, completed, cancelled, failed
                 from millrace.queue_count',
              'select available, scheduled, running, dead, enqueued, completed, cancelled, failed from numbers',
              'their sum is kept');
select is_empty('select name, available, scheduled, running, dead, enqueued, completed, cancelled, failed
                   from millrace.queues except table numbers', 'and the view says what it said before');
insert into millrace.queue_delta (queue_id, available)
select (select min(id) from millrace.queue), 1 from generate_series(1, 100001);
select is(millrace.fold_counts(), 100000, 'a hundred thousand rows at a time');

-- Two at a time.
select millrace.fold_counts() \g /dev/null
select dblink_connect('second', millrace_test.here()) \g /dev/null
select is(folded, -1, 'one folds, another does not wait')
  from dblink('second', 'select millrace.fold_counts()') d(folded int);
select * from finish();
rollback;
