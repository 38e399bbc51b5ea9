-- Kinds: what is known of a kind beyond its name, and where its jobs wait while nobody may run them.
--
-- A kind that nobody has configured, paused or met without a handler has no row.

set local role millrace_owner;
set local client_min_messages = warning;  -- a new installation has nothing to drop

create table millrace.kind (
    id             int primary key generated always as identity,
    name           text not null unique,
    paused_at      timestamptz,  -- null: not paused
    max_attempts   smallint,     -- of jobs that do not say otherwise; null, here and below: as the queue has it
    timeout        interval,
    retry_base     interval,
    retry_cap      interval,
    retry_delays   interval[],   -- one after the other, the last one again and again
    payload_schema jsonb,        -- null: any payload
    created_at     timestamptz not null
);

-- The kinds a session handles; null: whatever comes.
alter table millrace.worker add kinds text[];

-- Lanes of `ready` for the jobs of one kind that a claim met and could not hand out: 100 + 10 * number + priority. Who
-- may run the kind reads them besides the others, everybody else passes them by.
create table millrace.kind_lane (
    queue_id int not null references millrace.queue on delete cascade,
    kind     text not null,
    number   smallint not null check (number between 0 and 3200),
    primary key (queue_id, kind),
    unique (queue_id, number)
);

alter table millrace.lane drop constraint lane_priority_check;
alter table millrace.lane add constraint lane_priority_check check (priority between 0 and 20 or priority >= 100);

-- Their successors have more arguments.
drop function if exists millrace.open_session(text, text[], text, int, text, interval);
