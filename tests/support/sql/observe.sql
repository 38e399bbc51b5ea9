-- observe: what the tests look at that the contract does not show.
--
--     \ir ../support/sql/observe.sql             run as a superuser

create schema if not exists millrace_test;
grant usage on schema millrace_test to public;

-- One text for all rows of all tables of the schema: equal before and after, nothing was changed.
create function millrace_test.fingerprint()
returns text
language plpgsql
as $$
declare
    observed regclass;
    content text;
    whole text := '';
begin
    for observed in select c.oid::regclass
                      from pg_class c
                     where c.relnamespace = 'millrace'::regnamespace and c.relkind in ('r', 'p')
                       and not c.relispartition
                     order by c.relname
    loop
        execute format('select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '''')) from %s t', observed)
           into content;
        whole := whole || observed || content;
    end loop;
    return md5(whole);
end
$$;

-- A queue's numbers by counting its rows, to compare with those that are kept.
create function millrace_test.counted(queue text)
returns table (available bigint, scheduled bigint, blocked bigint, running bigint, dead bigint, enqueued bigint,
               completed bigint, cancelled bigint)
language sql
as $$
    select (select count(*) from millrace.ready t where t.queue_id = q.id),
           (select count(*) from millrace.scheduled t where t.queue_id = q.id),
           (select count(*) from millrace.blocked t where t.queue_id = q.id),
           (select count(*) from millrace.running t where t.queue_id = q.id),
           (select count(*) from millrace.dead_letter t where t.queue_id = q.id),
           (select count(*) from millrace.job t where t.queue_id = q.id),
           (select count(*) from millrace.finished t where t.queue_id = q.id and t.outcome = 'completed'),
           (select count(*) from millrace.finished t where t.queue_id = q.id and t.outcome = 'cancelled')
      from millrace.queue q
     where q.name = counted.queue
$$;

-- What this transaction has done so far; the difference of two calls in one transaction is exact, nothing waits for the
-- statistics to be reported. Pages of the schema's tables and indexes that it has looked at, in memory or not.
create function millrace_test.pages_touched()
returns bigint
language sql volatile
as $$
    select sum(pg_stat_get_xact_blocks_fetched(c.oid))::bigint
      from pg_class c
     where c.relnamespace = 'millrace'::regnamespace
$$;

-- Index entries that were handed out so far, of dead rows too unless the index has marked them.
create function millrace_test.entries_passed()
returns bigint
language sql volatile
as $$
    select sum(pg_stat_get_xact_tuples_returned(c.oid))::bigint
      from pg_class c
     where c.relnamespace = 'millrace'::regnamespace and c.relkind = 'i'
$$;

-- How often a table that grows with the jobs was read from end to end.
create function millrace_test.sequential_scans()
returns bigint
language sql volatile
as $$
    select sum(pg_stat_get_xact_numscans(c.oid))::bigint
      from pg_class c
     where c.relnamespace = 'millrace'::regnamespace and c.relkind = 'r'
       and c.relname ~ '^(ready|running|scheduled|blocked|follow_up|job|finished|dead_letter|attempt_failure|queue_delta)(_[0-9]+)?$'
$$;

-- A second session on this database, for dblink_connect.
create function millrace_test.here()
returns text
language sql
as $$
    select format('dbname=%s user=%s host=%s port=%s', current_database(), session_user,
                  split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'))
$$;
