-- storage.sql: every table once, its bytes as PostgreSQL has them, the days of the partitioned ones together.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/observe.sql
select plan(9);
select millrace.create_queue('q', max_payload_bytes => 1000000) \g /dev/null
select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[5000])) \g /dev/null
select millrace.enqueue('q', 'big', jsonb_build_object('text', (select string_agg(md5(n::text), '') from generate_series(1, 10000) n))) \g /dev/null

set local role millrace_viewer;
create temp table seen as select * from millrace.storage;
reset role;
select set_eq('select relation from seen',
              $$ select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where n.nspname in ('millrace', 'forks', 'pipeline') and c.relkind in ('r', 'p')
                    and not c.relispartition $$, 'each table is there');
select is(count(*), count(distinct relation), 'once') from seen;
select is(sum(total_bytes), (select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                              where n.nspname in ('millrace', 'forks', 'pipeline') and c.relkind = 'r'), 'no byte is missing')
  from seen;
select is_empty('select * from seen where total_bytes <> heap_bytes + index_bytes + toast_bytes', 'the parts are the whole');
select row_eq($$ select days, oldest_day, newest_day from seen where relation = 'millrace.job' $$,
              (select row(i.last_day - i.first_day + 1, i.first_day, i.last_day) from millrace.installation i),
              'a partitioned table: its days');
select row_eq($$ select days, oldest_day, newest_day from seen where relation = 'millrace.ready' $$,
              row(null::int, null::date, null::date), 'others have none');
select cmp_ok(heap_bytes, '>', 200000::bigint, 'rows are in the heap') from seen where relation = 'millrace.job';
select cmp_ok(toast_bytes, '>', 100000::bigint, 'a large payload is not') from seen where relation = 'millrace.job';
select millrace_test.pages_touched() as before \gset
select count(*) from millrace.storage \g /dev/null
select is(millrace_test.pages_touched(), :before::bigint, 'no table is read');
select * from finish();
rollback;
