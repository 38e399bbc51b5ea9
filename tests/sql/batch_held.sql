-- batch.sql: a batch that somebody holds open does not keep the keys of its queue, or other batches, waiting; and a
-- callback is made of one day, though midnight passes meanwhile.
--
-- A session beside this one holds the batch: no transaction around this file, and a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(6);
select millrace.create_queue('q') \g /dev/null
select millrace.open_session('w', '{q}', lease => '1 h') as session \gset
select millrace.create_batch('q', 'callback') as batch \gset
select millrace.enqueue_many('q', 'member', array_fill('{}'::jsonb, array[1001]), batch => :batch) \g /dev/null
select millrace.enqueue('q', 'keyed', concurrency_key => 'c') from generate_series(1, 2) \g /dev/null

create procedure millrace_test.work(session int)
language plpgsql
as $$
declare
    job record;
begin
    for job in select c.job_id, c.fence from millrace.claim(session, 'q', 1000) c where c.kind = 'member' loop
        perform millrace.complete(job.fence, job.job_id);  -- a note for each
        commit;
    end loop;
end
$$;
select dblink_connect('holder', millrace_test.here()), dblink_exec('holder', 'begin') \g /dev/null
select members from dblink('holder', format('select millrace.close_batch(%s)', :batch)) d(members bigint) \g /dev/null
call millrace_test.work(:session);
call millrace_test.work(:session);
select is(count(*), 0::bigint, 'all members have ended') from millrace.ready r join millrace.job j on j.id = r.job_id
 where j.kind = 'member';
select millrace.complete(fence, job_id) from millrace.running \g /dev/null
select millrace.follow_up_all() from generate_series(1, 3) \g /dev/null
select is(state, 'available', 'the next job of a key has its slot') from millrace.jobs where kind = 'keyed'
 order by id desc limit 1;
select cmp_ok(count(*), '<', 100::bigint, 'of many notes few are left') from millrace.follow_up where batch_id = :batch;
select dblink_exec('holder', 'commit') \g /dev/null
select millrace.follow_up_all() \g /dev/null
select row_eq(format('select state, completed from millrace.batches where id = %s', :batch),
              row('finished'::text, 1001::bigint), 'and nothing of them was lost');
select is(count(*), 1::bigint, 'its callback is there') from millrace.jobs where kind = 'callback';

-- Midnight passes between two looks at the day.
select millrace.create_batch('q', 'late') as batch \gset
select millrace.enqueue('q', 'last', batch => :batch), millrace.close_batch(:batch) \g /dev/null
select millrace.complete(fence, job_id) from millrace.claim(:session, 'q', 9) \g /dev/null
create sequence millrace_test.midnights;
grant usage on sequence millrace_test.midnights to millrace_owner;
create or replace function millrace.storage_day() returns date language sql volatile as $$
    select i.first_day + nextval('millrace_test.midnights')::int - 1 from millrace.installation i
$$;
select millrace.follow_up_all() \g /dev/null
select is(r.stored_on, j.stored_on, 'a callback is found where its job is')
  from millrace.job j join millrace.ready r on r.job_id = j.id where j.kind = 'late';
select * from finish();
