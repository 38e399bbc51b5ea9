-- pinned_keys.sql: behind an old snapshot, which keeps every deleted row, keys, batches and rates cost what they did at first.
--
-- A thousand jobs of one key limited to 1 are worked off one by one under an old snapshot; then a key that falls idle
-- after each job; then a batch, a limit, a rate. The cost of a claim with all that belongs to it is measured in index entries, as in
-- pinned_horizon.sql, at the beginning and at the end. The marks move as often as workers move them.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(12);
select millrace.create_queue('q') as q \gset
select millrace.open_session('w', '{q}') as session \gset
do $$
declare
    grows text;
begin
    foreach grows in array '{ready,running,blocked,follow_up,queue_delta,concurrency_key,batch_count}'::text[] loop
        execute format('alter table millrace.%I set (autovacuum_enabled = off)', grows);
    end loop;
end
$$;

create temp table cost (work text, step int, entries bigint);
create function pg_temp.claim_and_complete()
returns int
language sql
as $$
    select count(millrace.settle_many(array[c.job_id], array[c.fence]))::int
      from millrace.claim((select max(id) from millrace.worker), 'q') c
$$;
create procedure pg_temp.work_off(work text, jobs int, statement text)
language plpgsql
as $$
declare
    before bigint;
begin
    for i in 1 .. jobs loop
        before := millrace_test.entries_passed();
        if statement is not null then
            execute statement;
        end if;
        if pg_temp.claim_and_complete() <> 1 then
            raise '% %: nothing was claimed', work, i;
        end if;
        insert into cost values (work, i, millrace_test.entries_passed() - before);
        commit;
        if i % 20 = 0 then
            perform millrace.advance_low_water('{q}');
            commit;
            perform millrace.fold_counts();
            commit;
        end if;
    end loop;
end
$$;
create function pg_temp.cost_of(work text, from_step int, to_step int)
returns bigint
language sql
as $$
    select percentile_disc(0.5) within group (order by c.entries)
      from cost c
     where c.work = cost_of.work and c.step between from_step and to_step
$$;
create function pg_temp.is_flat(work text, last int)
returns text
language plpgsql
as $$
declare
    first constant bigint := pg_temp.cost_of(work, 41, 100);
    final constant bigint := pg_temp.cost_of(work, last - 59, last);
begin
    return diag(format('%s: %s index entries for a job at first, %s at last', work, first, final)) || E'\n'
        || cmp_ok(final, '<', first + 60, work || ': the last cost no more than the first');
end
$$;

-- Two moves of the marks behind an old snapshot pass it.
select dblink_connect('old', millrace_test.here()),
       dblink_exec('old', 'begin isolation level repeatable read') \g /dev/null
select jobs from dblink('old', 'select count(*) from millrace.job') d(jobs bigint) \g /dev/null

select cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, '{1000}'),
                                         concurrency_key => 'one')) \g /dev/null
call pg_temp.work_off('one key', 1000, null);
select pg_temp.is_flat('one key', 1000);
select is(completed, 1000::bigint, 'all are done') from millrace.queues;

call pg_temp.work_off('a key that falls idle', 600,
                      $$ select millrace.follow_up_all(), millrace.enqueue('q', 'k', concurrency_key => 'idle') $$);
select pg_temp.is_flat('a key that falls idle', 600);

select millrace.create_batch('q') as batch \gset
call pg_temp.work_off('members of a batch', 600, format($$ select millrace.enqueue('q', 'k', batch => %s) $$, :batch));
select pg_temp.is_flat('members of a batch', 600);
select millrace.close_batch(:batch) as members \gset
select millrace.follow_up_all() \g /dev/null
select row_eq(format('select members, completed, state from millrace.batches where id = %s', :batch),
              row(600::bigint, 600::bigint, 'finished'::text), 'the batch has finished');
call pg_temp.work_off('jobs after a batch', 200, format($$ select millrace.enqueue('q', 'k', after_batch => %s) $$,
                                                        :batch));
select pg_temp.is_flat('jobs after a batch', 200);

select millrace.configure_queue('q', '{"max_running": 1}') \g /dev/null
call pg_temp.work_off('a limited queue', 300, $$ select millrace.enqueue('q', 'k') $$);
select pg_temp.is_flat('a limited queue', 300);

select millrace.configure_queue('q', '{"max_running": null, "rate": "1 per minute", "burst": 1}') \g /dev/null
call pg_temp.work_off('a queue with a rate', 300,
                      $$ select millrace_test.advance_clock('1 min'), millrace.promote(), millrace.enqueue('q', 'k') $$);
select pg_temp.is_flat('a queue with a rate', 300);
select cmp_ok(version, '>=', 300::bigint, 'each claim has replaced the state') from millrace.bucket;
select millrace.configure_queue('q', '{"rate": null, "key_rate": "1 per minute", "key_limit": 9}') \g /dev/null
select cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, '{300}'), concurrency_key => 'r')) \g /dev/null
call pg_temp.work_off('a key with a rate', 300,
                      $$ select millrace_test.advance_clock('1 min'),
                                millrace.promote(1000, millrace.now() - interval '1 min') $$);
select pg_temp.is_flat('a key with a rate', 300);
select millrace.configure_queue('q', '{"key_rate": null, "key_limit": 1}') \g /dev/null

-- The marks are what keeps it so.
select cmp_ok(pg_temp.cost_of('one key', 941, 1000), '<', 200::bigint, 'no claim passes what is behind it');
update millrace.lane set low = '0', low_job = 0 where priority = 20;
select millrace.enqueue('q', 'k', concurrency_key => 'one') \g /dev/null
call pg_temp.work_off('without the mark of notes', 1, null);
select cmp_ok(pg_temp.cost_of('without the mark of notes', 1, 1), '>', 1000::bigint,
              'without the mark of the notes a claim decays');
select * from finish();
