-- adopt: makes this database the home of its queues.
--
-- A queue remembers the server and the database it lives in. Restored or cloned elsewhere, it hands out no job until
-- somebody has said that this copy is meant to work: a staging copy must not send the customers their mail again.
-- Positions are transaction numbers of the old server: those that this one has not reached yet become this
-- transaction's, or everything enqueued here would come before them; the low-water starts afresh.
--
-- Locks   advisory 7709/1 and 7709/2 for the transaction; rows of installation, low_water, lane, ready, follow_up,
--         queue_delta.
-- Raises  assert_home: MR011 foreign_database.
-- Rows    2, 10 per queue, and what waits with a position of the future.

create or replace function millrace.adopt()
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- an advance or a fold that is under way would write back what it has read before
    perform pg_advisory_xact_lock(7709, 1), pg_advisory_xact_lock(7709, 2);
    update millrace.installation i
       set system_identifier = c.system_identifier, database_name = current_database()
      from pg_control_system() c;
    update millrace.low_water w set seen = '{}', delta_low = '0', delta_pending = '{}';
    update millrace.lane l set low = '0', low_job = 0, pending = '{}', pending_job = '{}';
    update millrace.ready r set pos = pg_current_xact_id()
     where r.pos >= pg_snapshot_xmax(pg_current_snapshot());
    update millrace.follow_up f set pos = pg_current_xact_id()
     where f.pos >= pg_snapshot_xmax(pg_current_snapshot());
    update millrace.queue_delta d set pos = pg_current_xact_id()
     where d.pos >= pg_snapshot_xmax(pg_current_snapshot());
    perform millrace.audit('adopt', jsonb_build_object('database', current_database()), 1);
end
$$;

create or replace function millrace.assert_home()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    home millrace.installation%rowtype;
begin
    select i.* into home from millrace.installation i;
    if home.database_name is distinct from current_database()::text
       or home.system_identifier is distinct from (select c.system_identifier from pg_control_system() c) then
        raise exception using errcode = 'MR011',
            message = format('these queues belong to database %L of another place, not to %L here',
                             home.database_name, current_database()),
            hint = 'A restored or cloned queue runs nothing until told to. If this copy is the one that shall work: '
                   'millrace adopt, or select millrace.adopt().';
    end if;
end
$$;
