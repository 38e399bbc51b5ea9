-- Schedules: jobs that are enqueued by the clock, and what became of each time.
--
-- The rows of `schedule` are changed by people only. What changes with every run is apart, in `schedule_due`.

set local role millrace_owner;

-- A cron expression, read: sorted values of each field. See cron.sql.
create type millrace.cron as (
    minutes    int[],
    hours      int[],
    days       int[],
    months     int[],
    weekdays   int[],   -- 0 … 6, from Sunday
    either_day boolean  -- a day needs to be one of `days` or of `weekdays`, not of both
);

create table millrace.schedule (
    id           int primary key generated always as identity,
    name         text not null unique,
    cron         text not null,
    time_zone    text not null,
    misfire      text not null check (misfire in ('skip', 'once', 'all')),
    jitter       interval not null,
    paused       boolean not null default false,
    queue_id     int not null references millrace.queue,
    kind         text not null,
    payload      jsonb not null,
    due_key      text,                      -- of the payload's member that tells a job its due time
    priority     smallint not null,
    max_attempts smallint,                  -- null: the queue's
    timeout      interval,                  -- null: the queue's
    created_at   timestamptz not null,
    changed_at   timestamptz not null
);

-- One row for each schedule, replaced as those of lanes: the highest version is alive, and is found at once under a
-- pinned vacuum horizon too. For the same reason no index has the times.
create table millrace.schedule_due (
    schedule_id int not null,
    version     bigint not null default 0,
    next_run_at timestamptz not null,       -- the first time that has not been dealt with
    look_at     timestamptz not null,       -- when a tick looks at it: then, or later after an error
    last_due_at timestamptz,                -- no time up to here comes again, whatever becomes of the clock
    error       text,                       -- why the last tick could not enqueue
    primary key (schedule_id, version)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- What became of the times that were due; append-only.
create table millrace.schedule_run (
    schedule_id int not null,
    due_at      timestamptz not null,       -- the first, where a row stands for many
    fired_at    timestamptz not null,
    job_id      bigint,
    times       int not null,               -- that this row stands for, counted up to a thousand
    how         text not null check (how in ('on time', 'caught up', 'by hand', 'skipped')),
    check ((job_id is null) = (how = 'skipped'))
);
create index schedule_run_schedule on millrace.schedule_run (schedule_id, fired_at);
create index schedule_run_at on millrace.schedule_run using brin (fired_at);
