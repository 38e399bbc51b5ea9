-- counts.sql: what is kept equals what is counted, whatever happens in whatever order.
--
-- A thousand operations are drawn from a seed. After each of them the view `queues` is compared with the rows of the
-- tables, the view `jobs` must show every job once, and the slots of keys, the unique keys and the members of batches
-- that are remembered must be those of the jobs that there are; what waits has a reason to wait, or a note.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
begin;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(14);
select millrace.create_queue('a', max_attempts => 3, retry_base => '10 s'),
       millrace.create_queue('b', max_attempts => 1, timeout => '20 s', key_limit => 2) \g /dev/null

create function pg_temp.any_of(given text[])
returns text
language sql volatile
as $$ select given[1 + floor(random() * cardinality(given))] $$;

create temp table begun (job_id bigint);  -- claimed once: a job that is unique until it starts has lost its key

create function pg_temp.operate(operation text)
returns void
language plpgsql
as $$
declare
    at_queue constant text := pg_temp.any_of('{a,b}');
    lot constant int := 1 + floor(random() * 8);
    session constant int := (select w.id from millrace.worker w where w.ended_at is null order by random() limit 1);
    batch constant bigint := (select b.id from millrace.batch b where b.closed_at is null order by random() limit 1);
    jobs bigint[];
    fences bigint[];
