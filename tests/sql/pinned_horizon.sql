-- pinned_horizon.sql: while an old snapshot keeps every deleted row, a claim stays as cheap as it was.
--
-- A thousand small transactions enqueue under an old snapshot, and their jobs are claimed and settled. Without a
-- low-water the next claim passes all of them; that it does is asserted first, so that this test can fail. Then the
-- low-water is advanced. Transactions are the subject: this file has none around it and wants a database of its own.
set client_min_messages = warning;
create extension if not exists pgtap;
create extension if not exists dblink;
\ir ../support/sql/fake_clock.sql
\ir ../support/sql/observe.sql
select plan(19);
select millrace.create_queue('q', timeout => '5 min') as q \gset
select millrace.open_session('w', '{q}') as session \gset
alter table millrace.ready set (autovacuum_enabled = off);
alter table millrace.queue_delta set (autovacuum_enabled = off);

create procedure pg_temp.drain(claims int)  -- a hundred jobs claimed and settled at a time
language plpgsql
as $$
declare
    ids bigint[];
    fences bigint[];
begin
    for i in 1 .. claims loop
        select coalesce(array_agg(c.job_id), '{}'), array_agg(c.fence) into ids, fences
          from millrace.claim((select max(id) from millrace.worker), 'q', 100) c;
        commit;
        perform millrace.settle_many(ids, fences);
        commit;
    end loop;
end
$$;
create procedure pg_temp.work(enqueues int)  -- ten jobs in each transaction
language plpgsql
as $$
begin
    for i in 1 .. enqueues loop
        perform millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[10]));
        commit;
        if i % 10 = 0 then
            call pg_temp.drain(1);
        end if;
    end loop;
end
$$;
-- In index entries: a page may hold hundreds of dead ones.
create function pg_temp.cost_of(statement text)
returns bigint
language plpgsql
as $$
declare
    before constant bigint := millrace_test.entries_passed();
begin
    execute statement;
    return millrace_test.entries_passed() - before;
end
$$;
create function pg_temp.cost_of_claim()
returns bigint
language sql
as $$ select pg_temp.cost_of('select millrace.complete(fence, job_id)
                                from millrace.claim((select max(id) from millrace.worker), ''q'')') $$;
create function pg_temp.cost_of_counts()
returns bigint
language sql
as $$ select pg_temp.cost_of('select count(*) from millrace.queues') $$;
-- A transaction of another database may hold the mark for a moment.
create procedure pg_temp.advance_past(mark xid8)
language plpgsql
as $$
declare
    deadline constant timestamptz := clock_timestamp() + interval '20 s';
begin
    while exists (select from millrace.lane l where l.low < mark)
       or exists (select from millrace.low_water w where w.delta_low < mark) loop
        if clock_timestamp() > deadline then
            raise 'the low-water does not move';
        end if;
        perform millrace.advance_low_water();
        commit;
        perform millrace.fold_counts();
        commit;
    end loop;
end
$$;

-- As it is without an old snapshot and with nothing behind.
select millrace.enqueue('q', 'k') from generate_series(1, 3) \g /dev/null
select pg_temp.cost_of_claim() as fresh_claim, pg_temp.cost_of_counts() as fresh_counts \gset
select pg_temp.cost_of_claim() as fresh_claim \gset

select dblink_connect('old', millrace_test.here()),
       dblink_exec('old', 'begin isolation level repeatable read') \g /dev/null
select jobs from dblink('old', 'select count(*) from millrace.job') d(jobs bigint) \g /dev/null
call pg_temp.work(1000);
select is(available, 1::bigint, 'ten thousand jobs are done, one is left') from millrace.queues where name = 'q';

select pg_temp.cost_of_claim() as late_claim, pg_temp.cost_of_counts() as late_counts \gset
select diag(format('claim and complete: %s index entries at first, %s behind an old snapshot', :fresh_claim,
                   :late_claim));
select cmp_ok(:late_claim::bigint, '>', 5000::bigint, 'without a low-water a claim decays under an old snapshot');

select pg_current_xact_id() as mark \gset
call pg_temp.advance_past(:'mark');
select is(min(low) >= :'mark', true, 'every lane has left the past behind') from millrace.lane;
select millrace.enqueue('q', 'k') from generate_series(1, 2) \g /dev/null
select pg_temp.cost_of_claim() as claim_after, pg_temp.cost_of_counts() as counts_after \gset
select diag(format('with its low-water: %s', :claim_after));
select cmp_ok(:claim_after::bigint, '<', :fresh_claim + 30::bigint, 'with it a claim is as cheap as at first');
select cmp_ok(:counts_after::bigint, '<', :fresh_counts + 60::bigint, 'and so are the counts');
select pg_temp.cost_of('select * from millrace.claim(1, ''q'')') \g /dev/null

-- Who looks for attempts that overran passes the deadlines of all that have ended, unless it begins at a late one.
begin;
select millrace_test.advance_clock(interval '10 min') \g /dev/null
update millrace.worker set lease_expires_at = millrace.now() + interval '1 h';
select cmp_ok(pg_temp.cost_of('select millrace.reap()'), '>', 5000::bigint, 'from the first deadline on it is dear');
select cmp_ok(pg_temp.cost_of($$ select millrace.reap(500, millrace.now() - interval '2 min') $$), '<', 30::bigint,
              'from a late one it is not');
rollback;

-- It stays so.
call pg_temp.work(300);
select pg_current_xact_id() as mark \gset
call pg_temp.advance_past(:'mark');
select millrace.enqueue('q', 'k') \g /dev/null
select cmp_ok(pg_temp.cost_of_claim(), '<', :fresh_claim + 30::bigint, 'also after the next thousands');
select cmp_ok(pg_temp.cost_of_counts(), '<', :fresh_counts + 60::bigint, 'for the counts, too');
select is_empty($$ select available, scheduled, blocked, running, dead, enqueued, completed, cancelled
                     from millrace.queues
                   except select * from millrace_test.counted('q') $$, 'which are right');

-- Nor does it matter how many jobs one transaction has enqueued, which all have its position.
select cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[10000]))) \g /dev/null
call pg_temp.drain(90);
select pos as mark from millrace.ready limit 1 \gset
call pg_temp.advance_past(:'mark');
select millrace.advance_low_water() \g /dev/null
select cmp_ok(pg_temp.cost_of_claim(), '<', :fresh_claim + 30::bigint,
              'also behind nine thousand jobs of one transaction');
