-- storage: what each table takes on disk, and how much of it is dead.
--
-- One row for a table, `job` and `finished` with all their days in one. Bytes are those of the files; live and dead
-- rows are PostgreSQL's estimates, kept by its statistics; nothing is counted. The share of a queue is not shown: that
-- would take a count.
--
-- Locks   for a moment ACCESS SHARE on each table, as every look at a size.
-- Raises  nothing.

set local client_min_messages = warning;
drop view if exists millrace.storage;
reset client_min_messages;

create view millrace.storage as
select n.nspname || '.' || coalesce(p.relname, c.relname) as relation, nullif(count(p.oid), 0)::int as days,
       to_date(min(d.day), 'YYYYMMDD') as oldest_day, to_date(max(d.day), 'YYYYMMDD') as newest_day,
       sum(s.heap + s.indexes + s.toast)::bigint as total_bytes, sum(s.heap)::bigint as heap_bytes,
       sum(s.indexes)::bigint as index_bytes, sum(s.toast)::bigint as toast_bytes,
       sum(pg_stat_get_live_tuples(c.oid))::bigint as live_rows,
       sum(pg_stat_get_dead_tuples(c.oid))::bigint as dead_rows,
       max(pg_stat_get_last_autovacuum_time(c.oid)) as last_autovacuum_at
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_inherits k on k.inhrelid = c.oid
  left join pg_class p on p.oid = k.inhparent
 cross join lateral (select case when c.relispartition then right(c.relname, 8) end as day) d
 cross join lateral (select coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0) as bytes) t
 cross join lateral (select coalesce(pg_table_size(c.oid), 0) - t.bytes as heap,
                            coalesce(pg_indexes_size(c.oid), 0) as indexes, t.bytes as toast) s
 where c.relkind = 'r' and n.nspname in ('millrace', 'forks', 'pipeline')
 group by 1;