begin
    case operation
        when 'enqueue' then
            perform millrace.enqueue(at_queue, 'k', priority => lot,
                                     delay => case when lot < 3 then interval '30 s' end);
        when 'enqueue_many' then
            perform millrace.enqueue_many(at_queue, 'k', array_fill('{}'::jsonb, array[lot]), priority => lot);
        when 'enqueue_keyed' then
            perform millrace.enqueue(at_queue, 'k', priority => lot, concurrency_key => pg_temp.any_of('{x,y}'),
                                     delay => case when lot < 3 then interval '30 s' end,
                                     batch => case when lot = 4 then batch end);
        when 'enqueue_unique' then
            perform millrace.enqueue_unique(
                at_queue, 'u', '{}', pg_temp.any_of('{u,v,w}'),
                case when lot < 6 then pg_temp.any_of('{started,finished}') end,
                case when lot > 6 then interval '40 s' end,
                case when lot = 1 then '{run_at,priority}' else '{}' end::text[],
                lot, null, case when lot < 3 then interval '30 s' end,
                concurrency_key => case when lot in (2, 3) then 'x' end);
        when 'create_batch' then
            perform millrace.create_batch(at_queue, 'done') where batch is null;
        when 'join_batch' then
            perform millrace.enqueue_many(at_queue, 'm', array_fill('{}'::jsonb, array[lot]), batch => batch)
              where batch is not null;
        when 'wait_for_batch' then
            perform millrace.enqueue(at_queue, 'a', after_batch => b.id,
                                     concurrency_key => case when lot < 3 then 'x' end)
               from (select id from millrace.batch order by random() limit 1) b;
        when 'close_batch' then
            perform millrace.close_batch(batch) where batch is not null;
        when 'follow' then perform millrace.follow_up_all();
        when 'limit' then perform millrace.limit_key(at_queue, 'x', nullif(lot / 2, 0));
        when 'pause' then
            perform millrace.pause_queue(at_queue) where lot < 3;
            perform millrace.resume_queue(at_queue) where lot >= 3;
        when 'open' then
            perform millrace.open_session('w', '{a,b}', lease => '15 s');
        when 'claim' then
            insert into begun select c.job_id from millrace.claim(session, at_queue, lot) c where session is not null;
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
               from (select id from millrace.jobs where state in ('available', 'scheduled', 'blocked')
                      order by random()
                      limit 1) j;
        when 'retry' then
            perform millrace.retry(s.job_id) from (select job_id from millrace.scheduled order by random() limit 1) s;
        when 'replay' then
            begin
                perform millrace.replay(d.job_id)
                   from (select job_id from millrace.dead_letter order by random() limit 1) d;
            exception when sqlstate 'MR009' then null;  -- its unique key is another's
            end;
        when 'fold' then perform millrace.fold_counts();
        when 'undo' then
            begin
                perform pg_temp.operate(pg_temp.any_of('{enqueue_many,enqueue_keyed,enqueue_unique,join_batch,claim,
                                                         promote,reap,fold,follow}'));
                raise 'undone' using errcode = 'MRXXX';
            exception when sqlstate 'MRXXX' then null;
            end;
    end case;
end
$$;

create function pg_temp.contradictions()
returns setof text
language sql volatile
as $$
    with holder as (
        select j.queue_id, j.concurrency_key as key, count(*) as held
          from (select job_id from millrace.ready
                union all select job_id from millrace.running
                union all select job_id from millrace.scheduled where key is null) h
          join millrace.job j on j.id = h.job_id
         where j.concurrency_key is not null
         group by 1, 2
    ), kept as (
        select distinct on (k.queue_id, k.key) k.*
          from millrace.concurrency_key k order by k.queue_id, k.key, k.version desc
    ), note as (
        select f.queue_id, f.key, sum(f.amount) filter (where f.what = 'freed') as freed, count(*) as notes
          from millrace.follow_up f where f.key is not null group by 1, 2
    )
    select format('key %s: kept %s, freed %s, held %s', key, k.held, n.freed, h.held)
      from holder h full join kept k using (queue_id, key) full join note n using (queue_id, key)
     where coalesce(k.held, 0) - coalesce(n.freed, 0) <> coalesce(h.held, 0)
    union all
    select format('job %s waits for a slot of %s that nobody will give it', b.job_id, b.key)
      from millrace.blocked b
      join millrace.queue q on q.id = b.queue_id
      left join millrace.key_limit l on l.queue_id = b.queue_id and l.key = b.key
      left join kept k on k.queue_id = b.queue_id and k.key = b.key
      left join note n on n.queue_id = b.queue_id and n.key = b.key
     where b.batch_id is null and n.notes is null
       and (coalesce(k.held, 0) < coalesce(l.max_held, q.key_limit) or k.low_job > b.job_id)
    union all
    select format('unique key %s of job %s: kept %s', j.unique_key, j.id, u.job_id)
      from millrace.jobs v
      join millrace.job j on j.id = v.id
      left join millrace.unique_job u on u.queue_id = j.queue_id and u.unique_key = j.unique_key and u.job_id = j.id
     where j.unique_until <> 'time'
       and (u.job_id is not null) <> (v.state in ('available', 'scheduled', 'blocked', 'running')
                                      and (j.unique_until = 'finished' or v.attempt = 0
                                           and not exists (select from begun b where b.job_id = j.id)))
    union all
    select format('batch %s: %s', b.id, b)
      from millrace.batches b
      left join (select f.batch_id, sum(case f.what when 'replayed' then -f.amount when 'looked' then 0
                                                    else f.amount end) as ended
                   from millrace.follow_up f where f.batch_id is not null group by 1) n on n.batch_id = b.id
     where b.finished_at is null
       and b.completed + b.cancelled + b.discarded + coalesce(n.ended, 0)
           <> (select count(*) from millrace.jobs m
                where m.batch_id = b.id and m.state in ('completed', 'cancelled', 'discarded'))
    union all
    select format('job %s waits for batch %s, which has finished', w.job_id, b.id)
      from millrace.blocked w
      join millrace.batch b on b.id = w.batch_id
     where b.finished_at is not null and not exists (select from millrace.follow_up f where f.batch_id = b.id)
    union all
    select format('batch %s has been called back %s times', j.payload #>> '{batch,id}', count(*))
      from millrace.job j where j.kind = 'done' group by j.payload #>> '{batch,id}' having count(*) > 1
$$;

create temp table wrong (step int, operation text, what text);
create temp table done (operation text, state text[]);
select setseed(0.7) \g /dev/null
select diag('seed 0.7');
do $$
declare
    operation text;
begin
    for step in 1 .. 1000 loop
        operation := pg_temp.any_of('{enqueue,enqueue,enqueue_many,open,claim,claim,claim,settle,settle,settle,
                                      settle_stale,promote,reap,close,tick,cancel,retry,replay,fold,undo,
                                      enqueue_keyed,enqueue_keyed,enqueue_unique,create_batch,join_batch,
                                      wait_for_batch,close_batch,follow,limit,pause,claim,claim,settle,settle}');
        perform pg_temp.operate(operation);
        insert into done values (operation, array(select distinct j.state from millrace.jobs j));
        insert into wrong
        select step, operation, format('%s: kept %s, counted %s', q.name, (q.available, q.scheduled, q.blocked,
                                       q.running, q.dead, q.enqueued, q.completed, q.cancelled), t)
          from millrace.queues q, millrace_test.counted(q.name) t
         where (q.available, q.scheduled, q.blocked, q.running, q.dead, q.enqueued, q.completed, q.cancelled) <> t;
        insert into wrong
        select step, operation, format('job %s is shown %s times', j.id, count(v.id))
          from millrace.job j left join millrace.jobs v on v.id = j.id
         group by j.id having count(v.id) <> 1;
        insert into wrong select step, operation, c.what from pg_temp.contradictions() c(what);
    end loop;
end
$$;
select is_empty('table wrong', 'the kept numbers are right after each of 1000 operations, and each job is shown once');
select is(count(distinct operation), 24::bigint, 'all operations took place') from done;
select results_eq('select distinct unnest(state) from done order by 1',
                  $$ values ('available'), ('blocked'), ('cancelled'), ('completed'), ('discarded'), ('running'),
                            ('scheduled') $$,
                  'in all states');
select ok(count(*) > 100, 'with many jobs') from millrace.job;
select ok(count(*) > 2, 'and batches that finished') from millrace.batch where finished_at is not null;
select is(q.failed, (select count(*) from millrace.attempt_failure f join millrace.job j on j.id = f.job_id
                      where j.queue_id = (select id from millrace.queue where name = q.name)),
          'failures are counted: ' || q.name) from millrace.queues q order by q.name;

-- Folding.
create temp table numbers as
select name, available, scheduled, blocked, running, dead, enqueued, completed, cancelled, failed from millrace.queues;
select count(*) as deltas from millrace.queue_delta \gset
set local role millrace_worker;
select is(millrace.fold_counts(), :deltas, 'fold_counts says how many rows it has folded');
select is(millrace.fold_counts(), 0, 'then there is nothing to fold');
reset role;
select is(count(*), 0::bigint, 'the rows are gone') from millrace.queue_delta;
select set_eq('select available, scheduled, blocked, running, dead, enqueued, completed, cancelled, failed
                 from millrace.queue_count',
              'select available, scheduled, blocked, running, dead, enqueued, completed, cancelled, failed
              from numbers',
              'their sum is kept');
select is_empty('select name, available, scheduled, blocked, running, dead, enqueued, completed, cancelled, failed
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
