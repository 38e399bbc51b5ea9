-- publication.sql: where a publication names all tables, nothing that deletes or updates is refused.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(9);
select millrace.create_queue('q') \g /dev/null
select is(millrace.maintain_partitions(8), 1, 'a day that is made later than the others');
create temp view mine as
select c.oid::regclass as name, c.relreplident as identity,
       exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as has_key
  from pg_class c
 where c.relkind in ('r', 'p')
   and c.relnamespace::regnamespace::text in ('millrace', 'notify', 'forks', 'pipeline');
select cmp_ok(count(*), '>', 60::bigint, 'tables of four schemas') from mine;
select is_empty($$ select name from mine where identity <> 'f' and not (identity = 'd' and has_key) $$,
                'each row of them can be named to a subscriber');

set local client_min_messages = error;  -- of a wal_level that would not publish them
create publication everything for all tables;
create function pg_temp.refused(statement text)  -- tables where PostgreSQL refuses it
returns text[]
language plpgsql
as $$
declare
    name regclass;
    refused text[] := '{}';
begin
    for name in select m.name from mine m order by 1
    loop
        begin
            execute format(statement, name, (select quote_ident(a.attname) from pg_attribute a
                                              where a.attrelid = name and a.attnum > 0 and a.attidentity = ''
                                              order by a.attnum limit 1));
        exception when object_not_in_prerequisite_state then
            refused := refused || name::text;
        end;
    end loop;
    return refused;
end
$$;
select is(pg_temp.refused('delete from %s where false'), '{}', 'no delete is refused');
select is(pg_temp.refused('update %1$s set %2$s = %2$s where false'), '{}', 'nor an update');

-- A job with a key, one that fails, and one that is delayed, from their beginning until nothing is left of them.
select millrace.open_session('w', '{q}', lease => '1 min') as session \gset
select millrace.enqueue('q', 'k', concurrency_key => 'k'), millrace.enqueue('q', 'k', delay => '1 s') \g /dev/null
select millrace_test.advance_clock('1 s') \g /dev/null
select is(promoted, 1, 'jobs are promoted') from millrace.promote();
select millrace.fail(fence, job_id, 'e', '0') from millrace.claim(:session, 'q', 1) \g /dev/null
select millrace.promote() \g /dev/null
select is(count(millrace.settle_many(array[job_id], array[fence])), 2::bigint, 'claimed and completed')
  from millrace.claim(:session, 'q', 2);
select cmp_ok(millrace.fold_counts(), '>', 0, 'counted');
select millrace_test.advance_clock('30 days') \g /dev/null
select lives_ok('select millrace.prune()', 'and pruned');
select * from finish();
rollback;
