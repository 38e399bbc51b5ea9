-- horizon_holders: who keeps vacuum from removing dead rows, the oldest first.
--
-- Vacuum removes what nobody can see any more: what died before the oldest transaction that counts. What counts for the
-- tables of this database, as PostgreSQL 15 has it (ComputeXidHorizons in procarray.c):
--
--     session               of this database, the older of its snapshot (backend_xmin) and its own transaction
--                           (backend_xid), unless it runs VACUUM; of another database only its own transaction, which
--                           is in progress in every snapshot that is taken here
--     prepared transaction  of whatever database, for the same reason
--     standby               with hot_standby_feedback and without a slot: its oldest query
--     replication slot      xmin: its standby's oldest query; catalog_xmin holds the system's own tables only
--
-- `inherited` marks a session whose snapshot is old because another transaction, listed too, was in progress when it
-- was taken: end that other one first. (A snapshot that was taken just before the other wrote has the same age; it is
-- not marked where the times of both are known and say so.) `wrote` says that it has a transaction number, which every
-- snapshot that is taken meanwhile remembers. `since` is when the transaction began. It and the state of other roles'
-- sessions are hidden from the owner of these functions unless somebody who may has said: grant pg_read_all_stats to
-- millrace_owner. Who holds the horizon is known without.
--
-- Locks   none.
-- Raises  nothing.
-- Rows    none are written.

set local client_min_messages = warning;
drop view if exists millrace.horizon_holders;
reset client_min_messages;

-- What the view horizon_holders shows.
create or replace function millrace.horizon_overview()
returns table (rank int, holder text, name text, pid int, database text, role_name text, application text, state text,
               since timestamptz, query_start timestamptz, xid text, transactions bigint, holds text, wrote boolean,
               inherited boolean, hidden boolean, remedy text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    perform pg_stat_clear_snapshot();  -- or a transaction that looks twice sees the same twice
    return query
    with found as materialized (
        select f.* from millrace.session_holders() f
        union all
        select 'prepared transaction', p.gid, null, p.database::text, p.owner::text, null, 'prepared', p.prepared, null,
               p.transaction, p.transaction, 'tables', false,
               format('rollback prepared %L in database %s, or commit prepared', p.gid, p.database)
          from pg_prepared_xacts p
        union all
        select 'standby', r.application_name, r.pid, null, r.usename::text, r.application_name, r.state, null, null,
               r.backend_xmin, null, 'tables', r.state is null,
               'end the oldest query there, or set hot_standby_feedback = off there'
          from pg_stat_replication r
         where r.backend_xmin is not null
        union all
        select 'replication slot', s.slot_name::text, s.active_pid, s.database::text, null, null,
               case when s.active then 'active' else 'inactive' end, null, null, h.xid, null, h.holds, false,
               case when s.active then 'end the oldest query of the standby that uses it'
                    else format('select pg_drop_replication_slot(%L), if nobody will use it again', s.slot_name) end
          from pg_replication_slots s
         cross join lateral (values (s.xmin, 'tables'), (s.catalog_xmin, 'catalog')) h(xid, holds)
         where h.xid is not null and s.wal_status is distinct from 'lost'
    ), judged as (
        select f.*, greatest(age(f.held), 0)::bigint as transactions,
               f.held is distinct from f.own
               and exists (select from found o
                            where o.own = f.held and o.pid is distinct from f.pid
                              and (o.holder <> 'session' or coalesce(o.since <= f.query_start, true))) as inherited
          from found f
    )
    select (row_number() over (order by j.holds desc, j.transactions desc, j.inherited, j.since, j.pid))::int,
           j.holder, j.name, j.pid, j.database, j.role_name, j.application, j.state, j.since, j.query_start,
           j.held::text, j.transactions, j.holds, j.own is not null, j.inherited, j.hidden, j.remedy
      from judged j;
end
$$;

create or replace function millrace.session_holders()
returns table (holder text, name text, pid int, database text, role_name text, application text, state text,
               since timestamptz, query_start timestamptz, held xid, own xid, holds text, hidden boolean, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select 'session', s.pid::text, s.pid, s.datname::text, s.usename::text, s.application_name, s.state, s.xact_start,
           s.query_start, h.held, s.backend_xid, 'tables', s.query = '<insufficient privilege>',
           format('select pg_terminate_backend(%s)', s.pid)
      from pg_stat_activity s
     cross join lateral (
            select case when s.datname = current_database() and age(s.backend_xmin) >= coalesce(age(s.backend_xid), 0)
                        then s.backend_xmin else s.backend_xid end as held) h
     where h.held is not null and s.datname is not null and s.pid <> pg_backend_pid()
       and s.pid not in (select v.pid from pg_stat_progress_vacuum v)
       and s.pid not in (select w.pid from pg_stat_get_wal_senders() w)
$$;

create view millrace.horizon_holders as
select * from millrace.horizon_overview();
