-- session: a worker's lease, from open_session to its end.
--
--     (nothing) ──open_session──► open ──close_session──► ended 'closed'
--                                   └──────reap()───────► ended 'lease expired'
--
-- A session is one row of `worker`. It stands for every job that the worker runs: however many are in flight, one
-- heartbeat renews them all. Its id is half of every fence it is handed, so open_session commits, durably, before
-- the first claim.
--
-- Whoever claims holds the session's row FOR KEY SHARE, which a heartbeat does not conflict with; whoever ends a
-- session takes it FOR UPDATE. So no claim can add a job to a session that is being ended.
--
-- Arguments  name     of the worker, for people, up to 200 characters
--            lease    1 second … 1 hour; a worker renews it every third
--            kinds    whose jobs it may be handed, up to 1000; null: whatever comes
-- Locks      the session's row of worker, then rows of running.
-- Raises     MR002 session_ended, MR003 unknown_queue, MR005 bad_argument, MR011 foreign_database; open_session also
--            MR007 invalid_transition in a transaction that is not read committed.
-- Rows       1, and for close_session the running jobs of the session.

-- Those that may claim. None in a restored or cloned database, even if it was restored with it.
create or replace view millrace.open_worker as
select w.id, w.kinds
  from millrace.worker w
 where w.ended_at is null
   and exists (select from millrace.installation i
                where i.table_oid = i.tableoid
                  and i.database_oid = (select d.oid from pg_database d where d.datname = current_database()));

create or replace function millrace.open_session(
    name text,
    queues text[],
    host text default null,
    pid int default null,
    version text default null,
    lease interval default '30 seconds',
    kinds text[] default null)
returns int  -- the session's id
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong text;
    opened int;
    started constant timestamptz := millrace.now();
begin
    perform millrace.assert_home();
    wrong := case
        when name is null or name = '' or length(name) > 200 then 'name: 1 to 200 characters'
        when queues is null or cardinality(queues) not between 1 and 1000 then 'queues: 1 to 1000 names'
        when lease is null or lease not between interval '1 second' and interval '1 hour'
          or to_char(lease, 'YYYYMMDDHH24MISSUS') ~ '-'  -- create_queue.sql
            then 'lease: 1 second to 1 hour, no part negative'
        when length(host) > 255 then 'host: up to 255 characters'
        when length(version) > 100 then 'version: up to 100 characters'
        when cardinality(kinds) > 1000 or exists (select from unnest(kinds) k where k is null)
            then 'kinds: up to 1000 names, or null for all'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'open_session: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using errcode = 'MR007',
            message = 'open_session: this transaction is ' || current_setting('transaction_isolation'),
            hint = 'Workers need read committed: alter role … set default_transaction_isolation = ''read committed''.';
    end if;
    perform millrace.queue_id(q) from unnest(queues) q;
    -- A crash must not give the id to another session: it is half of each fence.
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
    end if;

    insert into millrace.worker as w (name, host, pid, version, queues, kinds, lease, started_at, heartbeat_at,
                                      lease_expires_at)
    values (open_session.name, open_session.host, open_session.pid, open_session.version, open_session.queues,
            open_session.kinds, open_session.lease, started, started, started + open_session.lease)
    returning w.id into opened;
    return opened;
end
$$;

-- Renews the lease. One that has run out may still be renewed as long as nobody has reaped the session: its jobs are
-- its own until then. In a restored copy it is refused: the worker must learn that it is not where it was.
create or replace function millrace.heartbeat(session int, draining boolean default false)
returns timestamptz  -- when the lease expires now
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    beat constant timestamptz := millrace.now();
    expires timestamptz;
begin
    perform millrace.assert_home();
    update millrace.worker w
       set heartbeat_at = beat, lease_expires_at = beat + w.lease, draining = coalesce(heartbeat.draining, false)
     where w.id = session and w.ended_at is null
    returning w.lease_expires_at into expires;
    if not found then
        perform millrace.raise_session_ended(session);
    end if;
    return expires;
end
$$;

-- Ends a session in good order: what it still runs goes back, and the attempt is not counted.
create or replace function millrace.close_session(session int)
returns int  -- jobs given back
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    held record;
    settled int := 0;
begin
    perform from millrace.worker w where w.id = session and w.ended_at is null for update;
    if not found then
        perform millrace.raise_session_ended(session);
    end if;
    select coalesce(array_agg(r.job_id order by r.job_id), '{}') as jobs,
           coalesce(array_agg(r.fence order by r.job_id), '{}') as fences
      into held
      from millrace.running r
     where r.worker = session;
    for i in 1 .. cardinality(held.jobs) by 1000
    loop
        -- What is being settled at the same moment was not given back.
        settled := settled + cardinality(millrace.settle_many(
            held.jobs[i : i + 999], held.fences[i : i + 999],
            array_fill('released'::text, array[least(1000, cardinality(held.jobs) - i + 1)])));
    end loop;
    update millrace.worker w
       set ended_at = millrace.now(), end_reason = 'closed', cleared = true
     where w.id = session;
    return cardinality(held.jobs) - settled;
end
$$;

create or replace function millrace.raise_session_ended(session int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform millrace.assert_home();
    raise exception using errcode = 'MR002',
        message = format('session %s has ended', coalesce(session::text, 'null')),
        detail = coalesce((select 'reason: ' || w.end_reason from millrace.worker w where w.id = session),
                          'no such session'),
        hint = 'Its jobs were given to others. Drop their results, open a new session and claim again.';
end
$$;
