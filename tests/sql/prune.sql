-- prune.sql: ledgers of the past are bounded in their growth; what may still be asked for stays.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(11);
select millrace.create_queue('q', retention => '1 day') \g /dev/null
select millrace.open_session('w', '{q}', lease => '1 min') \g /dev/null
insert into millrace.settle_receipt (job_id, fence, settled_at, outcome)
select g, g, millrace.now(), 'snoozed' from generate_series(1, 25) g;
set local role millrace_worker;
select is(millrace.prune(), 0, 'nothing is old yet');
select throws_ok(format('select millrace.prune(%s)', wrong), 'MR005', 'prune: bad max_rows', wrong)
  from unnest('{"null",0,100001}'::text[]) wrong;
reset role;
select millrace_test.advance_clock('10 min') \g /dev/null
select is(millrace.prune(), 0, 'nor is what may still be settled again, for ten leases');
select millrace_test.advance_clock('1 us') \g /dev/null
select is(millrace.prune(10), 10, 'as many as it may: there may be more');
select is(millrace.prune(10) + millrace.prune(10), 15, 'until there are no more');
select is_empty('select * from millrace.settle_receipt', 'all that were older than ten leases are gone');

-- A key that nobody has used for 100,000 transactions.
select millrace.enqueue('q', 'k', concurrency_key => key) from unnest('{idle,lately,held}'::text[]) key \g /dev/null
select millrace.follow_up_all() \g /dev/null
select millrace.cancel(id) from millrace.jobs where concurrency_key <> 'held' \g /dev/null
select millrace.follow_up_all() \g /dev/null
select is(array_agg(key order by key), '{held,idle,lately}', 'keys are remembered') from millrace.concurrency_key;
update millrace.concurrency_key set version = pg_current_xact_id()::text::bigint - 200000 where key <> 'lately';
select is(millrace.prune(), 1, 'until nobody has used them for long');
select is(array_agg(key order by key), '{held,lately}', 'one that is held stays') from millrace.concurrency_key;

select * from finish();
rollback;
