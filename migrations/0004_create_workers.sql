-- Worker sessions: one row holds the lease of all the jobs that a session runs.

set local role millrace_owner;

create table millrace.worker (
    id               int primary key generated always as identity,  -- the high half of its fences
    name             text not null,
    host             text,
    pid              int,
    version          text,
    queues           text[] not null,
    lease            interval not null,
    started_at       timestamptz not null,
    heartbeat_at     timestamptz not null,
    lease_expires_at timestamptz not null,
    draining         boolean not null default false,
    ended_at         timestamptz,
    end_reason       text check (end_reason in ('closed', 'lease expired')),
    cleared          boolean not null default false               -- ended, and none of its jobs is left in `running`
) with (fillfactor = 50);
create index worker_open on millrace.worker (id) where not cleared;
