-- Concurrency keys, unique keys and batches: jobs that wait for other jobs, and what is remembered about them.
--
--     (nothing) ──► blocked ──► ready        when its key has a free slot, or its batch has finished
--
-- Enqueue and settle lock nothing that they share with others: they leave a note in `follow_up`. Whoever claims next
-- from that queue reads the notes and does what they ask for, in its short transaction, one claimer per key at a time.
-- Tables that change with the jobs have no foreign keys: each check would lock the row of the queue that all share.
--
-- Lanes 0 to 9 are those of the priorities; 10 + n holds the jobs of priority n that were blocked, which go first in
-- their priority; 20 is where to begin in `follow_up`. A queue gets the latter eleven when it first needs them.

set local role millrace_owner;
set local client_min_messages = warning;  -- a new installation has nothing to drop

alter table millrace.queue
    add paused_at   timestamptz,                  -- null: not paused
    add max_running int check (max_running > 0),  -- at one time, over all workers; null: no limit
    add key_limit   int not null default 1 check (key_limit > 0);

alter table millrace.job
    add concurrency_key text,
    add unique_key      text,
    add unique_until    text check (unique_until in ('started', 'finished', 'time')),
    add batch_id        bigint;

alter table millrace.lane drop constraint lane_priority_check;
alter table millrace.lane add constraint lane_priority_check check (priority between 0 and 20);

alter table millrace.queue_delta add blocked int not null default 0;
alter table millrace.queue_count add blocked bigint not null default 0;

-- Set when more than its row ends with the attempt: a slot, a unique key, a member of a batch. Null otherwise.
alter table millrace.running add tied boolean;

-- Set for a job that needs a slot of this key when its time comes; one that waits for its retry has kept its slot.
alter table millrace.scheduled add key text;

create table millrace.blocked (
    job_id    bigint primary key,
    stored_on date not null,
    queue_id  int not null,
    priority  smallint not null,
    attempt   smallint not null default 0,
    batch_id  bigint,  -- waits for this batch; null: for a slot of its key
    key       text,
    check (batch_id is not null or key is not null)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index blocked_key on millrace.blocked (queue_id, key, job_id) where batch_id is null;
create index blocked_batch on millrace.blocked (batch_id, job_id) where batch_id is not null;

-- A job that has ended, and as what: completed, cancelled or discarded.
create type millrace.ending as (job_id bigint, stored_on date, outcome text);

create table millrace.follow_up (
    pos      xid8 not null default pg_current_xact_id(),  -- as in `ready`
    job_id   bigint not null,
    queue_id int not null,
    amount   int not null default 1,
    what     text not null check (what in ('arrived', 'freed', 'looked', 'completed', 'cancelled', 'discarded',
                                           'replayed')),
    key      text,
    batch_id bigint
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index follow_up_pos on millrace.follow_up (queue_id, pos, job_id);

-- The limits of single keys, where they differ from the queue's.
create table millrace.key_limit (
    queue_id int not null references millrace.queue on delete cascade,
    key      text not null,
    max_held int not null check (max_held > 0),
    primary key (queue_id, key)
);

-- How many jobs hold a slot of a key: available, running, or waiting for their retry. One row for a key that has been
-- in use lately (prune.sql), replaced as those of lanes. No job that waits for the key, and whose note has been
-- followed, has an id below low_job.
create table millrace.concurrency_key (
    queue_id int not null,
    key      text not null,
    version  bigint not null,
    held     int not null check (held >= 0),
    low_job  bigint not null,
    primary key (queue_id, key, version)
);
create index concurrency_key_idle on millrace.concurrency_key (version) where held = 0;

create table millrace.unique_job (
    queue_id   int not null,
    unique_key text not null,
    job_id     bigint not null,
    expires_at timestamptz,  -- null: when the job has started or finished
    primary key (queue_id, unique_key)
);
create index unique_job_expires_at on millrace.unique_job (expires_at) where expires_at is not null;

create table millrace.batch (
    id           bigint primary key generated always as identity,
    queue_id     int not null references millrace.queue on delete cascade,
    kind         text,  -- of the job that is enqueued when it has finished; null: none
    payload      jsonb not null,
    priority     smallint not null,
    created_at   timestamptz not null,
    closed_at    timestamptz,
    members      bigint,  -- known when it is closed
    finished_at  timestamptz,
    callback_job bigint
);
create index batch_finished_at on millrace.batch (finished_at) where finished_at is not null;

-- One row for each enqueue into a batch that is open; close_batch() adds them up.
create table millrace.batch_member (
    batch_id bigint not null,
    amount   int not null
);
create index batch_member_batch on millrace.batch_member (batch_id);

-- What became of a batch's members. One row for each batch, replaced as those of lanes.
create table millrace.batch_count (
    batch_id  bigint not null,
    version   bigint not null default 0,
    completed bigint not null default 0,
    cancelled bigint not null default 0,
    discarded bigint not null default 0,
    primary key (batch_id, version)
);

-- Their successors have more arguments.
drop function if exists millrace.enqueue(text, text, jsonb, int, timestamptz, interval, int, interval, text, boolean);
drop function if exists millrace.enqueue_many(text, text, jsonb[], int, timestamptz, interval, int, interval, text,
                                              boolean);
drop function if exists millrace.admit(text, text, int, timestamptz, interval, int, interval, text);
drop function if exists millrace.create_queue(text, int, interval, interval, interval, int, interval);
drop view if exists millrace.queues, millrace.jobs;
drop function if exists millrace.queue_overview();
drop function if exists millrace.live_deltas(bigint);
