-- What a chaos run adds to the database that it torments.
--
-- chaos.history has a line for each row that enters or leaves a table of states, written by the transaction that moves
-- it: whatever commits is in it, whatever does not is not. A job's lines are in the order of its moves, because each
-- move takes the row that the one before has left behind.

create schema chaos;

create table chaos.history (
    seq     bigint generated always as identity,
    xid     xid8 not null default pg_current_xact_id(),
    place   text not null,
    entered boolean not null,
    job     bigint not null,
    fence   bigint,
    attempt int
);

-- A transaction that enqueues says so here, and whoever is in doubt about its commit looks here.
create table chaos.enqueued (token text primary key, jobs bigint[] not null);

-- The effect of transactional jobs. Nothing keeps a job from being written twice but the fence.
create table public.ledger (job bigint not null, fence bigint not null);

create function chaos.note()
returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    insert into chaos.history (place, entered, job, fence, attempt)
    select tg_argv[0], tg_op = 'INSERT', (to_jsonb(r) ->> 'job_id')::bigint, (to_jsonb(r) ->> 'fence')::bigint,
           (to_jsonb(r) ->> 'attempt')::int
      from moved r;
    return null;
end
$$;

do $$
declare
    place text;
begin
    foreach place in array array['ready', 'scheduled', 'blocked', 'running', 'finished', 'dead_letter']
    loop
        execute format('create trigger chaos_in after insert on millrace.%I referencing new table as moved'
                       ' for each statement execute function chaos.note(%L)', place, place);
        execute format('create trigger chaos_out after delete on millrace.%I referencing old table as moved'
                       ' for each statement execute function chaos.note(%L)', place, place);
    end loop;
end
$$;

create role chaos_worker login in role millrace_worker;
grant insert on public.ledger to chaos_worker;
create role chaos_idler login;
select millrace.create_queue('work', max_attempts => 1000, retry_base => '20 ms');
select millrace.limit_key('work', 'three', 3);
-- Due each minute; what a fault made late is made up for.
select millrace.create_schedule('every-' || n, '* * * * *', 'work', 'chaos.fast',
                                jsonb_build_object('schedule', 'every-' || n),
                                misfire => 'all', due_key => 'due')
  from generate_series(1, 6) n;
