-- Queues and what is remembered per queue: configuration, lanes, the wake-up flag, counts.
--
-- None of these rows is updated per job or per claim. A row updated that often decays under a pinned vacuum horizon,
-- because every reader walks its chain of dead versions.

set local role millrace_owner;

-- One row: which database this is, and which days have partitions.
create table millrace.installation (
    singleton         boolean primary key default true check (singleton),
    system_identifier bigint not null,  -- of the server that the queues belong to: see adopt()
    database_name     text not null,
    first_day         date not null,    -- oldest and newest day (UTC) with a partition
    last_day          date not null,
    drop_given_up_at  timestamptz       -- somebody held on to the tables when an old day was to go
);

create table millrace.queue (
    id                int primary key generated always as identity,
    name              text not null unique check (name ~ '^[a-z0-9][a-z0-9_.-]{0,47}$'),
    max_attempts      smallint not null,
    timeout           interval,           -- of one attempt; null: none
    retry_base        interval not null,  -- first backoff, doubled with every attempt
    retry_cap         interval not null,
    max_payload_bytes int not null,
    retention         interval not null,  -- of finished jobs
    created_at        timestamptz not null
);

-- Where a claim starts reading `ready`. Rows before (low, low_job) are proven dead, except those of the long-running
-- transactions in `pending`, which a claim probes one by one, each from the job of the same index in `pending_job` on.
-- A lane has one row. What moves its mark inserts the next version and deletes the last, and whoever reads takes the
-- newest from the end of the index: however many dead versions an old snapshot keeps, nobody walks them.
create table millrace.lane (
    queue_id    int not null references millrace.queue on delete cascade,
    priority    smallint not null check (priority between 0 and 9),
    version     bigint not null default 0,
    low         xid8 not null default '0',
    low_job     bigint not null default 0,  -- within that position: one transaction may enqueue a million jobs
    pending     xid8[] not null default '{}',
    pending_job bigint[] not null default '{}',
    primary key (queue_id, priority, version),
    check (cardinality(pending) = cardinality(pending_job))
);

-- What the last advance saw in progress; and the same two marks for `queue_delta`. One row, replaced as those of lanes.
create table millrace.low_water (
    version       bigint primary key default 0,
    seen          xid8[] not null default '{}',
    delta_low     xid8 not null default '0',
    delta_pending xid8[] not null default '{}'
);
insert into millrace.low_water default values;

-- Raised by a worker that is about to sleep; read, never locked, by enqueue().
create table millrace.queue_signal (
    queue_id int primary key references millrace.queue on delete cascade,
    raised   boolean not null default false
) with (fillfactor = 10);

-- Counts without counting: every statement that moves jobs appends what it moved, maintenance folds the rows into
-- `queue_count`, and the sum of both is exact at any moment. `pos` serves as in `ready`.
create table millrace.queue_delta (
    pos       xid8 not null default pg_current_xact_id(),
    queue_id  int not null,
    available int not null default 0,
    scheduled int not null default 0,
    running   int not null default 0,
    dead      int not null default 0,
    enqueued  int not null default 0,
    completed int not null default 0,
    cancelled int not null default 0,
    failed    int not null default 0
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index queue_delta_pos on millrace.queue_delta (pos);

-- One row for each queue, replaced as those of lanes.
create table millrace.queue_count (
    queue_id  int not null references millrace.queue on delete cascade,
    version   bigint not null default 0,
    available bigint not null default 0,
    scheduled bigint not null default 0,
    running   bigint not null default 0,
    dead      bigint not null default 0,
    enqueued  bigint not null default 0,
    completed bigint not null default 0,
    cancelled bigint not null default 0,
    failed    bigint not null default 0,
    primary key (queue_id, version)
);

-- Who did what by hand.
create table millrace.operator_action (
    at       timestamptz not null,
    who      text not null,
    action   text not null,
    detail   jsonb not null,
    affected bigint not null
);
create index operator_action_at on millrace.operator_action (at);
