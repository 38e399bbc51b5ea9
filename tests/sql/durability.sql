-- durability.sql: which transactions may be committed without waiting for the disk: a claim of its own, no other.
--
-- The setting holds for a transaction: this file has none around it and wants a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
\ir ../support/sql/fake_clock.sql
select plan(17);
select millrace.create_queue('q') \g /dev/null
select cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[40]))) \g /dev/null
set role millrace_worker;
select millrace.open_session('w', '{q}') as session \gset
set synchronous_commit = on;

begin;
select job_id as job, fence from millrace.claim(:session, 'q') \gset
select is(current_setting('synchronous_commit'), 'on', 'a claim is synchronous');
commit;
select millrace.complete(:fence, :job) \g /dev/null

begin;
select job_id as job, fence from millrace.claim(:session, 'q', 1, async => true) \gset
select is(current_setting('synchronous_commit'), 'off', 'unless it is asked for');
commit;
select is(current_setting('synchronous_commit'), 'on', 'and for the one transaction');
select millrace.complete(:fence, :job) \g /dev/null

begin;
select count(*) from millrace.claim(:session, 'q', 1, true) \g /dev/null
rollback;
select is(current_setting('synchronous_commit'), 'on', 'or for none, if it is rolled back');

-- The id of a session is half of its fences: it must be on disk before the first of them is given out.
begin;
set local synchronous_commit = off;
select millrace.open_session('other', '{q}') \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'a session is on disk when it is open, whatever was set');
commit;

-- A settle is on disk when it is reported, whatever stands in its transaction.
prepare claim_and as select job_id, fence from millrace.claim(:session, 'q', 1, true);
begin;
execute claim_and \gset
select millrace.settle_many(array[:job_id], array[:fence]) \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'settle_many after an asynchronous claim is synchronous');
commit;
begin;
execute claim_and \gset
select millrace.complete(:fence, :job_id) \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'so is complete');
commit;
begin;
execute claim_and \gset
select millrace.fail(:fence, :job_id, 'e') \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'fail');
commit;
begin;
execute claim_and \gset
select millrace.snooze(:fence, :job_id, '1 h') \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'snooze');
commit;
begin;
execute claim_and \gset
select millrace.discard(:fence, :job_id, 'e') \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'discard');
commit;
begin;
execute claim_and \gset
select millrace.close_session(:session) \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'and the end of a session that gives a job back');
commit;

select millrace.open_session('w', '{q}') as session \gset
select job_id as job, fence from millrace.claim(:session, 'q') \gset
begin;
select millrace.complete(:fence, :job) \g /dev/null
select count(*) from millrace.claim(:session, 'q', 1, true) \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'an asynchronous claim after a settle is synchronous');
commit;
begin;
select millrace.enqueue('q', 'k') \g /dev/null
select count(*) from millrace.claim(:session, 'q', 1, true) \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'and so is one after an enqueue');
commit;

-- What the session has set for itself.
set synchronous_commit = off;
begin;
select job_id as job, fence from millrace.claim(:session, 'q') \gset
select millrace.complete(:fence, :job) \g /dev/null
select is(current_setting('synchronous_commit'), 'on', 'a settle does not trust a session that waits for no disk');
commit;
select is(current_setting('synchronous_commit'), 'off', 'and leaves it its setting');
set synchronous_commit = remote_apply;
select job_id as job, fence from millrace.claim(:session, 'q') \gset
begin;
select millrace.complete(:fence, :job) \g /dev/null
select is(current_setting('synchronous_commit'), 'remote_apply', 'a stronger setting stands');
commit;
set synchronous_commit = on;
reset role;
select is(count(*), 0::bigint, 'nothing else was left running') from millrace.running r
 where r.worker <> :session;
select * from finish();