call pg_temp.drain(10);

-- That holds for a transaction that was listed because it took long, too.
select dblink_connect('long', millrace_test.here()), dblink_exec('long', 'begin') \g /dev/null
select n from dblink('long', $$ select cardinality(millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb,
                                                                                            array[5000]))) $$)
    as d(n int) \g /dev/null
select pg_current_xact_id() as mark \gset
call pg_temp.advance_past(:'mark');
select is(cardinality(pending), 1, 'a transaction that takes long is listed') from millrace.lane where priority = 5;
select millrace.enqueue('q', 'k') \g /dev/null
select cmp_ok(pg_temp.cost_of_claim(), '<', :fresh_claim + 30::bigint, 'and passed over while it is in progress');
select cmp_ok(pg_temp.cost_of_counts(), '<', :fresh_counts + 60::bigint, 'by the view of the queues, too');
select dblink_exec('long', 'commit') \g /dev/null
call pg_temp.drain(45);
select cmp_ok(pg_temp.cost_of_claim(), '>', 4000::bigint, 'its jobs are claimed from its first on');
select millrace.advance_low_water() \g /dev/null
select cmp_ok(pg_temp.cost_of_claim(), '<', :fresh_claim + 30::bigint, 'until the mark knows its first that is left');
call pg_temp.drain(10);

-- And however often the mark moves: a claim reads its last version, not those before.
do $$ begin
    for i in 1 .. 300 loop
        perform millrace.enqueue('q', 'k');
        commit;
        perform millrace.advance_low_water('{q}');
        commit;
    end loop;
end $$;
call pg_temp.drain(3);
select pg_current_xact_id() as mark \gset
call pg_temp.advance_past(:'mark');
select millrace.enqueue('q', 'k') \g /dev/null
select cmp_ok(pg_temp.cost_of_claim(), '<', :fresh_claim + 30::bigint, 'after three hundred moves of the mark');

-- However often an attempt has reported: the next report finds the last one, and not those before.
select millrace.enqueue('q', 'k') \g /dev/null
create temp table told as select c.job_id, c.fence from millrace.claim(:session, 'q') c;
select pg_temp.cost_of('select millrace.set_progress(fence, job_id, 1), millrace.log_line(fence, job_id, ''t'') from told')
    as fresh_report \gset
do $$ begin
    for i in 1 .. 1200 loop
        perform millrace.set_progress(t.fence, t.job_id, i % 100), millrace.log_line(t.fence, t.job_id, 't') from told t;
        commit;
    end loop;
end $$;
select cmp_ok(pg_temp.cost_of('select millrace.set_progress(fence, job_id, 1), millrace.log_line(fence, job_id, ''t'')
                                 from told'), '<', :fresh_report + 10::bigint, 'after a thousand reports of one job');
select millrace.complete(fence, job_id) from told \g /dev/null

-- The reason was the snapshot.
select dblink_exec('old', 'commit') \g /dev/null
vacuum millrace.ready, millrace.queue_delta;
update millrace.lane set low = '0';
select millrace.enqueue('q', 'k') \g /dev/null
select cmp_ok(pg_temp.cost_of_claim(), '<', :fresh_claim + 30::bigint,
              'without the old snapshot a vacuum would have done');
select * from finish();
