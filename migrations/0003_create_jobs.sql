-- Jobs. The wide row is written once; a job's state is which narrow table holds its id.
--
--     ready ─► running ─► finished | dead_letter
--       ▲         │
--       └ scheduled ◄┘ (retry, snooze)
--
-- Narrow rows are inserted and deleted, never updated: a claim or a settle finds its row by the version that its
-- snapshot sees, and an update would hide it. `stored_on` is the day (UTC) of the wide row's partition and travels
-- with the id, so that a join is one probe.

set local role millrace_owner;

create type millrace.outcome as enum ('completed', 'cancelled', 'discarded');

create sequence millrace.job_id;

create table millrace.job (
    id           bigint not null default nextval('millrace.job_id'),
    enqueued_at  timestamptz not null,
    stored_on    date not null,
    queue_id     int not null,
    priority     smallint not null,
    max_attempts smallint not null,
    kind         text not null,
    payload      jsonb not null,
    timeout      interval,
    traceparent  text,
    primary key (id, stored_on)
) partition by range (stored_on);

create table millrace.ready (
    pos       xid8 not null default pg_current_xact_id(),  -- the inserting transaction: see advance_low_water()
    job_id    bigint not null,
    stored_on date not null,
    queue_id  int not null,
    priority  smallint not null,
    attempt   smallint not null default 0,                 -- attempts used up
    primary key (queue_id, priority, pos, job_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index ready_job on millrace.ready using brin (job_id) with (pages_per_range = 32, autosummarize = on);

create table millrace.scheduled (
    run_at    timestamptz not null,
    job_id    bigint primary key,
    stored_on date not null,
    queue_id  int not null,
    priority  smallint not null,
    attempt   smallint not null default 0,
    waits_for text not null check (waits_for in ('run_at', 'retry', 'snooze')),
    fence     bigint                                       -- of the settle that put it here
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index scheduled_run_at on millrace.scheduled (run_at, job_id);

create table millrace.running (
    job_id     bigint primary key,
    fence      bigint not null,                            -- the right to settle
    claimed_at timestamptz not null,
    deadline   timestamptz,
    stored_on  date not null,
    queue_id   int not null,
    worker     int not null,
    priority   smallint not null,
    attempt    smallint not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index running_deadline on millrace.running (deadline) where deadline is not null;

create table millrace.finished (
    job_id      bigint not null,
    fence       bigint,                                    -- null: never ran
    claimed_at  timestamptz,
    finished_at timestamptz not null,
    stored_on   date not null,
    queue_id    int not null,
    worker      int,
    outcome     millrace.outcome not null,
    attempt     smallint not null,
    note        text,
    result      jsonb
) partition by range (stored_on);
create index finished_job on millrace.finished using brin (job_id) with (pages_per_range = 32, autosummarize = on);
create index finished_at on millrace.finished using brin (finished_at) with (pages_per_range = 32, autosummarize = on);

create table millrace.dead_letter (
    job_id       bigint primary key,
    fence        bigint,
    discarded_at timestamptz not null,
    stored_on    date not null,
    queue_id     int not null,
    worker       int,
    priority     smallint not null,
    attempt      smallint not null,
    error        text not null
);
create index dead_letter_at on millrace.dead_letter (discarded_at);

create table millrace.attempt_failure (
    job_id      bigint not null,
    fence       bigint,
    failed_at   timestamptz not null,
    next_run_at timestamptz,                               -- null: no further attempt
    worker      int,
    attempt     smallint not null,
    outcome     text not null check (outcome in ('failed', 'discarded', 'reaped')),
    error       text not null
);
create index attempt_failure_job on millrace.attempt_failure (job_id);
create index attempt_failure_at on millrace.attempt_failure using brin (failed_at);

-- Where no lasting row remembers a settle, this does, for ten lease times.
create table millrace.settle_receipt (
    job_id     bigint not null,
    fence      bigint not null,
    settled_at timestamptz not null,
    outcome    text not null check (outcome in ('snoozed', 'released'))
);
create index settle_receipt_job on millrace.settle_receipt (job_id);
create index settle_receipt_at on millrace.settle_receipt using brin (settled_at);
