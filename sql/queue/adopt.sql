-- adopt: makes this database the home of its queues.
--
-- A queue remembers the server, the database and the tables it lives in. Restored or cloned elsewhere, it hands out no
-- job until somebody has said that this copy is meant to work: a staging copy must not send the customers their mail
-- again. What the old place has left behind, and means nothing here, is put right:
--
--     marks       begin afresh: those of the old server are ahead of whatever is enqueued here, and claims would never
--                 see it.
--     positions   are transaction numbers of the old server. Those of transactions that have not ended here become this
--                 transaction's: a mark may enter a position only when nothing more is inserted there (low_water.sql).
--     versions    of concurrency keys, which are transaction numbers, too, are no later than now, or prune() would keep
--                 the keys for ever.
--     sessions    end, and reap() takes back what they ran: a worker that finds its way here must not renew the lease
--                 of a job that it finished at the old place.
--     ids         of jobs and sessions skip a range: the place that was copied has gone on counting since, be it in
--                 the same database before it was restored, and an id may be known outside, as that of a payment, of a
--                 mail, or of a fence. Sequences that are behind the rows that are there pass them: logical
--                 replication brings rows, and no sequences.
--
-- At home it may be repeated: marks begin afresh once more, which costs some claims a longer walk, and nothing else
-- changes.
--
-- A server is told by its system identifier, which a standby shares: a failover is not noticed here. pg_upgrade gives
-- it another one. A copy of the server's files that keeps it cannot be told from the original. Where a provider lets
-- nobody read it, the number of the role millrace_owner stands in, which is another one on a new server, too, but for
-- chance.
--
-- Locks   advisory 7709/1 and 7709/2 for the transaction; rows of installation, low_water, lane, ready, follow_up,
--         queue_delta, concurrency_key, then worker.
-- Raises  assert_home: MR011 foreign_database.
-- Rows    2, 10 per queue, what waits with a position that may be of the future, keys, and sessions that are open.

create or replace function millrace.server_identifier()
returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if has_function_privilege('pg_control_system()'::regprocedure, 'execute') then
        return (pg_control_system()).system_identifier;
    end if;
    return 'millrace_owner'::regrole::oid::bigint;
end
$$;

-- What tells this database from every other one, of letters, digits and dots: for names that must not clash outside.
create or replace function millrace.installation_id()
returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select millrace.server_identifier() || '.' || d.oid from pg_database d where d.datname = current_database()
$$;

-- A row, if this database is where its queues belong.
create or replace view millrace.home as
select i.database_name
  from millrace.installation i
 where i.system_identifier = (select millrace.server_identifier())
   and i.database_oid = (select d.oid from pg_database d where d.datname = current_database())
   and i.table_oid = i.tableoid;

create or replace function millrace.adopt()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    jobs_apart constant bigint := 1000000000;  -- more than are enqueued between a copy and its adoption
    sessions_apart constant int := 1000000;
    here constant bigint := millrace.server_identifier();
    was_home boolean;
    server_known boolean;
    open_from xid8;  -- positions whose transactions may insert more
    numbered record;
begin
    -- an advance or a fold that is under way would write back what it has read before
    perform pg_advisory_xact_lock(7709, 1), pg_advisory_xact_lock(7709, 2);
    was_home := exists (select from millrace.home);  -- another adopt may have come first
    server_known := exists (select from millrace.installation i where i.system_identifier = here);
    update millrace.installation i
       set system_identifier = here, database_name = d.datname, database_oid = d.oid, table_oid = i.tableoid
      from pg_database d
     where d.datname = current_database();
    update millrace.low_water w set seen = '{}', delta_low = '0', delta_pending = '{}';
    update millrace.lane l set low = '0', low_job = 0, pending = '{}', pending_job = '{}';
    -- at home those in progress are whose they say they are, and claims are at work on them
    open_from := case when was_home then pg_snapshot_xmax(pg_current_snapshot())
                      else pg_snapshot_xmin(pg_current_snapshot()) end;
    update millrace.ready r set pos = pg_current_xact_id() where r.pos >= open_from;
    update millrace.follow_up f set pos = pg_current_xact_id() where f.pos >= open_from;
    update millrace.queue_delta d set pos = pg_current_xact_id() where d.pos >= open_from;
    update millrace.concurrency_key k set version = pg_current_xact_id()::text::bigint
     where k.version > pg_current_xact_id()::text::bigint;
    if not was_home then
        perform from millrace.worker w where w.ended_at is null order by w.id for update;
        update millrace.worker w set ended_at = millrace.now(), end_reason = 'lease expired' where w.ended_at is null;
        -- a database that was copied on its server before the first job has nothing to skip
        perform setval('millrace.job_id',
                       greatest(s.last_value, (select max(j.id) from millrace.job j)) + jobs_apart),
                setval('millrace.worker_id_seq',
                       greatest(w.last_value, (select max(k.id) from millrace.worker k)) + sessions_apart)
           from millrace.job_id s, millrace.worker_id_seq w
          where not server_known or s.is_called;
        for numbered in
            select c.oid::regclass as rows_of, a.attname as id, q.numbers
              from pg_class c
              join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             cross join pg_get_serial_sequence(c.oid::regclass::text, a.attname) q(numbers)
             where c.relowner = 'millrace_owner'::regrole and c.relkind in ('r', 'p') and q.numbers is not null
        loop
            execute format('select setval(%1$L, r.id) from (select max(%2$I) as id from %3$s) r, %1$s s'
                           ' where r.id >= s.last_value', numbered.numbers, numbered.id, numbered.rows_of);
        end loop;
    end if;
    perform millrace.audit('adopt', jsonb_build_object('database', current_database()), 1);
end
$$;

create or replace function millrace.assert_home()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known text;
begin
    if not exists (select from millrace.home) then
        select i.database_name into known from millrace.installation i;
        raise exception using errcode = 'MR011',
            message = format('these queues belong to database %L of another place, not to %L here',
                             known, current_database()),
            hint = 'A restored or cloned queue runs nothing until told to. If this copy is the one that shall work: '
                   'millrace adopt, or select millrace.adopt().';
    end if;
end
$$;
