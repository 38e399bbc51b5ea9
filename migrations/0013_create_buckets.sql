-- Rates: how many jobs of a queue may be started in a time, how many of a key let go, and what is left of that.

set local role millrace_owner;
set local client_min_messages = warning;  -- a new installation has nothing to drop

alter table millrace.queue
    add rate         text,                             -- as it was asked for; null: no limit
    add burst        int check (burst > 0),            -- tokens that are kept at most; null: what comes in a second
    add token_micros bigint check (token_micros > 0),  -- microseconds between two tokens; null: no limit
    add key_rate         text,                         -- the same for each of its keys
    add key_burst        int check (key_burst > 0),
    add key_token_micros bigint check (key_token_micros > 0);

-- A key may have a rate of its own, a limit of its own, or both.
alter table millrace.key_limit
    alter max_held drop not null,
    add rate         text,
    add burst        int check (burst > 0),
    add token_micros bigint check (token_micros > 0),
    add check (max_held is not null or rate is not null);

-- What is left of a queue's rate: all tokens that came in until spent_until are spent. Rows are replaced as those of
-- lanes, and never wholly gone: whoever found none would have walked the dead ones. No foreign key, whose check would
-- lock the queue's row.
create table millrace.bucket (
    queue_id    int not null,
    version     bigint not null,
    spent_until timestamptz not null,
    wake_at     timestamptz,  -- jobs may wait for tokens, and then there are some again; null: they do not
    primary key (queue_id, version)
);

-- As in `bucket`, for the tokens of a key.
alter table millrace.concurrency_key
    add spent_until timestamptz,  -- null: it has had no rate
    add wake_at     timestamptz;

-- When a key's jobs that wait for tokens are to be looked at again: a row for each wake_at, until its time comes.
create table millrace.key_due (
    due_at   timestamptz not null,
    queue_id int not null,
    key      text not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index key_due_at on millrace.key_due (due_at);

-- Their successors have more columns and arguments.
drop function if exists millrace.limit_key(text, text, int);
drop view if exists millrace.queues, millrace.blocked_keys;
drop function if exists millrace.queue_overview();
