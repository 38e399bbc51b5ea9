-- claim_plan.sql: a claim and a settle find their rows through indexes, whatever the statistics say.
--
-- Each state in which a planner is commonly misled is brought about, and real calls are measured in it: no table that
-- grows with the jobs may be read from end to end, and the pages looked at are bounded per job. Statements commit, and
-- stay in one session, so that plans which were made in one state are used in the next: this file has no transaction
-- around it and wants a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(44);

do $$  -- no statistics but those of this file
declare
    collected regclass;
begin
    for collected in select c.oid from pg_class c
                      where c.relnamespace = 'millrace'::regnamespace and c.relkind = 'r' loop
        execute format('alter table %s set (autovacuum_enabled = off)', collected);
    end loop;
end
$$;
select millrace.create_queue('q') \g /dev/null
select millrace.open_session('w', '{q}') as session \gset

create temp table held as select job_id, fence from millrace.claim(:session, 'q') with no data;

create function pg_temp.claim(amount int, out jobs int, out pages bigint, out scans bigint)
language plpgsql
as $$
begin
    pages := millrace_test.pages_touched();
    scans := millrace_test.sequential_scans();
    insert into held select c.job_id, c.fence
      from millrace.claim((select max(id) from millrace.worker), 'q', amount) c;
    get diagnostics jobs = row_count;
    pages := millrace_test.pages_touched() - pages;
    scans := millrace_test.sequential_scans() - scans;
end
$$;
create function pg_temp.settle(outcome text, amount int, out jobs int, out pages bigint, out scans bigint)
language plpgsql
as $$
declare
    ids bigint[];
    fences bigint[];
begin
    with taken as (
        delete from held h where h.ctid = any (array(select ctid from held limit amount)) returning *
    )
    select array_agg(t.job_id), array_agg(t.fence), count(*) into ids, fences, jobs from taken t;
    pages := millrace_test.pages_touched();
    scans := millrace_test.sequential_scans();
    perform millrace.settle_many(ids, fences, array_fill(outcome, array[jobs]), array_fill('e'::text, array[jobs]),
                                 array_fill(interval '1 h', array[jobs]));
    pages := millrace_test.pages_touched() - pages;
    scans := millrace_test.sequential_scans() - scans;
end
$$;
-- What every state has to hold; an assertion per call.
create function pg_temp.measure(state text)
returns setof text
language plpgsql
as $$
declare
    measured record;
    amount int;
    outcome text;
begin
    foreach amount in array '{1,100}'::int[] loop
        measured := pg_temp.claim(amount);
        return next ok(measured.jobs = amount and measured.scans = 0 and measured.pages <= 400 + 15 * amount,
                       format('claim of %s, %s: %s jobs, %s pages, %s tables read from end to end', amount, state,
                              measured.jobs, measured.pages, measured.scans));
    end loop;
    foreach outcome in array '{completed,failed,snoozed,discarded,released}'::text[] loop
        measured := pg_temp.settle(outcome, 20);
        -- Of a dead letter the kind is looked up once more: sql/pipeline/fail_closed.sql.
        return next ok(measured.jobs = 20 and measured.scans = 0
                         and measured.pages <= 100 + 20 * case outcome when 'discarded' then 28 else 20 end,
                       format('settle of 20 as %s, %s: %s pages, %s tables read from end to end', outcome, state,
                              measured.pages, measured.scans));
    end loop;
end
$$;

select ok(jobs = 0 and scans = 0 and pages <= 100, format('claim of 100, empty and never analysed: %s pages', pages))
  from pg_temp.claim(100);
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[101])) \g /dev/null
select pg_temp.measure('101 jobs, never analysed');
select count(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[50000]), g))
  from generate_series(2, 5) g \g /dev/null
select pg_temp.measure('200,000 jobs, never analysed');
analyze;
select pg_temp.measure('200,000 jobs, analysed');

-- Statistics of 200,000 jobs for a handful. Workers move the low-water meanwhile.
delete from millrace.ready;
select millrace.advance_low_water() \g /dev/null
select ok(jobs = 0 and scans = 0 and pages <= 100,
          format('claim of 100, empty but analysed when full: %s pages', pages))
  from pg_temp.claim(100);
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[101])) \g /dev/null
select pg_temp.measure('101 jobs, analysed when full');

-- Statistics of nothing for 200,000 jobs.
truncate millrace.ready, millrace.running, millrace.job, millrace.finished, held;
analyze;
select count(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[50000]), g))
  from generate_series(2, 5) g \g /dev/null
select pg_temp.measure('200,000 jobs, analysed when empty');

-- And while somebody holds an old snapshot.
select dblink_connect('old', millrace_test.here()),
       dblink_exec('old', 'begin isolation level repeatable read') \g /dev/null
select jobs from dblink('old', 'select count(*) from millrace.job') d(jobs bigint) \g /dev/null
select sum(jobs) from generate_series(1, 100) g, lateral (select (pg_temp.claim(100 + 0 * g)).jobs) c \g /dev/null
select millrace.advance_low_water() \g /dev/null
select millrace.advance_low_water() \g /dev/null
truncate held;
select pg_temp.measure('200,000 jobs, 10,000 claimed before, an old snapshot held');
select * from finish();
